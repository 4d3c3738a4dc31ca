"""Every exchange recorded from TensorFlow Serving, over a real socket."""

import pathlib
import re

import pytest

import kerashw.serve
from tests.serve.processes import serving
from tests.serve.recordings import disagreement, load, repeat

DIFFERENCES = pathlib.Path(kerashw.serve.__file__).parent / "DIFFERENCES.md"
BATCHING = """
max_batch_size { value: 4 }
batch_timeout_micros { value: 1000 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 2 }
"""
# What happens in `dynamic` is in test_repository.py: the disk changes between its requests.
RECORDINGS = [entry for entry in load() if entry["server"] != "dynamic"]
FLAGS = {entry["server"]: entry["server_flags"] for entry in RECORDINGS}


def documented():
    """The names of recordings in the list of differences."""
    table = DIFFERENCES.read_text(encoding="utf-8").partition("Not in the recordings")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if "|" in line]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.fixture(scope="module", params=FLAGS.values(), ids=FLAGS)
def server(request, models, tmp_path_factory):
    batching = tmp_path_factory.mktemp("config") / "batching.txt"
    batching.write_text(BATCHING)
    flags = [
        flag.replace("MODELS", str(models)).replace("batching.txt", str(batching))
        for flag in request.param
    ]
    with serving(*flags) as running:
        running.flags = request.param
        yield running


def test_the_answers_are_as_recorded_or_documented(server):
    unexpected = {}
    for entry in RECORDINGS:
        if entry["server_flags"] != server.flags:
            continue
        difference = disagreement(entry, *repeat(entry, server.port))
        if (difference is None) == (entry["name"] in documented()):
            unexpected[entry["name"]] = difference or "it agrees: strike it off the list"
    assert not unexpected
    assert server.process.poll() is None


def test_the_list_of_differences_names_recordings():
    assert documented() <= {entry["name"] for entry in load()}

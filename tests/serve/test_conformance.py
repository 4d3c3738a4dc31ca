"""Every exchange recorded from TensorFlow Serving is repeated over a real socket."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import pytest

import kerashw.serve
from tests.ports import free_port
from tests.serve.recordings import disagreement, load, repeat

DIFFERENCES = pathlib.Path(kerashw.serve.__file__).parent / "DIFFERENCES.md"
BATCHING = """
max_batch_size { value: 4 }
batch_timeout_micros { value: 1000 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 2 }
"""
# Starts one server for each list of flags. TensorFlow is imported only once, before the forks.
START_SERVERS = """
import json, os, signal, sys
from kerashw.serve import __main__, server
for flags in json.loads(sys.argv[1]):
    if not os.fork():
        sys.exit(__main__.main(flags))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.exit(any([os.wait()[1] for flags in json.loads(sys.argv[1])]))
"""
# All addresses of this machine, of IPv6 too if it has it.
HOST, ADDRESS = (
    ("::", "http://[::]") if socket.has_dualstack_ipv6() else ("0.0.0.0", "http://0.0.0.0")
)
# The folder changes between the requests of `dynamic`; test_model_registry.py has these.
RECORDINGS = [entry for entry in load() if entry["server"] != "dynamic"] + load("overflow.json")
FLAGS = {entry["server"]: entry["server_flags"] for entry in RECORDINGS}


def documented():
    """The names of recordings in the list of differences."""
    table = DIFFERENCES.read_text(encoding="utf-8").partition("Not in the recordings")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if "|" in line]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.fixture
def ports(models, tmp_path):
    """The ports of the servers, by the name of their flags in the recordings."""
    (tmp_path / "batching.txt").write_text(BATCHING)
    ports = {server: free_port() for server in FLAGS}
    flags = [
        [f"--rest_api_port={ports[server]}", "--port=0", f"--host={HOST}"]
        + [
            flag.replace("MODELS", str(models)).replace("batching.txt", f"{tmp_path}/batching.txt")
            for flag in FLAGS[server]
        ]
        for server in FLAGS
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", START_SERVERS, json.dumps(flags)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        start_new_session=True,
    )
    try:
        addresses = {process.stdout.readline().split()[-1] for _ in flags}
        assert addresses == {f"{ADDRESS}:{port}" for port in ports.values()}
        yield ports
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(40) == 0  # no server has ended before
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        process.stdout.close()


def test_responses_are_as_recorded_or_documented(ports):
    unexpected = {}
    for entry in RECORDINGS:
        difference = disagreement(entry, *repeat(entry, ports[entry["server"]]))
        if (difference is None) == (entry["name"] in documented()):
            unexpected[entry["name"]] = difference or "as recorded: remove it from the list"
    assert not unexpected


def test_the_list_of_differences_names_recordings():
    assert documented() <= {entry["name"] for entry in load()}

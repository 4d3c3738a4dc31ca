import json
import subprocess
import sys

import pytest

from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.topic_runner import DEFAULT_TOPICS, TOPICS, Setup, import_topic
from kerashw.errors import DataError

# The command, with small vectors and few rounds in the topic backprop.
SMALL_BACKPROP = """
import sys
from kerashw.benchmark import __main__, topic_runner

import_topic = topic_runner.import_topic

def import_small(topic):
    module = import_topic(topic)
    module.compare_gradients.__defaults__ = 8, 3
    return module

topic_runner.import_topic = import_small
sys.exit(__main__.main())
"""


def run(*command):
    return subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
def test_the_table_and_the_file_have_the_same_comparisons(tmp_path):
    outputs = "--json", tmp_path / "times.json", "--figures", tmp_path / "figures"
    result = run("-c", SMALL_BACKPROP, "backprop", *outputs)
    assert not (tmp_path / "figures").exists()  # because backprop draws none
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    written = json.loads((tmp_path / "times.json").read_text())
    assert len(written["comparisons"]) == 2
    for row in written["comparisons"]:
        comparison = Comparison(**row)
        line = next(line for line in result.stdout.splitlines() if comparison.job in line)
        assert f" {comparison.ratio:.2f} " in line
        assert comparison.peer in line


def test_every_topic_is_a_module_with_measure():
    for topic in TOPICS:
        assert callable(import_topic(topic).measure), topic
    assert set(DEFAULT_TOPICS) <= set(TOPICS)


@pytest.mark.parametrize("topic", ["startup", "training", "convnet", "growth", "scaling", "photos"])
def test_a_data_folder_that_cannot_be_created_is_reported_by_every_topic(topic, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="Choose another folder with --data-dir"):
        list(import_topic(topic).measure(Setup(str(tmp_path / "file" / "data"))))


@pytest.mark.parametrize("arguments", [["nosuch"], ["backprop", "--nosuch"]])
def test_wrong_arguments_are_reported_in_one_line(arguments):
    result = run("-m", "kerashw.benchmark", *arguments)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "nosuch" in result.stderr

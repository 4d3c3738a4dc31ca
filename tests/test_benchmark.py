import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from kerashw import benchmark
from kerashw.benchmarks import training
from kerashw.benchmarks.turns import Comparison

COMMAND = [sys.executable, "-m", "kerashw.benchmark"]


def run(*arguments):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300
    )


def test_the_table_and_the_file_have_the_same_comparisons(tmp_path):
    ended = run("backprop", "--json", tmp_path / "times.json")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    written = json.loads((tmp_path / "times.json").read_text())
    for row in written["comparisons"]:
        comparison = Comparison(**row)
        line = next(line for line in ended.stdout.splitlines() if comparison.job in line)
        assert f" {comparison.ratio:.2f} " in line
        assert comparison.peer in line


def test_both_ways_to_train_learn_the_same(data, monkeypatch):
    monkeypatch.setattr(training, "ROUNDS", {"softmax": 1})
    (comparison,) = training.compare_training(models=("softmax",))
    assert len(comparison.ours) == len(comparison.theirs) == 1
    accuracies = [float(text.split()[0]) for text in comparison.quality[14:].split(", ")]
    assert min(accuracies) > 91


def test_both_ways_to_load_give_the_same(data):
    (comparison,) = training.compare_loading(rounds=1)
    assert comparison.quality == "the same examples"


def test_the_table_shows_times_in_milliseconds():
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(benchmark.table([Comparison("a job", "a peer", [1.5], [3.0], "equal")]))
    assert (
        "a job   1,500.0   3,000.0    0.50   0.50 – 0.50   a peer   equal" in console.export_text()
    )


@pytest.mark.parametrize("arguments", [["nosuch"], ["backprop", "--nosuch"]])
def test_bad_input_is_one_line(arguments):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "nosuch" in ended.stderr

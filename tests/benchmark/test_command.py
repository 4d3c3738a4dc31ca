import dataclasses
import importlib
import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from kerashw.benchmark import __main__ as benchmark
from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.result_table import Setup, Table
from kerashw.benchmark.topics import diagonals
from kerashw.errors import DataError

COMMAND = [sys.executable, "-m", "kerashw.benchmark"]


def run(*arguments):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300
    )


def test_the_table_and_the_file_have_the_same_comparisons(tmp_path):
    ended = run("backprop", "--json", tmp_path / "times.json", "--figures", tmp_path / "drawn")
    assert not (tmp_path / "drawn").exists()  # where nothing is drawn
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    written = json.loads((tmp_path / "times.json").read_text())
    for row in written["comparisons"]:
        comparison = Comparison(**row)
        line = next(line for line in ended.stdout.splitlines() if comparison.job in line)
        assert f" {comparison.ratio:.2f} " in line
        assert comparison.peer in line


def test_the_table_shows_times_in_milliseconds():
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(benchmark.table([Comparison("a job", "a peer", [1.5], [3.0], "equal")]))
    line = "a job   1,500.0   3,000.0    0.50   0.50 – 0.50   a peer   equal"
    assert line in console.export_text()


def test_every_topic_is_a_module_that_measures():
    for topic in benchmark.TOPICS:
        module = importlib.import_module(f"kerashw.benchmark.{topic}")
        assert callable(module.measure), topic
    assert set(benchmark.DEFAULT) <= set(benchmark.TOPICS)


def test_tables_and_remarks_are_kept_beside_the_comparisons():
    comparison = Comparison("a job", "a peer", [1.5], [3.0])
    table = Table("Sizes", ("n", "seconds"), [(1, [2.0, 4.0])], ("{}", "{:.1f}"))
    assert benchmark.as_json(["said", table, comparison]) == {
        "comparisons": [dataclasses.asdict(comparison)],
        "tables": [{"title": "Sizes", "headings": ("n", "seconds"), "rows": [(1, [2.0, 4.0])]}],
        "remarks": ["said"],
    }
    assert table.shown() == [("1", "3.0")]


def test_a_peer_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setattr(diagonals, "compare_counting", lambda: [])
    (remark,) = diagonals.measure(Setup())
    assert "OpenCV is not installed" in remark
    assert "cv2.filter2D" not in diagonals.counting_functions()


@pytest.mark.parametrize("topic", ["startup", "training", "convnet", "growth", "scaling"])
def test_a_folder_that_cannot_hold_the_data_is_a_mistake_in_every_topic(topic, tmp_path):
    (tmp_path / "file").touch()
    module = importlib.import_module(f"kerashw.benchmark.{topic}")
    with pytest.raises(DataError, match="Choose another place with --data-dir"):
        list(module.measure(Setup(str(tmp_path / "file" / "data"))))


@pytest.mark.parametrize("arguments", [["nosuch"], ["backprop", "--nosuch"]])
def test_bad_input_is_one_line(arguments):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "nosuch" in ended.stderr

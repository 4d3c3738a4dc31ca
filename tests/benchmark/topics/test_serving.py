"""What is measured is what the server answers; how fast it is, is the benchmark's."""

import pytest

from kerashw.benchmark.result_table import Setup
from kerashw.benchmark.topics import serving
from tests.conftest import tool


def test_without_wrk_nothing_is_started(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delattr(serving.subprocess, "Popen")
    (remark,) = serving.measure(Setup())
    assert "wrk is not installed" in remark


def test_a_server_that_does_not_start_is_said(tmp_path):
    command = ["sh", "-c", "echo it is Monday; exit 2"]
    with (
        pytest.raises(ChildProcessError, match="it is Monday"),
        serving._running(command, tmp_path),
    ):
        pass


def test_a_server_that_serves_nothing_is_not_awaited_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "START_SECONDS", 0.5)
    command = ["sh", "-c", "echo thinking; exec sleep 600"]
    with (
        pytest.raises(ChildProcessError, match=r"after 0\.5 s; thinking"),
        serving._running(command, tmp_path),
    ):
        pass


@pytest.mark.slow
def test_every_cell_is_measured(monkeypatch):
    tool("wrk")
    monkeypatch.setattr(serving, "MODELS", {"softmax": serving.MODELS["softmax"]})
    monkeypatch.setattr(serving, "CONNECTIONS", (1, 8))
    monkeypatch.setattr(serving, "SECONDS", 1)
    table, *remarks = serving.measure(Setup())
    assert [row[0] for row in table.rows] == [
        f"softmax, {images} × {connections}" for images in (1, 32) for connections in (1, 8)
    ]
    for row in table.rows:
        assert len(row) == len(table.headings) >= 8
        assert min(row[1:]) > 0
    assert remarks

import itertools

import pytest

from kerashw.benchmark.topic_runner import Setup
from kerashw.benchmark.topics import serving
from tests.conftest import find_program


def test_without_wrk_no_server_is_started(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delattr(serving.subprocess, "Popen")
    (remark,) = serving.measure(Setup())
    assert "wrk is not installed" in remark


def test_the_error_of_a_server_that_does_not_start_is_reported(tmp_path):
    command = ["sh", "-c", "echo it is Monday; exit 2"]
    with (
        pytest.raises(ChildProcessError, match="it is Monday"),
        serving._running_server(command, tmp_path),
    ):
        pass


def test_the_wait_for_a_server_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "START_SECONDS", 0.5)
    command = ["sh", "-c", "echo thinking; exec sleep 600"]
    with (
        pytest.raises(ChildProcessError, match=r"after 0\.5 s; thinking"),
        serving._running_server(command, tmp_path),
    ):
        pass


@pytest.mark.slow
def test_every_load_is_measured(monkeypatch):
    find_program("wrk")
    monkeypatch.setattr(serving, "MODELS", {"softmax": serving.MODELS["softmax"]})
    monkeypatch.setattr(serving, "CONNECTIONS", (1, 8))
    monkeypatch.setattr(serving, "SECONDS", 1)
    comparison, table, *remarks = serving.measure(Setup())
    assert comparison.quality == "same classes"
    servers = ["kerashw.serve", "2 workers", "batching"]
    loads = [f"softmax, {images} × {connections}" for images in (1, 32) for connections in (1, 8)]
    found = [row[:2] for row in table.rows if row[1] != "TF Serving"]
    assert found == list(itertools.product(loads, servers))
    for row in table.rows:
        assert len(row) == len(table.headings)
        assert min(row[2:]) > 0
    assert remarks

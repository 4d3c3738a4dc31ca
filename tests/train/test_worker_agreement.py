"""Workers of a run compare their settings, and report a missing worker."""

import pytest

from kerashw import distribution
from kerashw.errors import InputError
from kerashw.train.__main__ import main
from kerashw.train.run import run
from kerashw.train.settings import Settings
from tests.distribution.clusters import config
from tests.ports import free_ports


def test_workers_with_different_settings_are_refused(tmp_path, monkeypatch):
    def all_gather(choice, message, timeout):
        return [message, message | {"settings": message["settings"] | {"epochs": 3}}]

    monkeypatch.setattr(distribution.StrategyChoice, "all_gather", all_gather)
    with pytest.raises(InputError, match="worker 2 has epochs 3 and this one 10"):
        run(Settings(), tmp_path / "r")
    assert not list(tmp_path.iterdir())


def test_a_missing_worker_is_reported_in_time(monkeypatch, tmp_path, capsys):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    monkeypatch.setenv("TF_CONFIG", config({"worker": addresses}, type="worker", index=0))
    arguments = ["--worker-timeout", "0.5", "--output", str(tmp_path / "r")]
    assert main(arguments) == 75
    shown = capsys.readouterr()
    assert "worker 1 of 2, the chief: meeting the others within 0.5 s" in shown.out
    assert f"in vain for worker 2 ({addresses[1]})" in shown.err
    assert shown.err.count("\n") == 1
    assert not list(tmp_path.iterdir())

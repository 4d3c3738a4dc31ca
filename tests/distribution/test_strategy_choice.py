"""The strategy is chosen by name, or from the devices and `TF_CONFIG`."""

import pytest
import tensorflow as tf

from kerashw.console import EXIT_TEMPORARY_FAILURE
from kerashw.distribution import StrategyChoice, choose_strategy
from kerashw.errors import InputError
from kerashw.train.__main__ import main
from tests.distribution.clusters import WORKERS, config
from tests.ports import free_ports


def test_auto_chooses_the_workers_of_tf_config(monkeypatch):
    assert choose_strategy() == StrategyChoice()
    monkeypatch.setenv("TF_CONFIG", config(type="worker", index=1))
    choice = choose_strategy()
    assert (choice.name, choice.workers, choice.index) == ("multiworker", 2, 1)
    assert not choice.is_chief
    assert choose_strategy("default") == StrategyChoice()
    monkeypatch.setenv("TF_CONFIG", config({"chief": ["c:3"], **WORKERS}, type="worker", index=0))
    assert choose_strategy().addresses == ("c:3", "a:1", "b:2")
    assert (choose_strategy().index, choose_strategy().is_chief) == (1, False)
    # Some platforms set TF_CONFIG without a cluster for a single machine.
    monkeypatch.setenv("TF_CONFIG", "{}")
    assert choose_strategy() == StrategyChoice()


def test_auto_chooses_all_gpus(monkeypatch):
    gpus = [tf.config.LogicalDevice(f"/device:GPU:{number}", "GPU") for number in range(2)]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: gpus)
    choice = choose_strategy()
    assert (choice.name, choice.replicas, choice.workers) == ("mirrored", 2, 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("multiworker", "needs TF_CONFIG"),
        ("mirrored", "at least 2 devices"),
    ],
)
def test_an_impossible_strategy_is_reported_in_one_line(name, message, tmp_path, capsys):
    assert main(["--strategy", name, "--output", str(tmp_path / "r")]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_unknown_strategy_is_refused():
    with pytest.raises(InputError, match="auto, default, mirrored, multiworker"):
        choose_strategy("nosuch")


def test_a_worker_whose_name_does_not_appear_may_be_started_again(monkeypatch, tmp_path, capsys):
    address = f"no-such.invalid:{free_ports(1)[0]}"
    monkeypatch.setenv("TF_CONFIG", config({"worker": [address]}, type="worker", index=0))
    output = str(tmp_path / "r")
    assert main(["--worker-timeout", "0", "--output", output]) == EXIT_TEMPORARY_FAILURE
    shown = capsys.readouterr().err
    assert f"this worker ({address}, a name that is not known)" in shown
    assert shown.count("\n") == 1
    assert not list(tmp_path.iterdir())

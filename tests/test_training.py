import sys

import numpy as np
import pytest

from kerashw.errors import InputError
from kerashw.training import Observer, Settings, compiled_model, run

QUICK = Settings(models=("softmax", "mlp"), epochs=2, train_examples=1000, test_examples=300)


class Listener(Observer):
    """Writes down what it hears."""

    def __init__(self):
        self.heard = []

    def preparing(self, dataset):
        self.heard.append(("preparing", dataset))

    def training(self, model, history):
        self.heard.append(("training", model.name, len(history["epochs"])))
        return []

    def epoch(self, model, entry):
        self.heard.append(("epoch", model.name, entry["epoch"]))

    def finished(self, run_folder, results):
        self.heard.append(("finished", [result.name for result in results]))


def test_an_observer_hears_of_everything_in_order(data, tmp_path):
    listener = Listener()
    results = run(QUICK, tmp_path / "r", observer=listener)
    expected = [("preparing", "mnist")]
    for name in ("softmax", "mlp"):
        expected += [("training", name, 0), ("epoch", name, 1), ("epoch", name, 2)]
    assert listener.heard == [*expected, ("finished", ["softmax", "mlp"])]
    for result in results:
        right = np.trace(result.confusion)
        assert right == round(result.last["test_accuracy"] * 300) == 300 - result.mistakes.total
    assert run(QUICK, tmp_path / "r") is None


def test_seeds_decide_the_initial_weights():
    def weights(seed):
        return compiled_model("softmax", seed, (28, 28, 1), 10).get_weights()[0]

    np.testing.assert_array_equal(weights(1), weights(1))
    assert (weights(1) != weights(2)).any()


def test_tensorboard_logs_are_beside_the_history(data, tmp_path):
    settings = Settings(models=("softmax",), epochs=1, train_examples=500, test_examples=100)
    run(settings, tmp_path / "r", tensorboard=True)
    assert list((tmp_path / "r" / "softmax" / "tensorboard").rglob("events.out.*"))


def test_tensorboard_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(InputError, match=r"pip install 'kerashw\[tensorboard\]'"):
        run(QUICK, tmp_path / "r", tensorboard=True)
    assert not list(tmp_path.iterdir())

import numpy as np
import pytest

from kerashw.verify.claims import CLAIMS, question4
from tests.verify.verdicts import CORRECTED, FAILS, HOLDS, verdict_of


class KnownAccuracies:
    """Replaces `TrainedModels`: the test accuracies in percent by model, by seed, by epoch."""

    def __init__(self, **percent):
        self.percent = percent
        self.seeds = range(len(next(iter(percent.values()))))
        self.finished = {}
        self.data = type("Data", (), {"test_labels": np.arange(10)})

    def histories(self, model):
        return [{"test_accuracy": [x / 100 for x in by_epoch]} for by_epoch in self.percent[model]]


def test_claim_9_holds(verdicts):
    assert verdicts[9] == HOLDS


@pytest.mark.parametrize(
    "change", [{"num_classes": 11}, {"input_shape": (29, 28, 1)}, {"dropout": 0.3}], ids=str
)
def test_another_model_does_not_hold(change, monkeypatch):
    right = question4.MODELS["mlp"]
    monkeypatch.setitem(question4.MODELS, "mlp", lambda: right(**change))
    assert verdict_of(9) == FAILS


@pytest.mark.parametrize(
    ("number", "percent", "verdict"),
    [
        (10, {"convnet": [[98.34]]}, HOLDS),
        (10, {"convnet": [[98.2], [98.5]]}, HOLDS),
        (10, {"convnet": [[98.2], [98.4]]}, CORRECTED),
        (10, {"convnet": [[97.4]]}, FAILS),
        (10, {"convnet": [[float("nan")]]}, FAILS),
        (11, {"convnet": [[98.3]], "softmax": [[91, 92]], "mlp": [[96, 98.2]]}, HOLDS),
        # The best epoch counts, not the last.
        (11, {"convnet": [[98.3]], "softmax": [[91, 92]], "mlp": [[98.4, 98.2]]}, FAILS),
        (11, {"convnet": [[98.3]], "softmax": [[99, 92]], "mlp": [[96, 98.2]]}, FAILS),
        (
            11,
            {"convnet": [[98.1], [98.4]], "softmax": [[92], [92]], "mlp": [[98.2], [98.2]]},
            CORRECTED,
        ),
        (12, {"softmax": [[91, 92.1]]}, HOLDS),
        (12, {"softmax": [[91, 92.7], [91, 91.7]]}, HOLDS),
        (12, {"softmax": [[91, 91.4]]}, FAILS),
        (12, {"softmax": [[90, 92.0]]}, FAILS),
        (13, {"softmax": [[80, 90.1], [91, 92]]}, HOLDS),
        (13, {"softmax": [[91, 89.9], [91, 95]]}, FAILS),
    ],
)
def test_the_accuracies_decide_the_verdict(number, percent, verdict):
    assert verdict_of(number, KnownAccuracies(**percent)) == verdict


def test_the_number_of_seeds_for_which_a_claim_holds_is_reported():
    percent = {"convnet": [[98.1], [98.4]], "softmax": [[92], [92]], "mlp": [[98.2], [98.2]]}
    evidence = CLAIMS[11].measure(KnownAccuracies(**percent))
    assert "above both in 1 of 2" in evidence.measured
    assert "98.25 ± 0.21 (98.10 to 98.40) %" in evidence.measured
    assert evidence.numbers["seeds_above_mlp"] == 1

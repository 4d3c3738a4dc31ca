"""The claims are judged by what is measured: what is wrong does not hold, whatever it is."""

import numpy as np
import pytest
import tensorflow as tf

from kerashw import models
from kerashw.backprop import closed_form, primitives
from kerashw.errors import InputError
from kerashw.layers import FactoredDense
from kerashw.train.settings import Settings
from kerashw.verify.claims import (
    CLAIMS,
    Lab,
    Verdict,
    chosen,
    claim,
    question1,
    question2,
    question4,
)

HOLDS, CORRECTED, FAILS = Verdict
SMALL = {"train_examples": 2000, "test_examples": 500}


@pytest.fixture(scope="module")
def lab(data):
    return Lab(seeds=2, **SMALL)


def verdict_of(number, lab=None):
    finding = CLAIMS[number].tested(lab)
    assert finding.as_expected == (finding.evidence.verdict in CLAIMS[number].expected)
    return finding.evidence.verdict


# The claims as they are.


def test_the_claims_are_registered_under_the_homeworks_numbers():
    assert {1, 2, 3, 4, 5, 9, 10, 11, 12, 13} <= set(CLAIMS)
    assert all(number == entry.number for number, entry in CLAIMS.items())
    assert [entry.number for entry in chosen()] == sorted(CLAIMS)


def test_a_number_that_is_no_claims_is_refused():
    with pytest.raises(InputError, match=r"numbers 1, 2, 3, .*\. Received: 99$"):
        chosen([1, 99])


def test_a_number_is_given_once():
    with pytest.raises(InputError, match=r"Received: 4, twice"):
        claim.claim(4, "again")(lambda lab: None)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 9])
def test_what_needs_no_training_is_as_expected(number):
    assert verdict_of(number) == (CORRECTED if number == 2 else HOLDS)


def test_claim_5_holds_and_its_paths_part_from_one_start(lab):
    evidence = CLAIMS[5].test(lab)
    assert evidence.verdict == HOLDS
    paths = evidence.numbers["paths"]
    assert paths["step"] == [0, 16, 32]  # 2,000 examples in batches of 128, twice
    assert paths["apart"][0] == paths["way_in_h1"][0] == paths["way_in_h2"][0] == 0
    assert 0 < paths["apart"][1] < paths["apart"][2]
    # What is flattened into a plane cannot be longer than it is.
    h1, h2 = (np.array(paths["plane"][space]) for space in ("h1", "h2"))
    for flat, full in ((h1, "way_in_h1"), (h2, "way_in_h2"), (h1 - h2, "apart")):
        assert (np.linalg.norm(flat, axis=1) <= np.array(paths[full]) + 1e-9).all()
    assert 0.5 < paths["plane"]["share"] <= 1


# What is wrong does not hold.


def test_a_wrong_local_derivative_does_not_hold(monkeypatch):
    monkeypatch.setattr(tf, "exp", lambda y: 1 + y)  # the formula's σ, not TensorFlow's
    assert verdict_of(1) == FAILS


def test_nan_does_not_hold(monkeypatch):
    errors = {"∂L/∂w = 2w": 0.0, "∂v/∂A = 0": float("nan")}
    monkeypatch.setattr(question1, "local_derivative_errors", lambda K, seed: errors)
    assert verdict_of(1) == FAILS


def test_a_correction_that_is_wrong_too_does_not_hold(monkeypatch):
    def transposed(**inputs):
        return {name: tf.transpose(g) for name, g in closed_form(**inputs).items()}

    monkeypatch.setattr(question1, "closed_form", transposed)
    assert verdict_of(2) == FAILS


def test_printed_formulas_that_were_right_would_hold_and_be_a_surprise(monkeypatch):
    def right(x, A, B, one, bracket):
        return closed_form(x, A, B)

    monkeypatch.setattr("kerashw.backprop.homework_graph.printed_form", right)
    assert verdict_of(2) == HOLDS
    assert HOLDS not in CLAIMS[2].expected


def test_a_dual_that_is_not_the_transpose_does_not_hold(monkeypatch):
    monkeypatch.setattr(primitives, "dual_times", primitives.times)
    assert verdict_of(3) == FAILS


def test_factors_of_another_function_do_not_hold(monkeypatch):
    right = question2.expand
    monkeypatch.setattr(question2, "expand", lambda W: (*right(W)[:2], 2 * W))
    assert verdict_of(4) == FAILS


def test_a_product_that_forgets_a_factor_does_not_hold(lab, monkeypatch):
    monkeypatch.setattr(question2, "collapse", lambda A, B, C: A @ C)
    assert verdict_of(5, lab) == FAILS


def test_a_served_model_that_is_another_one_does_not_hold(lab, monkeypatch):
    right = FactoredDense.collapse
    monkeypatch.setattr(FactoredDense, "collapse", lambda layer: [1.01 * right(layer)[0]])
    assert verdict_of(5, lab) == FAILS


@pytest.mark.parametrize(
    "change", [{"num_classes": 11}, {"input_shape": (29, 28, 1)}, {"dropout": 0.3}], ids=str
)
def test_another_model_does_not_hold(change, monkeypatch):
    right = question4.MODELS["mlp"]
    monkeypatch.setitem(question4.MODELS, "mlp", lambda: right(**change))
    assert verdict_of(9) == FAILS


class Measured:
    """A lab where the test accuracies in percent are known: by model, by seed, by epoch."""

    def __init__(self, **percent):
        self.percent = percent
        self.seeds = range(len(next(iter(percent.values()))))
        self.trained = {}
        self.data = type("Data", (), {"test_labels": np.arange(10)})

    def histories(self, model):
        return [{"test_accuracy": [x / 100 for x in by_epoch]} for by_epoch in self.percent[model]]


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
def test_question_4_is_judged_by_the_accuracies(number, percent, verdict):
    assert verdict_of(number, Measured(**percent)) == verdict


def test_a_ratio_of_seeds_is_told():
    percent = {"convnet": [[98.1], [98.4]], "softmax": [[92], [92]], "mlp": [[98.2], [98.2]]}
    evidence = CLAIMS[11].test(Measured(**percent))
    assert "above both in 1 of 2" in evidence.measured
    assert "98.25 ± 0.21 (98.10 to 98.40) %" in evidence.measured
    assert evidence.numbers["seeds_above_mlp"] == 1


# What the claims are tested with.


def test_a_model_is_trained_once_a_seed_whichever_claims_ask_for_it(data):
    trainings = []

    class Watching(models.Observer):
        def training(self, model, history):
            trainings.append((model.name, history["seed"]))
            return []

    lab = Lab(seeds=2, observer=Watching(), **SMALL)
    for number in (10, 11, 12, 13):
        CLAIMS[number].test(lab)
    assert sorted(trainings) == [(name, seed) for name in sorted(lab.trained) for seed in (0, 1)]
    assert len(lab.trained) == 3
    assert [len(h["test_accuracy"]) for h in lab.histories("convnet")] == [1, 1]
    assert [len(h["test_accuracy"]) for h in lab.histories("mlp")] == [10, 10]


def test_the_training_is_that_of_the_train_command(lab, tmp_path):
    settings = Settings(models=("softmax",), seed=1, **SMALL)
    (result,) = models.run(settings, tmp_path / "run")
    history = lab.histories("softmax")[1]
    for column in ("train_loss", "test_loss", "test_accuracy"):
        ours = [epoch[column] for epoch in result.history["epochs"]]
        np.testing.assert_allclose(history[column], ours, rtol=0, atol=5e-3)


@pytest.mark.parametrize("seeds", [0, -1, 1.0, None])
def test_a_wrong_number_of_seeds_is_refused(seeds):
    with pytest.raises(InputError, match="seeds must be a whole number of at least 1"):
        Lab(seeds)

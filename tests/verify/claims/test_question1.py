import pytest
import tensorflow as tf

from kerashw.backprop import closed_form, primitives
from kerashw.verify.claims import CLAIMS, question1
from tests.verify.verdicts import CORRECTED, FAILS, HOLDS, verdict_of


def test_the_verdicts_are_as_expected(verdicts):
    assert [verdicts[number] for number in (1, 2, 3)] == [HOLDS, CORRECTED, HOLDS]


@pytest.fixture
def few_cases(monkeypatch):
    """A mistake is found in fewer cases than a claim tests."""
    monkeypatch.setattr(question1, "SIZES", (1, 2))
    monkeypatch.setattr(question1, "SEEDS", range(1))


def test_a_wrong_local_derivative_does_not_hold(few_cases, monkeypatch):
    # The formula calls σ with this function, TensorFlow's gradient does not.
    monkeypatch.setattr(tf, "exp", lambda y: 1 + y)
    assert verdict_of(1) == FAILS


def test_nan_does_not_hold(monkeypatch):
    errors = {"∂L/∂w = 2w": 0.0, "∂v/∂A = 0": float("nan")}
    monkeypatch.setattr(question1, "local_derivative_errors", lambda K, seed: errors)
    assert verdict_of(1) == FAILS


def test_a_correction_that_is_wrong_too_does_not_hold(few_cases, monkeypatch):
    def transposed(**inputs):
        return {name: tf.transpose(g) for name, g in closed_form(**inputs).items()}

    monkeypatch.setattr(question1, "closed_form", transposed)
    assert verdict_of(2) == FAILS


def test_printed_formulas_that_are_right_hold_and_are_not_expected(few_cases, monkeypatch):
    def right(x, A, B, one, bracket):
        return closed_form(x, A, B)

    monkeypatch.setattr("kerashw.backprop.homework_graph.printed_form", right)
    assert verdict_of(2) == HOLDS
    assert HOLDS not in CLAIMS[2].expected


def test_a_dual_that_is_not_the_transpose_does_not_hold(few_cases, monkeypatch):
    monkeypatch.setattr(primitives, "transposed_matvec", primitives.matvec)
    assert verdict_of(3) == FAILS

import pytest
import tensorflow as tf

from kerashw.backprop import homework_inputs, homework_network, relative_error
from kerashw.benchmark.topics.backprop import compare_gradients, gradient_functions


@pytest.mark.parametrize("batch", [None, 3])
def test_both_functions_return_the_same_gradients(batch):
    inputs = {n: tf.constant(value) for n, value in homework_inputs(K=8, batch=batch).items()}
    dual, tape = gradient_functions(homework_network(), ["A", "B"])
    for got, expected in zip(dual(**inputs), tape(**inputs), strict=True):
        assert relative_error(got, expected) < 1e-12


def test_every_round_is_timed():
    for comparison in compare_gradients(K=8, rounds=3):
        assert len(comparison.ours) == len(comparison.theirs) == 3
        assert comparison.ratio > 0

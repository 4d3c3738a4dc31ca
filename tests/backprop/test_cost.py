"""What the cost compares is the same gradient; the times themselves are the benchmark's."""

import pytest
import tensorflow as tf

from kerashw.backprop import (
    gradient_cost,
    gradient_functions,
    homework_inputs,
    homework_network,
    relative_error,
)


@pytest.mark.parametrize("batch", [None, 3])
def test_both_functions_give_the_same_gradients(batch):
    inputs = {n: tf.constant(value) for n, value in homework_inputs(K=8, batch=batch).items()}
    dual, tape = gradient_functions(homework_network(), ["A", "B"])
    for got, expected in zip(dual(**inputs), tape(**inputs), strict=True):
        assert relative_error(got, expected) < 1e-12


def test_the_cost_has_seconds_and_a_ratio():
    cost = gradient_cost(K=8, rounds=3, wrt=("A",))
    assert min(cost) > 0

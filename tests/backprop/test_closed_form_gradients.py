"""The closed form is correct for every K, the printed form only for K = 1."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.backprop import (
    closed_form,
    homework_inputs,
    homework_network,
    printed_form,
    relative_error,
)
from kerashw.errors import InputError


@settings(max_examples=40, derandomize=True)
@given(st.integers(1, 40), st.sampled_from([None, 1, 6]), st.integers(0, 2**32 - 1))
def test_the_closed_form_is_equal_to_the_dual_network(K, batch, seed):
    graph, inputs = homework_network(), homework_inputs(K, batch, seed)
    values = graph.forward(**inputs)
    expected = closed_form(**inputs)
    assert set(expected) == {"x", "A", "B"}
    for wrt in expected:
        gradient = graph.derivative(values, wrt=wrt).dual()(1.0)
        assert relative_error(gradient, expected[wrt]) < 1e-12


@pytest.mark.parametrize("batch", [None, 3])
def test_the_closed_form_is_equal_to_gradient_tape(batch):
    inputs = {n: tf.constant(value) for n, value in homework_inputs(K=6, batch=batch).items()}
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        A, rows = inputs["A"], tf.reshape(inputs["x"], [-1, 6])
        s = tf.sigmoid(rows @ tf.transpose(A)) * (rows @ tf.transpose(inputs["B"]))
        L = tf.reduce_sum((s @ tf.transpose(A) @ tf.transpose(A)) ** 2)
    expected = tape.gradient(L, inputs)
    for wrt, gradient in closed_form(**inputs).items():
        assert relative_error(gradient, expected[wrt]) < 1e-12


@settings(max_examples=40, derandomize=True)
@given(*3 * [st.floats(-2, 2).filter(lambda number: abs(number) > 1e-3)])
def test_the_printed_form_is_correct_for_one_dimension(x, a, b):
    numbers = np.array([x]), np.array([[a]]), np.array([[b]])
    correct, printed = closed_form(*numbers), printed_form(*numbers)
    for wrt in ("A", "B"):
        assert relative_error(printed[wrt], correct[wrt]) < 1e-12


@pytest.mark.parametrize("K", [2, 3, 10])
def test_the_printed_form_is_wrong_for_more_dimensions(K):
    inputs = homework_inputs(K)
    correct, printed = closed_form(**inputs), printed_form(**inputs)
    correct_shape = printed_form(**inputs, one=np.ones((1, K)))
    for wrt in ("A", "B"):
        assert printed[wrt].shape == (K, 1)
        assert correct_shape[wrt].shape == (K, K)
        assert relative_error(correct_shape[wrt], correct[wrt]) > 0.1


def test_dropping_the_last_bracket_is_wrong_even_for_one_dimension():
    numbers = [2.0], [[0.5]], [[3.0]]
    error = relative_error(
        printed_form(*numbers, bracket="dropped")["A"], closed_form(*numbers)["A"]
    )
    assert error > 0.1


def test_an_unknown_bracket_is_an_input_error():
    with pytest.raises(InputError, match=r"mended or dropped. Received: 'lost'"):
        printed_form([2.0], [[0.5]], [[3.0]], bracket="lost")

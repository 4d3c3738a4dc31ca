"""The two hypothesis spaces are equal, and gradient descent differs in them."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerashw.errors import InputError
from kerashw.hypotheses import collapse, expand, h1, h2, induced_step
from kerashw.layers import FactoredDense

law = settings(max_examples=60)

SIZES = st.integers(1, 8)  # pairs include K > m, K < m, K = m and K = 1


def matrices(rows, columns, bound=1.0, width=64):
    elements = st.floats(-bound, bound, width=width, allow_subnormal=False)
    return arrays(f"float{width}", (rows, columns), elements=elements)


@st.composite
def any_matrix(draw):
    """Draw W (K, m) of any rank, including zero."""
    K, m = draw(SIZES), draw(SIZES)
    rank = draw(st.integers(0, min(K, m)))
    return draw(matrices(K, rank)) @ draw(matrices(rank, m)) if rank else np.zeros((K, m))


@st.composite
def any_factors(draw):
    K, m = draw(SIZES), draw(SIZES)
    return draw(matrices(K, K)), draw(matrices(K, K)), draw(matrices(K, m))


def inputs_for(C, seed, size=16):
    return np.random.default_rng(seed).uniform(-1, 1, size=(size, C.shape[1]))


@law
@given(any_matrix(), st.integers(0, 99))
def test_every_member_of_h1_is_in_h2(W, seed):
    x = inputs_for(W, seed)
    np.testing.assert_allclose(h2(*expand(W), x), h1(W, x), rtol=0, atol=1e-12)


@law
@given(any_factors(), st.integers(0, 99))
def test_every_member_of_h2_is_in_h1(factors, seed):
    x = inputs_for(factors[2], seed)
    np.testing.assert_allclose(h1(collapse(*factors), x), h2(*factors, x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("width", [32, 64])
@law
@given(data=st.data())
def test_collapse_inverts_expand_exactly(width, data):
    W = data.draw(matrices(data.draw(SIZES), data.draw(SIZES), bound=2.0**100, width=width))
    again = collapse(*expand(W))
    assert again.dtype == W.dtype
    np.testing.assert_array_equal(again, W)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (1, 4), (4, 1), (1, 1), (4, 4)])
@pytest.mark.parametrize("rank", [0, 1, 99])
def test_both_maps_at_special_shapes_and_ranks(shape, rank):
    rng = np.random.default_rng(0)
    u, s, v = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    W = (u[:, :rank] * s[:rank]) @ v[:rank]
    x = rng.normal(size=(9, shape[1]))
    np.testing.assert_array_equal(collapse(*expand(W)), W)
    A, B = rng.normal(size=(2, shape[0], shape[0]))
    np.testing.assert_allclose(h1(collapse(A, B, W), x), h2(A, B, W, x), rtol=0, atol=1e-12)
    np.testing.assert_allclose(h2(*expand(W), x).sum(axis=-1), 1, rtol=1e-12)


@law
@given(any_factors(), st.integers(0, 99))
def test_different_factors_can_be_the_same_function(factors, seed):
    A, B, C = factors
    D = np.random.default_rng(seed).uniform(-1, 1, size=A.shape)
    np.testing.assert_allclose(collapse(A + D, B - D, C), collapse(A, B, C), rtol=0, atol=1e-13)


def test_expand_copies():
    W = np.ones((2, 3))
    expand(W)[2][:] = 0
    assert W.all()


@law
@given(any_factors(), st.integers(0, 99), st.floats(0, 1))
def test_the_induced_step_equals_one_step_on_the_factors(factors, seed, rate):
    A, B, C = factors
    G = np.random.default_rng(seed).uniform(-1, 1, size=C.shape)
    gradient_A, gradient_C = G @ C.T, (A + B).T @ G
    after = collapse(A - rate * gradient_A, B - rate * gradient_A, C - rate * gradient_C)
    expected = collapse(A, B, C) + induced_step(A, B, C, G, rate)
    np.testing.assert_allclose(after, expected, rtol=0, atol=1e-10)


def test_training_steps_in_the_two_spaces_differ_by_the_formula():
    """One step on the loss mean_n ⟨y_n, x_n⟩, whose gradient G in W is known in closed form.

    In H1 the step is -η G; in H2 it is -η (M Mᵀ G + 2 G Cᵀ C) + 2 η² G Wᵀ G.
    """
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 5)).astype("float32"), rng.normal(size=(8, 3)).astype("float32")
    W, G, rate = rng.normal(size=(3, 5)).astype("float32"), y.T @ x / len(x), 0.1

    def product(target, output):
        return keras.ops.sum(target * output, axis=-1)

    def train(layer, weights):
        model = keras.Sequential([keras.Input((5,)), layer])
        layer.set_weights(weights)
        model.compile(keras.optimizers.SGD(rate), product)
        model.fit(x, y, batch_size=len(x), verbose=0)
        return layer

    in_h1 = train(keras.layers.Dense(3, use_bias=False), [W.T]).get_weights()[0].T
    in_h2 = train(FactoredDense(3), expand(W)).collapse()[0].T
    np.testing.assert_allclose(in_h1, W - rate * G, atol=1e-5)
    np.testing.assert_allclose(in_h2, W + induced_step(*expand(W), G, rate), atol=1e-5)
    assert np.abs(in_h1 - in_h2).max() > 0.1


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(3,), (3, 3), (3, 4)], r"`A` must be a matrix \(K, K\)\. Received: shape \(3,\)$"),
        ([(3, 3), (2, 3, 3), (3, 4)], r"`B` must be .* Received: shape \(2, 3, 3\)$"),
        ([(3, 3), (3, 3), ()], r"`C` must be a matrix \(K, m\)\. Received: shape \(\)$"),
        ([(3, 4), (3, 4), (3, 4)], r"Received: A \(3, 4\), B \(3, 4\), C \(3, 4\)$"),
        ([(3, 3), (1, 3), (3, 4)], r"Received: A \(3, 3\), B \(1, 3\), C \(3, 4\)$"),
        ([(3, 3), (3, 3), (4, 3)], r"Received: A \(3, 3\), B \(3, 3\), C \(4, 3\)$"),
    ],
)
def test_factors_of_wrong_shapes_are_errors(shapes, message):
    factors = [np.ones(shape) for shape in shapes]
    with pytest.raises(InputError, match=message):
        collapse(*factors)
    with pytest.raises(InputError, match=message):
        h2(*factors, np.ones(4))


def test_other_wrong_shapes_are_errors():
    with pytest.raises(InputError, match=r"`W` must be a matrix \(K, m\)\. Received: shape \(3,\)"):
        expand(np.ones(3))
    with pytest.raises(InputError, match=r"with m = 4\. Received: shape \(2, 3\)$"):
        h1(np.ones((3, 4)), np.ones((2, 3)))
    with pytest.raises(InputError, match=r"Received: gradient \(4, 3\) with C \(3, 4\)$"):
        induced_step(*expand(np.ones((3, 4))), np.ones((4, 3)), 0.1)

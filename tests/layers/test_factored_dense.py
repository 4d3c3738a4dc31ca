"""The factors compute the homework's product, start as `Dense` does, and collapse exactly."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerashw.errors import InputError
from kerashw.layers import FactoredDense
from tests.conftest import import_peer, on_tensorflow, since_keras_3_14

FACTORS = ["A", "B", "C"]
REGULARIZERS = {
    "kernel_regularizer": keras.regularizers.L1L2(0.1, 0.2),
    "bias_regularizer": keras.regularizers.L2(0.3),
    "activity_regularizer": keras.regularizers.L2(0.4),
}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def randomized(layer, input_shape, seed=0):
    """Build the layer with random weights, because the initial B = 0 would hide errors."""
    layer.build(input_shape)
    layer.set_weights([normal(*w.shape, seed=seed + i) for i, w in enumerate(layer.weights)])
    return layer


def equal_dense(layer, input_shape, **arguments):
    dense = keras.layers.Dense(layer.units, use_bias=layer.use_bias, **arguments)
    dense.build(input_shape)
    dense.set_weights(layer.collapse())
    return dense


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor).astype("float64")


@pytest.mark.parametrize(
    ("arguments", "input_shape", "output_shape", "weights"),
    [
        ({"units": 3}, (4, 7), (4, 3), FACTORS),
        ({"units": 1}, (4, 2, 6, 5), (4, 2, 6, 1), FACTORS),
        (
            {
                "units": 7,
                "activation": "tanh",
                "kernel_initializer": "he_normal",
                "bias_initializer": "ones",
                "use_bias": True,
                "bias_constraint": "max_norm",
                **REGULARIZERS,
            },
            (4, 2),
            (4, 7),
            [*FACTORS, "bias"],
        ),
    ],
)
def test_it_is_a_complete_keras_layer(
    run_layer_test, arguments, input_shape, output_shape, weights
):
    run_layer_test(FactoredDense, arguments, input_shape, output_shape, weights)


def test_outputs_equal_the_product_of_the_homework():
    layer = randomized(FactoredDense(3, use_bias=True), (None, 5))
    A, B, C, b = layer.get_weights()
    x = normal(4, 5, seed=9)
    expected = [((A + B) @ C) @ column + b for column in x]
    np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("units", [1, 3, 8])
@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 4)])
@pytest.mark.parametrize("use_bias", [False, True])
def test_outputs_equal_those_of_dense_with_the_collapsed_weights(units, shape, use_bias):
    layer = randomized(FactoredDense(units, activation="tanh", use_bias=use_bias), shape)
    dense = equal_dense(layer, shape, activation="tanh")
    x = normal(*shape, seed=9)
    np.testing.assert_allclose(to_numpy(layer(x)), to_numpy(dense(x)), rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_large_opposite_factors_are_added_before_they_are_rounded(policy):
    """In half precision, 1000.25 - 1000 would be 0."""
    layer = FactoredDense(4, dtype=policy)
    layer.build((None, 6))
    C = normal(4, 6)
    layer.set_weights([1000.25 * np.eye(4), -1000 * np.eye(4), C])
    x = normal(5, 6, seed=9)
    np.testing.assert_allclose(to_numpy(layer(x)), 0.25 * x @ C.T, rtol=0.05, atol=0.05)


def test_collapsed_weights_have_the_variable_dtype():
    layer = randomized(FactoredDense(3, dtype="bfloat16"), (None, 5))
    (kernel,) = layer.collapse()
    assert kernel.dtype.name == "bfloat16"


@pytest.mark.parametrize("initializer", ["GlorotUniform", "HeNormal", "LecunUniform"])
def test_it_starts_as_the_same_function_as_dense(initializer):
    """With the same initializer and seed, so the scale and the fan-in are the same too."""
    draw = getattr(keras.initializers, initializer)
    layer = FactoredDense(10, kernel_initializer=draw(seed=7))
    dense = keras.layers.Dense(10, use_bias=False, kernel_initializer=draw(seed=7))
    layer.build((None, 784))
    dense.build((None, 784))
    np.testing.assert_array_equal(layer.collapse()[0], dense.get_weights()[0])


@pytest.mark.parametrize(("units", "features"), [(10, 784), (256, 16), (64, 64)])
def test_the_initial_scale_is_that_of_glorot(units, features):
    layer = FactoredDense(units)
    outputs = to_numpy(layer(normal(512, features)))
    assert outputs.std() == pytest.approx(np.sqrt(features * 2 / (units + features)), rel=0.15)


def test_training_keeps_the_difference_of_a_and_b():
    layer = FactoredDense(3)
    model = keras.Sequential([keras.Input((5,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(normal(32, 5), normal(32, 3, seed=1), batch_size=8, epochs=3, verbose=0)
    A, B, _ = layer.get_weights()
    assert np.abs(B).max() > 0.01
    np.testing.assert_allclose(A - B, np.eye(3), atol=1e-5)


@pytest.mark.parametrize(
    ("kernel_regularizer", "dtype", "rtol"),
    [
        pytest.param("l1", "float64", 1e-6, marks=[on_tensorflow, since_keras_3_14]),
        pytest.param("l2", "float64", 1e-6, marks=on_tensorflow),
        ("orthogonal_regularizer", "float32", 1e-5),
        ("l2", "mixed_bfloat16", 0.02),
    ],
)
def test_its_losses_equal_those_of_the_equal_dense(kernel_regularizer, dtype, rtol):
    regularizers = REGULARIZERS | {"kernel_regularizer": kernel_regularizer}
    layer = FactoredDense(3, use_bias=True, dtype=dtype, **regularizers)
    randomized(layer, (None, 5))
    dense = equal_dense(layer, (None, 5), dtype=dtype, **regularizers)
    x = normal(4, 5)
    for calls in range(3):  # a loss of weights is added once, that of outputs after each call
        losses, expected = (
            sorted(to_numpy(keras.ops.cast(loss, "float32")) for loss in one.losses)
            for one in (layer, dense)
        )
        assert len(losses) == 2 + min(calls, 1)
        np.testing.assert_allclose(losses, expected, rtol=rtol)
        layer(x), dense(x)
    layer.trainable = dense.trainable = False
    assert len(layer.losses) == len(dense.losses) == 1


def test_the_penalty_of_the_product_is_trained_through_the_factors():
    """The gradient of λ‖W‖² with respect to W is 2λW; see `induced_step` for the step on W."""
    layer = FactoredDense(3, kernel_regularizer=keras.regularizers.L2(0.5))
    A, B, C = randomized(layer, (None, 5)).get_weights()
    model = keras.Sequential([keras.Input((5,)), layer])
    model.compile(keras.optimizers.SGD(0.125), lambda y_true, y_pred: 0 * y_pred)
    model.fit(normal(2, 5), normal(2, 3), verbose=0)
    W, M = (A + B) @ C, A + B
    expected = [A - 0.125 * W @ C.T, B - 0.125 * W @ C.T, C - 0.125 * M.T @ W]
    for found, factor in zip(layer.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, factor, rtol=1e-5, atol=1e-5)


def test_the_bias_has_its_constraint_and_a_kernel_constraint_is_an_error():
    layer = FactoredDense(3, use_bias=True, bias_constraint="non_neg")
    layer.build((None, 5))
    assert isinstance(layer.bias.constraint, keras.constraints.NonNeg)
    with pytest.raises(ValueError, match=r"passed to FactoredDense: \{'kernel_constraint'"):
        FactoredDense(3, kernel_constraint="non_neg")


@pytest.mark.parametrize("units", [0, -3, 2.0, "3", None, True])
def test_invalid_units_are_errors(units):
    with pytest.raises(InputError, match=f"Received: units={units!r}$"):
        FactoredDense(units)


def test_inputs_of_a_wrong_shape_are_errors():
    with pytest.raises(InputError, match=r"Received: input_shape=\(None, None\)$"):
        FactoredDense(3).build((None, None))
    with pytest.raises(ValueError, match=r"received: \(5,\)"):
        FactoredDense(3)(normal(5))
    layer = FactoredDense(3)
    layer.build((None, 5))
    with pytest.raises(ValueError, match=r"to have value 5, but received .* shape \(2, 4\)"):
        layer(normal(2, 4))


def test_the_collapsed_weights_are_copies():
    layer = randomized(FactoredDense(3, use_bias=True), (None, 5))
    before = [np.array(weight) for weight in layer.get_weights()]
    for weight in layer.collapse():
        weight[:] = 0
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_collapse_of_an_unbuilt_layer_is_an_error():
    with pytest.raises(InputError, match=r"layer 'early', not built$"):
        FactoredDense(3, name="early").collapse()


def test_on_another_backend_tensorflow_is_not_imported():
    import_peer("jax")
    script = "import kerashw.hypotheses, kerashw.layers, sys; print('tensorflow' in sys.modules)"
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"

"""Units are dropped independently, at the rate, and as reproducibly as in Keras."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.layers import Dropout
from tests.conftest import ON_TENSORFLOW, on_tensorflow, since_keras_3_14

SIZE = 200_000


def ones(*shape):
    return np.ones(shape, "float32")


def dropped(inputs, rate, seed=0, **arguments):
    outputs = Dropout(rate, seed=seed, **arguments)(inputs, training=True)
    return keras.ops.convert_to_numpy(outputs)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_outputs_have_the_compute_dtype(policy):
    layer = Dropout(0.25, dtype=policy)
    outputs = layer(ones(4, 7), training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == layer.compute_dtype
    kept = set(keras.ops.convert_to_numpy(outputs).astype("float32").ravel()) - {0.0}
    np.testing.assert_allclose(list(kept), 4 / 3, rtol=2**-8)


@settings(max_examples=30)
@given(st.floats(0.01, 0.99) | st.sampled_from([0.125, 0.25, 0.5]), st.integers(0, 2**31 - 1))
def test_units_are_dropped_at_the_rate_and_the_others_are_scaled_to_keep_the_mean(rate, seed):
    outputs = dropped(ones(SIZE), rate, seed)
    deviation = (rate * (1 - rate) / SIZE) ** 0.5  # of the share of dropped units
    assert abs((outputs == 0).mean() - rate) < 5 * deviation + 2**-17
    # On TensorFlow, the rate is rounded.
    exact = round(rate * 2**16) / 2**16 if ON_TENSORFLOW else rate
    np.testing.assert_allclose(outputs[outputs != 0], 1 / (1 - exact), rtol=1e-6)


@pytest.mark.parametrize("rate", [0.2, 0.25])
@pytest.mark.parametrize("distance", [1, 2, 3, 4, 7, 8])
def test_neighbours_are_dropped_independently(rate, distance):
    # Neighbours may share a random word.
    is_dropped = (dropped(ones(SIZE), rate) == 0).astype(float)
    both = (is_dropped[distance:] * is_dropped[:-distance]).mean()
    assert abs(both - rate**2) < 5 * rate / SIZE**0.5


def test_each_call_differs_and_a_seed_reproduces_all_calls():
    first, second = (Dropout(0.5, seed=seed) for seed in (3, 3))
    drawn = [keras.ops.convert_to_numpy(first(ones(99), training=True)) for _ in range(3)]
    again = [keras.ops.convert_to_numpy(second(ones(99), training=True)) for _ in range(3)]
    np.testing.assert_array_equal(drawn, again)
    assert len({one.tobytes() for one in drawn}) == 3
    assert dropped(ones(99), 0.5, seed=4).tobytes() != drawn[0].tobytes()


@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (2, 3, 5, 7), (0, 4)])
@pytest.mark.parametrize("rate", [0.2, 0.25])
def test_outputs_have_the_shape_of_the_inputs(shape, rate):
    assert dropped(ones(*shape), rate).shape == shape


@pytest.mark.parametrize(
    "rate",
    [
        *(0, 0.0, 1e-5, 0.009, 0.991),
        *(pytest.param(one, marks=since_keras_3_14) for one in (1, 1.0)),
    ],
)
def test_extreme_rates_use_keras_dropout(rate):
    theirs = keras.layers.Dropout(rate, seed=5)(ones(1000), training=True)
    np.testing.assert_array_equal(
        dropped(ones(1000), rate, seed=5), keras.ops.convert_to_numpy(theirs)
    )


def test_outside_training_nothing_is_dropped():
    inputs = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    np.testing.assert_array_equal(Dropout(0.5)(inputs, training=False), inputs)


def test_all_units_of_a_noise_shape_are_dropped_together():
    outputs = dropped(ones(50, 20), 0.5, noise_shape=(50, 1))
    assert set(outputs.std(axis=1)) == {0.0}
    assert 0 < (outputs == 0).mean() < 1


# In a separate process, which frees the memory when it ends.
MANY_UNITS = """
import tensorflow as tf
from kerashw.layers import Dropout

units = tf.ones((2**27 + 100,), tf.float16)
dropped = tf.math.count_nonzero(Dropout(0.2, seed=0)(units, training=True) == 0)
print(int(dropped) / len(units))
"""


@pytest.mark.slow
@on_tensorflow
def test_the_number_of_random_bits_may_exceed_an_int32():
    command = [sys.executable, "-c", MANY_UNITS]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert abs(float(ended.stdout) - 0.2) < 1e-3


@on_tensorflow
@pytest.mark.parametrize("compiled", [False, True, "xla"])
def test_the_gradient_is_dropped_with_the_output(compiled):
    import tensorflow as tf

    layer = Dropout(0.2, seed=0)

    def output_and_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
        return y, tape.gradient(y, x)

    if compiled:
        # The length is unknown while the function is traced.
        spec = [tf.TensorSpec((None,), tf.float32)]
        output_and_gradient = tf.function(
            output_and_gradient, input_signature=spec, jit_compile=compiled == "xla"
        )
    x = np.random.default_rng(0).normal(size=1001).astype("float32")
    x[:100] = np.inf
    y, gradient = output_and_gradient(tf.constant(x))
    kept = gradient.numpy() != 0
    np.testing.assert_allclose(y, np.where(kept, x * 1.25, 0), rtol=1e-4)
    np.testing.assert_allclose(gradient[kept], 1.25, rtol=1e-4)
    assert 100 < (gradient.numpy() == 0).sum() < 300


def test_a_loaded_model_contains_it(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Dropout(0.3, seed=2), keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").layers[0]
    assert type(layer) is Dropout
    assert (layer.rate, layer.seed) == (0.3, 2)


@on_tensorflow
@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_inputs_that_are_not_floats_are_the_same_errors_as_in_keras(dtype):
    inputs, errors = np.ones((4, 3), dtype), []
    for layer in (Dropout(0.5), keras.layers.Dropout(0.5)):
        assert layer(keras.Input((3,), dtype=dtype)).dtype == "float32"
        np.testing.assert_array_equal(layer(inputs, training=False), inputs)
        with pytest.raises(ValueError, match="must be a floating point tensor") as caught:
            layer(inputs, training=True)
        errors.append(str(caught.value))
    assert errors[0] == errors[1]


@on_tensorflow
@settings(max_examples=10)
@given(
    rate=st.sampled_from([0.2, 0.5]),
    value=st.sampled_from([np.inf, -np.inf, np.nan]),
    policy=st.sampled_from(["float32", "float64", "mixed_bfloat16", "mixed_float16"]),
)
def test_a_dropped_unit_is_0_even_if_it_is_not_finite(rate, value, policy):
    inputs = keras.ops.full((999,), value, dtype=policy.removeprefix("mixed_"))
    found = keras.ops.convert_to_numpy(Dropout(rate, seed=1, dtype=policy)(inputs, training=True))
    found = found.astype("float64")
    kept = found[found != 0]
    np.testing.assert_array_equal(kept, np.full(len(kept), value))
    assert 999 * (0.9 - rate) < len(kept) < 999 * (1.1 - rate)


def test_a_rate_outside_0_to_1_is_an_error():
    with pytest.raises(ValueError, match=r"between 0 and 1"):
        Dropout(1.5)

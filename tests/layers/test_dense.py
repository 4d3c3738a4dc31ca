import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.layers import Dense
from kerashw.layers.dense import LARGE

ON_TENSORFLOW = keras.config.backend() == "tensorflow"
on_tensorflow = pytest.mark.skipif(
    not ON_TENSORFLOW, reason="gradients as TensorFlow computes them"
)
SIDE = int(LARGE**0.5)


def twins(features, units, dtype="float32", **settings):
    """Return two layers of the same weights, ours and Keras' own."""
    pair = Dense(units, dtype=dtype, **settings), keras.layers.Dense(units, dtype=dtype, **settings)
    for layer in pair:
        layer.build((None, features))
    pair[1].set_weights(pair[0].get_weights())
    return pair


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [(5, 300), (2, 5, 300)])
@pytest.mark.parametrize("settings", [{}, {"activation": "relu"}, {"use_bias": False}])
def test_the_outputs_are_keras_own(shape, settings, training):
    ours, theirs = (
        keras.ops.convert_to_numpy(layer(normal(*shape), training=training))
        for layer in twins(300, 310, **settings)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@on_tensorflow
@settings(max_examples=15, deadline=None)
@given(
    batch=st.integers(1, 40),
    features=st.integers(1, 700),
    units=st.integers(1, 700),
    compiled=st.sampled_from([False, True, "xla"]),
)
def test_the_gradients_are_keras_own(batch, features, units, compiled):
    import tensorflow as tf

    def gradients(layer, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(layer(x, training=True)))
        return tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

    found = []
    for layer in twins(features, units, activation="tanh"):
        function = lambda x, layer=layer: gradients(layer, x)  # noqa: E731 (tf.function names it)
        if compiled:
            function = tf.function(function, jit_compile=compiled == "xla")
        found.append(function(tf.constant(normal(batch, features))))
    for ours, theirs in zip(*found, strict=True):
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, atol=2e-5 * scale)


@on_tensorflow
def test_it_can_be_differentiated_twice():
    import tensorflow as tf

    found = []
    for layer in twins(300, 310, activation="tanh"):
        x = tf.constant(normal(3, 300))
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(layer(x, training=True) ** 2)
            gradient = inner.gradient(loss, x)
        found.append(outer.gradient(gradient, x))
    np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-3)


def batched_products(layer, dtype="float32"):
    """Return how many products of batches there are in the graph of a layer's gradients."""
    import tensorflow as tf

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
        return tape.gradient(y, x)

    traced = gradients.get_concrete_function(tf.TensorSpec((4, SIDE), dtype))
    return sum(op.type.startswith("BatchMatMul") for op in traced.graph.get_operations())


@on_tensorflow
def test_it_is_used_where_it_is_faster(monkeypatch):
    import tensorflow as tf

    assert batched_products(Dense(SIDE + 1)) == 1
    assert batched_products(Dense(SIDE)) == 0
    assert batched_products(Dense(SIDE + 1, dtype="float64"), "float64") == 0
    assert batched_products(Dense(SIDE + 1, dtype="mixed_bfloat16"), "bfloat16") == 0
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    assert batched_products(Dense(SIDE + 1)) == 0


def test_a_saved_model_has_it_again(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Dense(3, activation="relu")])
    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").layers[0]
    assert type(layer) is Dense
    assert layer.get_config() == model.layers[0].get_config()

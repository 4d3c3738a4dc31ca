"""Products, gradients and quantization equal those of Keras' own dense layer."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.layers import Dense
from kerashw.layers.dense import LARGE_KERNEL
from tests.conftest import ON_TENSORFLOW, on_tensorflow

SIDE = int(LARGE_KERNEL**0.5)


@pytest.mark.parametrize(("features", "units"), [(4, 3), (600, 5), (300, 310)])
def test_it_is_a_complete_keras_layer(run_layer_test, features, units):
    shapes = (2, features), (2, units)
    run_layer_test(Dense, {"units": units}, *shapes, ["kernel", "bias"])


def layers_of_equal_weights(features, units, dtype="float32", **settings):
    """Return two layers of the same weights, ours and Keras' own."""
    pair = Dense(units, dtype=dtype, **settings), keras.layers.Dense(units, dtype=dtype, **settings)
    for layer in pair:
        layer.build((None, features))
    pair[1].set_weights(pair[0].get_weights())
    return pair


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def call_in_graph(layer, inputs, training=True):
    """Call a layer in a graph, on backends that have graphs."""
    if not ON_TENSORFLOW:
        return keras.ops.convert_to_numpy(layer(inputs, training=training))
    import tensorflow as tf

    return tf.function(layer)(inputs, training=training).numpy()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [(5, 600), (2, 5, 600)])
@pytest.mark.parametrize("units", [5, 310])
@pytest.mark.parametrize("settings", [{}, {"activation": "relu"}, {"use_bias": False}])
def test_outputs_equal_those_of_keras(shape, units, settings, training):
    inputs = normal(*shape)
    ours, theirs = (
        call_in_graph(layer, inputs, training)
        for layer in layers_of_equal_weights(600, units, **settings)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@on_tensorflow
@settings(max_examples=15)
@given(
    batch=st.integers(1, 40),
    features=st.integers(1, 700),
    units=st.integers(1, 12) | st.integers(1, 700),
    compiled=st.sampled_from([False, "graph", "xla"]),
)
def test_gradients_equal_those_of_keras(batch, features, units, compiled):
    import tensorflow as tf

    def gradients(layer, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(layer(x, training=True)))
        return tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

    found = []
    for layer in layers_of_equal_weights(features, units, activation="tanh"):
        function = functools.partial(gradients, layer)
        if compiled:
            function = tf.function(function, jit_compile=compiled == "xla")
        found.append(function(tf.constant(normal(batch, features))))
    for ours, theirs in zip(*found, strict=True):
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, atol=2e-5 * scale)


@on_tensorflow
@pytest.mark.parametrize("units", [5, 310])
def test_it_can_be_differentiated_twice(units):
    import tensorflow as tf

    found = []
    for layer in layers_of_equal_weights(600, units, activation="tanh"):

        @tf.function
        def second(x, layer=layer):
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    loss = tf.reduce_sum(layer(x, training=True) ** 2)
                gradient = inner.gradient(loss, x)
            return outer.gradient(gradient, x)

        found.append(second(tf.constant(normal(3, 600))))
    np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-3)


def faster_products(units, features, dtype="float32", training=True):
    """Return how many of each of the two faster products a graph of the gradients contains."""
    import tensorflow as tf

    layer = Dense(units, dtype="mixed_bfloat16" if dtype == "bfloat16" else dtype)

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
        return tape.gradient(y, [x, layer.kernel.value])

    graph = gradients.get_concrete_function(tf.TensorSpec((4, features), dtype)).graph
    operations = [op.type for op in graph.get_operations()]
    return sum(name.startswith("BatchMatMul") for name in operations), operations.count(
        "MatMul"
    ) - 3


@on_tensorflow
def test_outputs_for_sparse_inputs_equal_those_of_keras():
    import tensorflow as tf

    dense = normal(4, 600) * (normal(4, 600, seed=1) > 1)
    for units in (5, 310):
        ours, theirs = layers_of_equal_weights(600, units)
        found = tf.function(ours)(tf.sparse.from_dense(dense), training=True)
        np.testing.assert_allclose(found, theirs(dense), rtol=1e-4, atol=1e-4)


@on_tensorflow
def test_faster_products_are_used_only_where_they_are_faster(monkeypatch):
    import tensorflow as tf

    gpu = tf.config.LogicalDevice("/device:GPU:0", "GPU")
    neither, many, few = (0, 0), (1, -1), (0, 3)
    assert faster_products(SIDE + 1, SIDE) == many
    assert faster_products(SIDE, SIDE) == neither
    assert faster_products(10, 512) == few
    assert faster_products(11, 512) == faster_products(10, 511) == neither
    for size in ((SIDE + 1, SIDE), (10, 512)):
        assert faster_products(*size, "float64") == neither
        assert faster_products(*size, "bfloat16") == neither
        assert faster_products(*size, training=False) == neither
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda: [gpu])
    assert faster_products(SIDE + 1, SIDE) == faster_products(10, 512) == neither


@on_tensorflow
def test_in_eager_mode_it_uses_keras_product(monkeypatch):
    used = []
    monkeypatch.setattr(Dense, "faster_product", lambda self, inputs: used.append)
    Dense(5)(normal(2, 600), training=True)
    assert used == []


class Doubled(Dense):
    """A layer of a user, which Keras' quantized product would not double."""

    def call(self, inputs, training=None):
        return 2 * super().call(inputs, training=training)


def test_subclasses_are_quantized_only_without_the_type_check_of_keras():
    layer = Doubled(3)
    layer.build((None, 4))
    with pytest.raises(NotImplementedError, match=r"Doubled does not have .*`quantize`"):
        layer.quantize("int8")
    assert layer.quantization_mode is None
    layer.quantize("int8", type_check=False)
    assert layer.quantization_mode == "int8"


def test_it_can_be_quantized():
    model = keras.Sequential([keras.Input((600,)), Dense(310), Dense(5)])
    inputs = normal(4, 600)
    before = keras.ops.convert_to_numpy(model(inputs))
    for layer in model.layers:
        layer.quantize("int8")
        assert layer.quantization_mode == "int8"
    after = keras.ops.convert_to_numpy(model(inputs))
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.99

"""Outputs and gradients equal those of Keras' own convolution; the bias stays out of oneDNN's."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.layers import Conv2D
from tests.conftest import ON_TENSORFLOW, on_tensorflow


def test_it_is_a_complete_keras_layer(run_layer_test):
    shapes = (2, 8, 9, 3), (2, 6, 7, 4)
    run_layer_test(Conv2D, {"filters": 4, "kernel_size": 3}, *shapes, ["kernel", "bias"])


def layers_of_equal_weights(channels, **settings):
    """Return two layers of the same weights, ours and Keras' own."""
    pair = Conv2D(**settings), keras.layers.Conv2D(**settings)
    for layer in pair:
        layer.build((None, 11, 12, channels))
    # A bias of zeros would hide a bias that is not added.
    kernel, *bias = pair[0].get_weights()
    for layer in pair:
        layer.set_weights([kernel, *(np.linspace(-1, 1, len(each)) for each in bias)])
    return pair


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


SETTINGS = st.fixed_dictionaries(
    {
        "filters": st.sampled_from([2, 4, 6]),
        "kernel_size": st.sampled_from([1, 3, (2, 3)]),
        "padding": st.sampled_from(["valid", "same"]),
        "activation": st.sampled_from([None, "relu", "tanh"]),
        "use_bias": st.booleans(),
    },
    optional={"strides": st.just(2), "groups": st.just(2), "dilation_rate": st.just(2)},
).filter(lambda chosen: not {"strides", "dilation_rate"} <= set(chosen))


@on_tensorflow
@settings(max_examples=15)
@given(
    arguments=SETTINGS, batch=st.integers(1, 5), compiled=st.sampled_from([False, "graph", "xla"])
)
def test_outputs_and_gradients_equal_those_of_keras(arguments, batch, compiled):
    import tensorflow as tf

    found = []
    for layer in layers_of_equal_weights(4, **arguments):

        def outputs_and_gradients(x, layer=layer):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x, training=True)
                loss = tf.reduce_sum(tf.sin(y))
            return y, *tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

        function = outputs_and_gradients
        if compiled:
            function = tf.function(function, jit_compile=compiled == "xla")
        found.append(function(tf.constant(normal(batch, 11, 12, 4))))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5 * np.abs(theirs).max())


@pytest.mark.skipif(ON_TENSORFLOW, reason="a law of the other backends")
def test_on_other_backends_it_is_keras_layer():
    ours, theirs = layers_of_equal_weights(3, filters=4, kernel_size=3)
    x = normal(2, 8, 9, 3)
    np.testing.assert_array_equal(ours(x, training=True), theirs(x, training=True))


def gradient_operations(training=True, dtype="float32", **settings):
    """Return the types of the operations in a graph of the gradients."""
    import tensorflow as tf

    layer = Conv2D(4, 3, dtype=dtype, **settings)

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            y = layer(x, training=training)
        return tape.gradient(y, [variable.value for variable in layer.trainable_variables])

    graph = gradients.get_concrete_function(tf.TensorSpec((2, 8, 9, 3), "float32")).graph
    return [operation.type for operation in graph.get_operations()]


@on_tensorflow
def test_the_gradient_of_the_bias_is_a_product_only_where_it_is_faster(monkeypatch):
    import tensorflow as tf

    faster = gradient_operations()
    assert "MatMul" in faster and "BiasAddGrad" not in faster
    for arguments in ({"training": False}, {"dtype": "mixed_bfloat16"}, {"dtype": "float64"}):
        own = gradient_operations(**arguments)
        assert "MatMul" not in own and "BiasAddGrad" in own
    assert "MatMul" not in gradient_operations(use_bias=False)
    gpu = tf.config.LogicalDevice("/device:GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda: [gpu])
    assert "MatMul" not in gradient_operations()


@on_tensorflow
def test_the_activation_can_be_taken_away():
    """As people do to get logits."""
    import tensorflow as tf

    for layer in layers_of_equal_weights(3, filters=4, kernel_size=3, activation="relu"):
        layer.activation = None
        outputs = tf.function(layer)(np.ones((1, 4, 4, 3), "float32"), training=True)
        expected = keras.ops.sum(layer.kernel, axis=(0, 1, 2)) + layer.bias
        np.testing.assert_allclose(outputs[0, 0, 0], expected, rtol=1e-5, atol=1e-6)


@on_tensorflow
def test_it_can_be_differentiated_twice():
    import tensorflow as tf

    found = []
    for layer in layers_of_equal_weights(3, filters=4, kernel_size=3, activation="tanh"):

        @tf.function
        def second(x, layer=layer):
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    loss = tf.reduce_sum(layer(x, training=True) ** 2)
                gradient = inner.gradient(loss, layer.bias.value)
            return outer.gradient(gradient, x)

        found.append(second(tf.constant(normal(2, 8, 9, 3))))
    np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-3)

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from kerashw.benchmark.hardware_limits.epoch_arithmetic import LAYERS, epoch
from kerashw.benchmark.topics.machine import floors
from kerashw.layers import Dense
from kerashw.models import MODELS

PRODUCTS = ("MatMul", "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")


def counted_by_tensorflow(function, kinds=PRODUCTS):
    """Return the operations of the matrix products in the graph of a function of one image."""
    graph = function.get_concrete_function(tf.TensorSpec((1, 28, 28, 1))).graph
    flops = [
        ops.get_stats_for_node_def(graph, operation.node_def, "flops").value
        for operation in graph.get_operations()
        if operation.type in kinds
    ]
    return sum(flops)


@pytest.mark.parametrize("name", LAYERS)
def test_the_test_s_operations_are_those_that_tensorflow_counts(name):
    model = MODELS[name]()
    forward = tf.function(lambda x: model(x, training=False), autograph=False)
    assert epoch(name, 0, 7).operations == 7 * counted_by_tensorflow(forward)


@pytest.mark.parametrize("name", ["softmax", "mlp"])
def test_the_training_s_operations_are_those_that_tensorflow_counts(name, monkeypatch):
    # The least that there is to do: where `Dense` does a little more, it is to be faster.
    monkeypatch.setattr(Dense, "faster_product", lambda layer, inputs: None)
    model = MODELS[name]()
    variables = [variable.value for variable in model.trainable_variables]

    @tf.function(autograph=False)
    def gradients(x):
        with tf.GradientTape() as tape:
            y = model(x, training=True)
        return tape.gradient(y, variables)

    assert epoch(name, 7, 0).operations == 7 * counted_by_tensorflow(gradients)


def test_a_convolution_s_gradients_take_as_many_products_as_itself():
    # TensorFlow's own count of these is too high. With ones for all numbers, each product is one,
    # and a sum counts them.
    products = []
    for size, channels, filters in ((28, 1, 32), (26, 32, 64)):
        x = tf.ones((1, size, size, channels), tf.float64)
        kernel = tf.ones((3, 3, channels, filters), tf.float64)
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = tf.reduce_sum(tf.nn.conv2d(x, kernel, 1, "VALID"))
        counts = [y, *(tf.reduce_sum(gradient) for gradient in tape.gradient(y, [x, kernel]))]
        products.append([int(count) for count in counts])
    assert products == [[layer[0]] * 3 for layer in LAYERS["convnet"][:2]]
    forward, first = epoch("convnet", 0, 1).operations, 2 * LAYERS["convnet"][0][0]
    assert epoch("convnet", 1, 0).operations == 3 * forward - first


@pytest.mark.parametrize("name", LAYERS)
def test_the_weights_and_outputs_are_the_model_s(name):
    model = MODELS[name]()
    assert sum(weights for _, weights, _ in LAYERS[name]) == model.count_params()
    kept = ("Dense", "Conv2D", "MaxPooling2D")
    outputs = sum(
        int(np.prod(layer.output.shape[1:]))
        for layer in model.layers
        if type(layer).__name__ in kept
    )
    assert sum(outputs for _, _, outputs in LAYERS[name]) == outputs


def test_twice_the_rate_is_half_the_floor():
    slow = floors({"float32": 1e9, "bfloat16": 1e9, "memory": 1e9}).rows
    fast = floors({"float32": 2e9, "bfloat16": 4e9, "memory": 1e9}).rows
    for one, other in zip(slow, fast, strict=True):
        assert one[2] == pytest.approx(2 * other[2])
        assert one[3] == pytest.approx(4 * other[3])
        assert one[5] == other[5]

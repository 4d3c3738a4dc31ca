import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from kerashw.benchmark.hardware_limits.epoch_arithmetic import LAYERS, epoch_cost
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
def test_the_operations_of_the_test_are_those_counted_by_tensorflow(name):
    model = MODELS[name]()
    forward = tf.function(lambda x: model(x, training=False), autograph=False)
    assert epoch_cost(name, 0, 7).operations == 7 * counted_by_tensorflow(forward)


@pytest.mark.parametrize("name", ["softmax", "mlp"])
def test_the_operations_of_training_are_those_counted_by_tensorflow(name, monkeypatch):
    # Without the faster products of `Dense`, some of which take a few more operations.
    monkeypatch.setattr(Dense, "faster_product", lambda layer, inputs: None)
    model = MODELS[name]()
    variables = [variable.value for variable in model.trainable_variables]

    @tf.function(autograph=False)
    def gradients(x):
        with tf.GradientTape() as tape:
            y = model(x, training=True)
        return tape.gradient(y, variables)

    assert epoch_cost(name, 7, 0).operations == 7 * counted_by_tensorflow(gradients)


def test_the_gradients_of_a_convolution_take_as_many_multiplications_as_itself():
    # TensorFlow's own count of these is too high. With operands of ones, each product is one, and
    # their sum is their number.
    multiplications = []
    for size, channels, filters in ((28, 1, 32), (26, 32, 64)):
        x = tf.ones((1, size, size, channels), tf.float64)
        kernel = tf.ones((3, 3, channels, filters), tf.float64)
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = tf.reduce_sum(tf.nn.conv2d(x, kernel, 1, "VALID"))
        counts = [y, *(tf.reduce_sum(gradient) for gradient in tape.gradient(y, [x, kernel]))]
        multiplications.append([int(count) for count in counts])
    assert multiplications == [[layer[0]] * 3 for layer in LAYERS["convnet"][:2]]
    forward, first = epoch_cost("convnet", 0, 1).operations, 2 * LAYERS["convnet"][0][0]
    assert epoch_cost("convnet", 1, 0).operations == 3 * forward - first


@pytest.mark.parametrize("name", LAYERS)
def test_the_weights_and_outputs_are_those_of_the_model(name):
    model = MODELS[name]()
    assert sum(weights for _, weights, _ in LAYERS[name]) == model.count_params()
    types = ("Dense", "Conv2D", "MaxPooling2D")
    outputs = sum(
        int(np.prod(layer.output.shape[1:]))
        for layer in model.layers
        if type(layer).__name__ in types
    )
    assert sum(outputs for _, _, outputs in LAYERS[name]) == outputs

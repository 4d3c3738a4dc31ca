"""Gradients of softmax regression and of the MLP on MNIST are equal to those of Keras."""

import gzip
from importlib import resources

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw import models
from kerashw.backprop import (
    dense_network,
    mlp_network,
    relative_error,
    softmax_regression_network,
)
from kerashw.errors import InputError


def digits(count, dtype):
    """Return the first test images of MNIST, (count, 28, 28, 1) in [0, 1], and their labels."""
    archives = resources.files("kerashw.datasets") / "archives"
    images, labels = (
        np.frombuffer(gzip.decompress((archives / f"t10k-{name}.gz").read_bytes()), np.uint8)
        for name in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )
    images = images[16:].reshape(-1, 28, 28, 1)[:count]
    return images.astype(dtype) / 255, labels[8:][:count].astype("int64")


def dense_model(hidden, dtype):
    """Return a model of Question 4 without dropout, in any dtype."""
    keras.utils.set_random_seed(0)
    x = image = keras.Input((28, 28, 1), dtype=dtype)
    x = keras.layers.Flatten(dtype=dtype)(x)
    for _ in range(hidden):
        x = keras.layers.Dense(512, activation="relu", dtype=dtype)(x)
    return keras.Model(image, keras.layers.Dense(10, activation="softmax", dtype=dtype)(x))


def keras_gradients(model, images, labels):
    """Return the mean cross-entropy and its gradients with respect to all weights."""
    weights = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        probabilities = model(images, training=False)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities))
    return loss, tape.gradient(loss, weights)


def network_inputs(graph, model, images, labels):
    weights = [variable.numpy() for variable in model.trainable_variables]
    parameters = [name for name in graph.inputs if name not in ("x", "labels")]
    # The shape of a Keras kernel is (inputs, units).
    arrays = dict(zip(parameters, (weight.T for weight in weights), strict=True))
    return {"x": images.reshape(len(images), -1), "labels": labels, **arrays}


def assert_equal_gradients(graph, model, dtype, tolerance):
    images, labels = digits(64, dtype)
    loss, expected = keras_gradients(model, images, labels)
    values = graph.forward(**network_inputs(graph, model, images, labels))
    assert relative_error(values["L"] / 64, loss) < tolerance
    parameters = [name for name in graph.inputs if name not in ("x", "labels")]
    for name, keras_gradient in zip(parameters, expected, strict=True):
        # The loss of Keras is the mean, so the dual network is applied to 1/N.
        gradient = graph.derivative(values, wrt=name).dual()(1 / 64)
        assert relative_error(gradient, tf.transpose(keras_gradient)) < tolerance, name


@pytest.mark.parametrize(
    ("graph", "hidden"),
    [(softmax_regression_network(), 0), (mlp_network(), 2)],
    ids=["softmax", "mlp"],
)
def test_gradients_are_equal_to_those_of_keras_in_float64(graph, hidden):
    assert_equal_gradients(graph, dense_model(hidden, "float64"), "float64", 1e-12)


@pytest.mark.parametrize(
    ("graph", "build"),
    [(softmax_regression_network(), models.softmax_regression), (mlp_network(), models.mlp)],
    ids=["softmax", "mlp"],
)
def test_gradients_are_equal_to_those_of_kerashw_models(graph, build):
    keras.utils.set_random_seed(0)
    assert_equal_gradients(graph, build(), "float32", 1e-5)


def test_a_single_input_and_a_batch_of_one_have_equal_gradients():
    graph = dense_network(1)
    random = np.random.default_rng(0)
    inputs = {"W1": random.normal(size=(3, 4)), "b1": random.normal(size=3)}
    x, label = random.normal(size=4), 2
    single = graph.forward(x=x, labels=label, **inputs)
    batch = graph.forward(x=x[np.newaxis], labels=[label], **inputs)
    for wrt in ("W1", "b1"):
        gradients = [graph.derivative(values, wrt=wrt).dual()(1.0) for values in (single, batch)]
        assert relative_error(*gradients) < 1e-14


@pytest.mark.parametrize("layers", [0, -1, 1.5, "2"])
def test_a_wrong_number_of_layers_is_an_input_error(layers):
    with pytest.raises(InputError, match=r"layers must be a positive integer. Received"):
        dense_network(layers)
    with pytest.raises(InputError, match=r"hidden must be a natural number. Received"):
        mlp_network(hidden=-1)

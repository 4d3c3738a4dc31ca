"""Models of a user, for the tests: good ones, and some with a mistake each."""

import sys

import keras
import tensorflow as tf
from keras import layers


def build(input_shape, num_classes):
    """Sequential, not compiled."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(4, 3, strides=3),
            layers.BatchNormalization(synchronized=True),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(num_classes, activation="softmax"),
        ]
    )


class Twice(layers.Layer):
    """A layer that Keras can save, but not load: it is not registered."""

    def call(self, x):
        return 2 * x


class Subclass(keras.Model):
    """A model that Keras can neither save nor load: it has no configuration."""

    def __init__(self, num_classes):
        super().__init__()
        self.flatten, self.twice, self.dropout = layers.Flatten(), Twice(), layers.Dropout(0.2)
        self.probabilities = layers.Dense(num_classes, activation="softmax")

    def call(self, x, training=None):
        x = self.dropout(self.twice(self.flatten(x)), training=training)
        return self.probabilities(x)


def subclass(input_shape, num_classes):
    """Subclass, compiled."""
    model = Subclass(num_classes)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def nothing(input_shape, num_classes):
    pass


def fails(input_shape, num_classes):
    return num_classes / 0


def too_few(input_shape, num_classes):
    return build(input_shape, num_classes - 1)


def logits(input_shape, num_classes):
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), layers.Dense(num_classes)])


def one_hot(input_shape, num_classes):
    model = build(input_shape, num_classes)
    model.compile("sgd", "categorical_crossentropy")
    return model


def mlp(input_shape, num_classes):
    return build(input_shape, num_classes)


def exits(input_shape, num_classes):
    sys.exit(3)


class Reshaping(Subclass):
    """A model whose call fails inside a layer of Keras."""

    def call(self, x, training=None):
        return layers.Reshape((5,))(x)


def reshapes(input_shape, num_classes):
    return Reshaping(num_classes)


class Untraceable(Subclass):
    """A model that calls functions of TensorFlow, which take no symbolic tensors of Keras."""

    def call(self, x, training=None):
        return super().call(tf.convert_to_tensor(x), training=training)


def untraceable(input_shape, num_classes):
    return Untraceable(num_classes)

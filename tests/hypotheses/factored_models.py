"""Models that contain `FactoredDense`, for the tests of `collapse_model`."""

import keras
import numpy as np
from keras import layers

from kerashw.layers import FactoredDense


def sequential():
    return keras.Sequential(
        [
            keras.Input((6,), name="in"),
            FactoredDense(4, activation="relu", use_bias=True),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            FactoredDense(3, activation="softmax"),
        ],
        name="outer",
    )


def softmax_regression():
    image = keras.Input((28, 28, 1), name="image")
    flat = layers.Flatten()(image)
    logits = FactoredDense(10, name="logits")(flat)
    return keras.Model(image, layers.Softmax(dtype="float32")(logits), name="factored")


def branches():
    x = keras.Input((6,), name="in")
    left = FactoredDense(4, name="left")(x)
    right = layers.Dense(4, activation="tanh", name="right")(x)
    total = keras.ops.relu(left * 2.0 + right)
    return keras.Model(x, FactoredDense(2, name="end")(layers.Concatenate()([total, left])))


def two_inputs_and_outputs():
    first, second = keras.Input((6,), name="first"), keras.Input((3,), name="second")
    h = layers.Concatenate()([FactoredDense(4)(first), second])
    outputs = {"a": FactoredDense(2, name="a")(h), "b": [h, FactoredDense(1, use_bias=True)(h)]}
    return keras.Model({"first": first, "second": second}, outputs)


def shared_layer():
    x = keras.Input((6,), name="in")
    shared = FactoredDense(6, name="shared")
    return keras.Model(x, shared(layers.Activation("tanh")(shared(x))))


def nested():
    core = keras.Sequential([FactoredDense(6), layers.Dense(6)], name="core")
    x = keras.Input((6,))
    middle = keras.Model(x, core(FactoredDense(6)(x)) + x, name="middle")
    y = keras.Input((6,), name="in")
    return keras.Model(y, [middle(y), middle(middle(y))])


def shared_across_levels():
    shared = FactoredDense(6, name="shared")
    x = keras.Input((6,))
    inner = keras.Model(x, shared(layers.ReLU()(x)), name="inner")
    y = keras.Input((6,), name="in")
    return keras.Model(y, inner(shared(inner(y))))


def time_distributed():
    shared = FactoredDense(6, name="shared")
    x = keras.Input((4, 6), name="in")
    h = layers.TimeDistributed(shared, name="steps")(shared(x))
    h = layers.TimeDistributed(keras.Sequential([FactoredDense(3)]))(h)
    return keras.Model(x, layers.Bidirectional(layers.GRU(2))(h))


def without_factors():
    return keras.Sequential([keras.Input((6,)), layers.Dense(3)])


# The builders, and the number of parameters of their models after `collapse_model`.
MODELS = [
    (sequential, (6 * 4 + 4) + 4 * 4 + 4 * 3),
    (softmax_regression, 7_840),
    (branches, 6 * 4 + (6 * 4 + 4) + 8 * 2),
    (two_inputs_and_outputs, 6 * 4 + 7 * 2 + (7 + 1)),
    (shared_layer, 36),
    (nested, 36 + 36 + 42),
    (shared_across_levels, 36),
    (time_distributed, 36 + 18 + 2 * 3 * (3 * 2 + 2 * 2 + 2 * 2)),
    (without_factors, 21),
]


def randomize(model, seed=0):
    """Set random weights, because initial values of 0 or 1 could hide errors."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.1, 0.9, size=w.shape) for w in model.weights])
    return model


def inputs_of(model, seed=1):
    rng = np.random.default_rng(seed)
    symbolic = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    return keras.tree.map_structure(
        lambda x: rng.normal(size=(5, *x.shape[1:])).astype("float32"), symbolic
    )


def outputs_of(model, inputs):
    outputs = keras.tree.flatten(model(inputs, training=False))
    return [keras.ops.convert_to_numpy(output).astype("float64") for output in outputs]


def all_layers(model):
    """Return the layers that compute, including those of nested models and wrappers."""
    outer = (keras.Model, layers.InputLayer)
    return [layer for layer in model._flatten_layers() if not isinstance(layer, outer)]

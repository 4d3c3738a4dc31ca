"""Ten small models as people train them with Keras, with random data of the right kind.

Each function builds a compiled model. `random_data` makes its training data from the shapes of its
inputs and outputs.
"""

import keras
import numpy as np
from keras import layers

TOKENS, USERS = 5000, 1000  # numbers of words, and of users or items


def tabular_mlp():
    """30-64-64-1, for a table of numbers and two classes."""
    x = keras.Input((30,))
    hidden = layers.Dense(64, "relu")(layers.Dense(64, "relu")(x))
    return _compiled(x, layers.Dense(1, "sigmoid")(hidden), "binary_crossentropy")


def recommender():
    """Two embeddings of 32 numbers, whose product predicts a rating."""
    user, item = (keras.Input((), dtype="int32", name=name) for name in ("user", "item"))
    embedded = [layers.Embedding(USERS, 32)(each) for each in (user, item)]
    hidden = layers.Dense(32, "relu")(layers.Multiply()(embedded))
    return _compiled([user, item], layers.Dense(1)(hidden), "mse")


def autoencoder():
    """784-64-784."""
    x = keras.Input((784,))
    return _compiled(x, layers.Dense(784, "sigmoid")(layers.Dense(64, "relu")(x)), "mse")


def mlp():
    """784-512-512-10 with dropout."""
    x = hidden = keras.Input((784,))
    for _ in range(2):
        hidden = layers.Dropout(0.2)(layers.Dense(512, "relu")(hidden))
    return _compiled(x, layers.Dense(10, "softmax")(hidden))


def text_classifier():
    """The average of the embeddings of 100 words, and a hidden layer."""
    x = keras.Input((100,), dtype="int32")
    average = layers.GlobalAveragePooling1D()(layers.Embedding(TOKENS, 32)(x))
    return _compiled(x, layers.Dense(2, "softmax")(layers.Dense(32, "relu")(average)))


def cnn():
    """Two convolutions of 16 and 32 maps on images 32×32×3."""
    x = hidden = keras.Input((32, 32, 3))
    for filters in (16, 32):
        hidden = layers.Conv2D(filters, 3, activation="relu")(hidden)
        hidden = layers.MaxPooling2D()(hidden)
    return _compiled(x, layers.Dense(10, "softmax")(layers.Flatten()(hidden)))


def attention():
    """One block of attention with 4 heads on 40 words."""
    x = keras.Input((40,), dtype="int32")
    tokens = layers.Embedding(TOKENS, 32)(x)
    attended = layers.MultiHeadAttention(4, 8)(tokens, tokens)
    tokens = layers.LayerNormalization()(layers.Add()([tokens, attended]))
    feed_forward = layers.Dense(32)(layers.Dense(64, "relu")(tokens))
    tokens = layers.LayerNormalization()(layers.Add()([tokens, feed_forward]))
    return _compiled(x, layers.Dense(2, "softmax")(layers.GlobalAveragePooling1D()(tokens)))


def lstm():
    """An LSTM of 32 units on 60 words."""
    x = keras.Input((60,), dtype="int32")
    state = layers.LSTM(32)(layers.Embedding(TOKENS, 32)(x))
    return _compiled(x, layers.Dense(2, "softmax")(state))


def conv1d():
    """Two one-dimensional convolutions with batch normalization on 128 samples of 6 sensors."""
    x = hidden = keras.Input((128, 6))
    for filters in (16, 32):
        hidden = layers.Conv1D(filters, 5, strides=2)(hidden)
        hidden = layers.ReLU()(layers.BatchNormalization()(hidden))
    return _compiled(x, layers.Dense(6, "softmax")(layers.GlobalAveragePooling1D()(hidden)))


def normalized_cnn():
    """Three convolutions with batch normalization on images 32×32×3, by SGD with momentum."""
    x = hidden = keras.Input((32, 32, 3))
    for filters in (16, 32, 32):
        hidden = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(hidden)
        hidden = layers.ReLU()(layers.BatchNormalization()(hidden))
    outputs = layers.Dense(10, "softmax")(layers.GlobalAveragePooling2D()(hidden))
    return _compiled(x, outputs, optimizer=keras.optimizers.SGD(0.01, momentum=0.9))


# The name in the tables → the function, and the number of examples in an epoch.
EXAMPLE_MODELS = {
    "tabular MLP": (tabular_mlp, 8192),
    "recommender": (recommender, 8192),
    "autoencoder": (autoencoder, 8192),
    "MLP with dropout": (mlp, 4096),
    "text, average": (text_classifier, 8192),
    "CNN": (cnn, 2048),
    "attention": (attention, 2048),
    "LSTM": (lstm, 1024),
    "Conv1D, batch norm": (conv1d, 4096),
    "CNN, batch norm, SGD": (normalized_cnn, 2048),
}


def random_data(model, examples):
    """Return inputs and targets for a model.

    Args:
        model: One of `EXAMPLE_MODELS`.
        examples: Integer N.

    Returns:
        Pair of an array (N, …), or a tuple of arrays for several inputs, and an array (N, …).
    """
    random = np.random.default_rng(0)
    inputs = tuple(_random_input(random, each, examples) for each in model.inputs)
    x = inputs if len(inputs) > 1 else inputs[0]
    classes = model.output_shape[-1]
    if model.loss == "sparse_categorical_crossentropy":
        return x, random.integers(classes, size=examples)
    return x, random.integers(2, size=(examples, classes)).astype("float32")


def _random_input(random, tensor, examples):
    shape = examples, *tensor.shape[1:]
    if tensor.dtype == "int32":
        return random.integers(TOKENS if len(shape) > 1 else USERS, size=shape, dtype="int32")
    return random.random(shape, "float32")


def _compiled(inputs, outputs, loss="sparse_categorical_crossentropy", optimizer="adam"):
    model = keras.Model(inputs, outputs)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model

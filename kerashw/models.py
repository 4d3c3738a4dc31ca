"""The homework's classifiers (Questions 2 to 4) as Keras functional models.

Each takes images of floats in [0, 1], shape (N, height, width, channels). Those that are trained
give the probabilities of the classes, shape (N, classes). Their softmax is computed in float32
whatever the precision policy; Keras' cross-entropy reads the logits behind it, so that a loss is
right, and finite, where a probability underflows to zero.
"""

import keras
import numpy as np
from keras import layers, ops

from kerashw.errors import InputError
from kerashw.layers import Dense, DiagonalCount, Dropout, FactoredDense
from kerashw.metrics import Accuracy
from kerashw.optimizers import Adadelta


def softmax_regression(input_shape=(28, 28, 1), num_classes=10):
    """Build softmax regression: one dense layer from the pixels to the classes.

    Args:
        input_shape: Tuple (height, width, channels) of one image.
        num_classes: Integer, at least 2.

    Returns:
        An uncompiled `keras.Model`: floats (N, height, width, channels) → probabilities
        (N, classes), float32.

    Raises:
        InputError: If `input_shape` or `num_classes` is not as above.

    Example:
        >>> softmax_regression().count_params()
        7850
    """
    image = _image_input(input_shape)
    x = layers.Flatten(name="flatten")(image)
    return keras.Model(image, _probabilities(x, num_classes), name="softmax")


def mlp(input_shape=(28, 28, 1), num_classes=10, dropout=0.2):
    """Build the multilayer perceptron: two hidden layers of 512 ReLU, each with dropout.

    Args:
        input_shape: Tuple (height, width, channels) of one image.
        num_classes: Integer, at least 2.
        dropout: Float in [0, 1), the share of each hidden layer's outputs that is dropped.

    Returns:
        An uncompiled `keras.Model`: floats (N, height, width, channels) → probabilities
        (N, classes), float32.

    Raises:
        InputError: If an argument is not as above.

    Example:
        >>> mlp().count_params()
        669706
    """
    image = _image_input(input_shape)
    x = layers.Flatten(name="flatten")(image)
    for number in (1, 2):
        x = Dense(512, activation="relu", name=f"hidden_{number}")(x)
        x = Dropout(_rate(dropout, "dropout"), name=f"dropout_{number}")(x)
    return keras.Model(image, _probabilities(x, num_classes), name="mlp")


def convnet(input_shape=(28, 28, 1), num_classes=10, conv_dropout=0.25, dense_dropout=0.5):
    """Build the ConvNet: two 3×3 convolutions, a max-pooling, one hidden layer of 128 ReLU.

    Args:
        input_shape: Tuple (height, width, channels) of one image, at least 6×6.
        num_classes: Integer, at least 2.
        conv_dropout: Float in [0, 1), the share dropped after the max-pooling.
        dense_dropout: Float in [0, 1), the share dropped after the hidden layer.

    Returns:
        An uncompiled `keras.Model`: floats (N, height, width, channels) → probabilities
        (N, classes), float32.

    Raises:
        InputError: If an argument is not as above.

    Example:
        >>> convnet().count_params()
        1199882
    """
    image = _image_input(input_shape, smallest=6)
    x = layers.Conv2D(32, 3, activation="relu", name="conv_1")(image)
    x = layers.Conv2D(64, 3, activation="relu", name="conv_2")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = Dropout(_rate(conv_dropout, "conv_dropout"), name="dropout_1")(x)
    x = layers.Flatten(name="flatten")(x)
    x = Dense(128, activation="relu", name="hidden")(x)
    x = Dropout(_rate(dense_dropout, "dense_dropout"), name="dropout_2")(x)
    return keras.Model(image, _probabilities(x, num_classes), name="convnet")


def factored_softmax_regression(input_shape=(28, 28, 1), num_classes=10):
    """Build softmax regression with its matrix as a product of three factors (Question 2).

    It computes softmax((A + B) C x), without a bias, as the homework writes its second hypothesis
    space. `kerashw.hypotheses.collapse_model` turns it into the equal softmax(W x).

    Args:
        input_shape: Tuple (height, width, channels) of one image.
        num_classes: Integer K, at least 2.

    Returns:
        An uncompiled `keras.Model`: floats (N, height, width, channels) → probabilities
        (N, classes), float32.

    Raises:
        InputError: If `input_shape` or `num_classes` is not as above.

    Example:
        >>> factored_softmax_regression().count_params()  # 10·10 + 10·10 + 10·784
        8040
    """
    image = _image_input(input_shape)
    x = layers.Flatten(name="flatten")(image)
    return keras.Model(image, _probabilities(x, num_classes, FactoredDense), name="factored")


def learned_diagonal_classifier(input_shape=(100, 100, 1), num_classes=2):
    """Build the network of Question 3 with a kernel that is trained, and a soft threshold.

    A 3×3 convolution w, a soft threshold θ, a sum over all places, and the class whose number is
    nearest to that sum:

        c = Σ max(w * x - θ, 0)        P(Class k | x) ∝ exp(-(c - k)²)

    With the homework's kernel and θ = 2 the sum c is exactly the homework's count; training starts
    from a random kernel and θ = 0.

    Args:
        input_shape: Tuple (height, width, channels) of one image, at least 3×3.
        num_classes: Integer, at least 2; class 0 of the labels is the homework's Class 1.

    Returns:
        An uncompiled `keras.Model`: floats (N, height, width, channels) → probabilities
        (N, classes), float32.

    Raises:
        InputError: If `input_shape` or `num_classes` is not as above.

    Example:
        >>> learned_diagonal_classifier().count_params()  # 3·3 + 1
        10

    Reference:
        The homework, Question 3; this variant of it is this package's own.
    """
    image = _image_input(input_shape, smallest=3)
    _check_num_classes(num_classes)
    x = layers.Conv2D(1, 3, activation="relu", name="kernel", dtype="float32")(image)
    count = ops.sum(x, axis=(1, 2))
    logits = -ops.square(count - np.arange(1, num_classes + 1, dtype="float32"))
    probabilities = layers.Softmax(name="probabilities", dtype="float32")(logits)
    return keras.Model(image, probabilities, name="learned_diagonal")


def diagonal_classifier(image_size=100, size=3, count="peaks"):
    """Build the classifier of Question 3, which has nothing to train.

    It counts the diagonal segments of an image with the frozen kernel: Class 1 if there is one,
    otherwise Class 2, that is also for an image with none.

    Args:
        image_size: Integer, height and width of the images.
        size: Integer, at least 2, the side of the kernel.
        count: "peaks", as in the homework, or "segments": see `kerashw.layers.DiagonalCount`.

    Returns:
        An uncompiled `keras.Model`: floats in [0, 1] (N, image_size, image_size, 1) → a dict of
        "count", int32 (N,), and "class", int64 (N,), 1 or 2.

    Raises:
        InputError: If an argument is not as above.

    Example:
        >>> from kerashw.datasets import diagonals
        >>> images, labels, _ = diagonals.generate(5)
        >>> answers = diagonal_classifier().predict(images, verbose=0)
        >>> (answers["class"] == labels).all()
        np.True_

    Reference:
        The homework, Question 3.
    """
    image = _image_input((image_size, image_size, 1), smallest=2)
    counts = DiagonalCount(size, count=count, data_format="channels_last", name="diagonals")(image)
    classes = ops.cast(ops.where(ops.equal(counts, 1), 1, 2), "int64")
    return keras.Model(image, {"count": counts, "class": classes}, name="diagonal")


# The name on the command line → the builder; these are trained.
MODELS = {
    "softmax": softmax_regression,
    "mlp": mlp,
    "convnet": convnet,
    "factored": factored_softmax_regression,
    "learned_diagonal": learned_diagonal_classifier,
}
# The name on the command line → what readers call the model.
TITLES = {
    "softmax": "softmax regression",
    "mlp": "MLP",
    "convnet": "ConvNet",
    "factored": "factored softmax",
    "diagonal": "diagonal classifier",
    "learned_diagonal": "learned kernel",
}
# Those that count in images of diagonals, and nothing else makes sense for them.
DIAGONAL_MODELS = ("diagonal", "learned_diagonal")


PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
TEST_BATCH_SIZE = 500
# So many steps of softmax regression take less than a tenth of a second; a call of the graph every
# 32 steps would make its epoch a tenth longer.
STEPS_PER_EXECUTION = {"softmax": 512}


def compiled_model(name, seed, image_shape, num_classes, precision="float32"):
    """Build a model that is to be trained, with the homework's optimizer and loss.

    Args:
        name: String, a name from `kerashw.models.MODELS`.
        seed: Non-negative integer, for the initial weights.
        image_shape: Tuple (height, width, channels).
        num_classes: Integer.
        precision: "float32" or "bfloat16".

    Returns:
        Compiled `keras.Model`.
    """
    keras.utils.set_random_seed(seed)
    policy_before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(PRECISIONS[precision])
    try:
        model = MODELS[name](image_shape, num_classes)
    finally:
        keras.config.set_dtype_policy(policy_before)
    model = compile_as_homework(model)
    # Not by `compile`: it is not to be saved with the model.
    model.steps_per_execution = STEPS_PER_EXECUTION.get(name, 1)
    return model


def compile_as_homework(model):
    """Compile a classifier with the optimizer, the loss and the metric of Question 4."""
    model.compile(Adadelta(), "sparse_categorical_crossentropy", metrics=[Accuracy()])
    return model


def _image_input(input_shape, smallest=1):
    shape = tuple(input_shape)
    if (
        len(shape) != 3
        or not all(isinstance(size, int) and size > 0 for size in shape)
        or min(shape[:2]) < smallest
    ):
        raise InputError(
            "input_shape must be (height, width, channels), whole numbers, height and width at "
            f"least {smallest}. Received: input_shape={input_shape!r}"
        )
    return keras.Input(shape, name="image")


def _rate(rate, name):
    if not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise InputError(f"{name} must be a share in [0, 1). Received: {name}={rate!r}")
    return rate


def _probabilities(x, num_classes, layer=Dense):
    _check_num_classes(num_classes)
    return layer(num_classes, activation="softmax", dtype="float32", name="probabilities")(x)


def _check_num_classes(num_classes):
    if not isinstance(num_classes, int) or num_classes < 2:
        raise InputError(
            "num_classes must be a whole number of at least 2. "
            f"Received: num_classes={num_classes!r}"
        )

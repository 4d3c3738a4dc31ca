"""The classifiers of Questions 2 to 4 as Keras functional models.

Each model takes images of floats in [0, 1], shape (N, height, width, channels). The models that are
trained return the probabilities of the classes, shape (N, classes). Their softmax is computed in
float32 under every dtype policy. Keras' cross-entropy reads the logits behind the softmax, so the
loss is correct and finite even where a probability underflows to zero.

Importing this module registers every class that a saved model of this package names
(`keras.saving.register_keras_serializable`). Import it before `keras.saving.load_model`.
"""

import keras
import numpy as np
from keras import layers, ops

from kerashw.errors import InputError
from kerashw.layers import Conv2D, Dense, DiagonalCount, Dropout, FactoredDense
from kerashw.metrics import Accuracy
from kerashw.model_names import PRECISIONS
from kerashw.optimizers import Adadelta

# Examples in a batch of evaluation. The size changes the speed, not the results.
TEST_BATCH_SIZE = 500
# The name of a model → the training steps in one call of its graph; 1 for all others. 512 steps of
# softmax regression take less than 0.1 s; with 32 steps a call, an epoch takes 10 % longer.
STEPS_PER_EXECUTION = {"softmax": 512}
LAYOUT = {"data_format": "channels_last"}  # also if ~/.keras/keras.json says another


def softmax_regression(input_shape=(28, 28, 1), num_classes=10):
    """Build softmax regression: one dense layer from the pixels to the classes.

    Args:
        input_shape: Tuple (height, width, channels) of one image.
        num_classes: Integer, at least 2.

    Returns:
        An uncompiled `keras.Model`: images → probabilities (N, classes), float32.

    Raises:
        InputError: If `input_shape` or `num_classes` is invalid.

    Example:
        >>> softmax_regression().count_params()
        7850
    """
    return _single_layer_model("softmax", Dense, input_shape, num_classes)


def mlp(input_shape=(28, 28, 1), num_classes=10, dropout=0.2):
    """Build the multilayer perceptron: two hidden layers of 512 ReLU units, each with dropout.

    Args:
        input_shape: Tuple (height, width, channels) of one image.
        num_classes: Integer, at least 2.
        dropout: Float in [0, 1), the dropout rate after each hidden layer.

    Returns:
        An uncompiled `keras.Model`: images → probabilities (N, classes), float32.

    Raises:
        InputError: If an argument is invalid.

    Example:
        >>> mlp().count_params()
        669706
    """
    image = _image_input(input_shape, num_classes)
    x = layers.Flatten(name="flatten", **LAYOUT)(image)
    for number in (1, 2):
        x = Dense(512, activation="relu", name=f"hidden_{number}")(x)
        x = Dropout(_check_rate(dropout, "dropout"), name=f"dropout_{number}")(x)
    return keras.Model(image, _probabilities(x, num_classes), name="mlp")


def convnet(input_shape=(28, 28, 1), num_classes=10, conv_dropout=0.25, dense_dropout=0.5):
    """Build the ConvNet: two 3×3 convolutions, max-pooling, one hidden layer of 128 ReLU units.

    Args:
        input_shape: Tuple (height, width, channels) of one image, at least 6×6.
        num_classes: Integer, at least 2.
        conv_dropout: Float in [0, 1), the dropout rate after the max-pooling.
        dense_dropout: Float in [0, 1), the dropout rate after the hidden layer.

    Returns:
        An uncompiled `keras.Model`: images → probabilities (N, classes), float32.

    Raises:
        InputError: If an argument is invalid.

    Example:
        >>> convnet().count_params()
        1199882
    """
    image = _image_input(input_shape, num_classes, min_size=6)
    x = Conv2D(32, 3, activation="relu", name="conv_1", **LAYOUT)(image)
    x = Conv2D(64, 3, activation="relu", name="conv_2", **LAYOUT)(x)
    x = layers.MaxPooling2D(2, name="pool", **LAYOUT)(x)
    x = Dropout(_check_rate(conv_dropout, "conv_dropout"), name="dropout_1")(x)
    x = layers.Flatten(name="flatten", **LAYOUT)(x)
    x = Dense(128, activation="relu", name="hidden")(x)
    x = Dropout(_check_rate(dense_dropout, "dense_dropout"), name="dropout_2")(x)
    return keras.Model(image, _probabilities(x, num_classes), name="convnet")


def factored_softmax_regression(input_shape=(28, 28, 1), num_classes=10):
    """Build softmax regression whose weight matrix is a product of factors (Question 2).

    The model computes softmax((A + B) C x) without a bias, the second hypothesis space of the
    homework. `kerashw.hypotheses.collapse_model` converts it to the equal softmax(W x).

    Args:
        input_shape: Tuple (height, width, channels) of one image.
        num_classes: Integer K, at least 2.

    Returns:
        An uncompiled `keras.Model`: images → probabilities (N, classes), float32.

    Raises:
        InputError: If `input_shape` or `num_classes` is invalid.

    Example:
        >>> factored_softmax_regression().count_params()  # 10·10 + 10·10 + 10·784
        8040
    """
    return _single_layer_model("factored", FactoredDense, input_shape, num_classes)


def learned_diagonal_classifier(input_shape=(100, 100, 1), num_classes=2):
    """Build the network of Question 3 with a trained kernel and a soft threshold.

    The model correlates the image x with a 3×3 kernel w, subtracts a threshold θ, sums the positive
    part over all positions, and predicts the class whose number is nearest to the sum:

        c = Σ max(w * x - θ, 0)        P(Class k | x) ∝ exp(-(c - k)²)

    With the homework's kernel and θ = 2, the sum c equals the homework's count exactly. Training
    starts from a random kernel and θ = 0.

    Args:
        input_shape: Tuple (height, width, channels) of one image, at least 3×3.
        num_classes: Integer, at least 2; class 0 of the labels is the homework's Class 1.

    Returns:
        An uncompiled `keras.Model`: images → probabilities (N, classes), float32.

    Raises:
        InputError: If `input_shape` or `num_classes` is invalid.

    Example:
        >>> learned_diagonal_classifier().count_params()  # 3·3 + 1
        10

    Reference:
        The homework, Question 3. The trained variant is not part of the homework.
    """
    image = _image_input(input_shape, num_classes, min_size=3)
    x = layers.Conv2D(1, 3, activation="relu", name="kernel", dtype="float32", **LAYOUT)(image)
    count = ops.sum(x, axis=(1, 2))
    logits = -ops.square(count - np.arange(1, num_classes + 1, dtype="float32"))
    probabilities = layers.Softmax(name="probabilities", dtype="float32")(logits)
    return keras.Model(image, probabilities, name="learned_diagonal")


def diagonal_classifier(image_size=100, size=3, count="peaks"):
    """Build the classifier of Question 3, which has no trainable weights.

    The model counts the diagonal segments of an image with the frozen kernel. It returns class 1
    for exactly one segment and class 2 for every other number, including none.

    Args:
        image_size: Integer, height and width of the images.
        size: Integer, at least 2, the height and width of the kernel.
        count: "peaks", as in the homework, or "segments"; see `kerashw.layers.DiagonalCount`.

    Returns:
        An uncompiled `keras.Model`: floats in [0, 1] (N, image_size, image_size, 1) → a dict of
        "count", int32 (N,), and "class", int64 (N,), 1 or 2.

    Raises:
        InputError: If an argument is invalid.

    Example:
        >>> from kerashw.datasets import diagonals
        >>> images, labels, _ = diagonals.generate(5)
        >>> answers = diagonal_classifier().predict(images, verbose=0)
        >>> (answers["class"] == labels).all()
        np.True_

    Reference:
        The homework, Question 3.
    """
    image = _image_input((image_size, image_size, 1), num_classes=2, min_size=2)
    counts = DiagonalCount(size, count=count, data_format="channels_last", name="diagonals")(image)
    classes = ops.cast(ops.where(ops.equal(counts, 1), 1, 2), "int64")
    return keras.Model(image, {"count": counts, "class": classes}, name="diagonal")


# The name of a trained model on the command line → its builder.
MODELS = {
    "softmax": softmax_regression,
    "mlp": mlp,
    "convnet": convnet,
    "factored": factored_softmax_regression,
    "learned_diagonal": learned_diagonal_classifier,
}


def compiled_model(name, seed, image_shape, num_classes, precision="float32", optimizer=None):
    """Build a model and compile it with the settings of Question 4.

    Args:
        name: String, a key of `kerashw.models.MODELS`.
        seed: Non-negative integer, the seed of the initial weights.
        image_shape: Tuple (height, width, channels) of one image.
        num_classes: Integer, at least 2.
        precision: "float32" or "bfloat16".
        optimizer: `keras.optimizers.Optimizer`; `None` for that of Question 4.

    Returns:
        A compiled `keras.Model`.

    Raises:
        InputError: If `image_shape` or `num_classes` is invalid.

    Example:
        >>> float(compiled_model("softmax", 0, (28, 28, 1), 10).optimizer.learning_rate)
        1.0
    """
    model = build_model(MODELS[name], seed, precision, image_shape, num_classes)
    model = compile_as_homework(model, optimizer)
    # Not an argument of `compile`, because those are saved with the model.
    model.steps_per_execution = STEPS_PER_EXECUTION.get(name, 1)
    return model


def build_model(builder, seed, precision, *arguments):
    """Call a builder with the random state and the dtype policy of `compiled_model`."""
    keras.utils.set_random_seed(seed)
    policy_before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(PRECISIONS[precision])
    try:
        return builder(*arguments)
    finally:
        keras.config.set_dtype_policy(policy_before)


def compile_as_homework(model, optimizer=None):
    """Compile a classifier with the optimizer, the loss and the metric of Question 4.

    Args:
        model: `keras.Model` whose output is class probabilities, shape (N, classes).
        optimizer: Another `keras.optimizers.Optimizer` than Adadelta, or `None`.

    Returns:
        The same model, compiled with Adadelta, cross-entropy for integer labels (N,), and accuracy.

    Example:
        >>> compile_as_homework(softmax_regression()).loss
        'sparse_categorical_crossentropy'
    """
    model.compile(optimizer or Adadelta(), "sparse_categorical_crossentropy", metrics=[Accuracy()])
    return model


def _image_input(input_shape, num_classes, min_size=1):
    """Check the arguments that all builders share, and create the input."""
    shape = tuple(input_shape)
    is_shape = len(shape) == 3 and all(isinstance(size, int) and size > 0 for size in shape)
    if not is_shape or min(shape[:2]) < min_size:
        raise InputError(
            "input_shape must be (height, width, channels), integers, with a height and width of "
            f"at least {min_size}. Received: input_shape={input_shape!r}"
        )
    if not isinstance(num_classes, int) or num_classes < 2:
        raise InputError(
            f"num_classes must be an integer of at least 2. Received: num_classes={num_classes!r}"
        )
    return keras.Input(shape, name="image")


def _check_rate(rate, name):
    if not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise InputError(f"{name} must be a number in [0, 1). Received: {name}={rate!r}")
    return rate


def _single_layer_model(name, layer_class, input_shape, num_classes):
    image = _image_input(input_shape, num_classes)
    x = layers.Flatten(name="flatten", **LAYOUT)(image)
    return keras.Model(image, _probabilities(x, num_classes, layer_class), name=name)


def _probabilities(x, num_classes, layer_class=Dense):
    return layer_class(num_classes, activation="softmax", dtype="float32", name="probabilities")(x)

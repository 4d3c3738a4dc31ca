"""The signatures of an exported model: its functions, and the inputs that they accept."""

import math
from typing import NamedTuple

import tensorflow as tf

from kerashw.export.explanations import (
    attributions_function,
    inside_function,
    weights_function,
)
from kerashw.export.history_signature import history_function
from kerashw.export.shown_layers import find_shown_layers
from kerashw.layers import DiagonalCount
from kerashw.preprocessing import center_digits, scale_files

CLASSIFY = "classify"
DIGIT_SHAPE = (28, 28, 1)  # that of MNIST, and of the data sets with its form
# What the demo page shows of a model; clients that want predictions do not need them.
EXPLANATIONS = ("attributions", "inside", "weights", "history")


class Signature(NamedTuple):
    """A function that a server can call.

    Args:
        function: Function from a tensor to a dictionary of tensors.
        input_spec: `tf.TensorSpec`, the name, shape and dtype of the input.
    """

    function: object
    input_spec: tf.TensorSpec


def build_signatures(model, labels, epochs=(), current_epoch=None, centers_digits=None):
    """Build the signatures that `kerashw.export.export_saved_model` lists.

    Args:
        model: `keras.Model`, floats (N, height, width, channels) → probabilities (N, classes), or a
            dictionary of outputs.
        labels: List of strings, the names of the classes.
        epochs: List of dictionaries, the epochs as in `history.json`; empty if they are not known.
        current_epoch: int32 `tf.Variable`, the epoch of the model, if `epochs` is not empty.
        centers_digits: Boolean, whether image files are centred as MNIST's digits; by default if
            the model's images have MNIST's shape.

    Returns:
        Dictionary of `Signature` by name.

    Example:
        >>> from kerashw.models import diagonal_classifier, softmax_regression
        >>> " ".join(build_signatures(softmax_regression(), list("0123456789")))
        'serving_default pixels image_bytes normalized attributions inside weights classify'
        >>> list(build_signatures(diagonal_classifier(), ["one", "two"]))
        ['serving_default', 'pixels', 'feature_map']
    """
    shape = tuple(model.input.shape[1:])
    is_grey = shape[-1] == 1
    has_named_outputs = isinstance(model.output, dict)
    image = tf.TensorSpec((None, *shape), tf.float32, "image")
    predict = _predict_function(model, image)

    pixels = tf.TensorSpec((None, *(shape[:2] if is_grey else shape)), tf.uint8, "image")
    predict_pixels = _of_pixels(predict, is_grey)
    signatures = {
        "serving_default": Signature(predict, image),
        "pixels": Signature(predict_pixels, pixels),
    }
    if has_named_outputs:
        return signatures | _feature_map_signature(model, image)
    if shape[-1] in (1, 3):
        signatures |= _image_file_signatures(predict_pixels, shape, centers_digits)
    if is_grey:
        signatures |= _explanation_signatures(model, pixels, epochs, current_epoch)
    return signatures | {CLASSIFY: _classify_signature(predict, shape, labels)}


def _of_pixels(function, is_grey=True):
    """Return a function of images of floats as one of pixels, uint8 (N, height, width), or colour.

    Pixels in colour are uint8 (N, height, width, channels).
    """

    def of_pixels(pixels):
        images = tf.cast(pixels, tf.float32) / 255
        return function(images[..., tf.newaxis] if is_grey else images)

    return of_pixels


def _predict_function(model, image):
    """Return the model as a graph, which all signatures share."""

    @tf.function(input_signature=[image], autograph=False)
    def predict(image):
        outputs = model(image, training=False)
        if isinstance(outputs, dict):
            return outputs
        # The outputs of a model with mixed precision can be float16 or bfloat16.
        probabilities = tf.cast(outputs, tf.float32)
        return {"probabilities": probabilities, "class": tf.argmax(outputs, axis=-1)}

    return predict


def _image_file_signatures(predict_pixels, shape, centers_digits):
    centers_digits = shape == DIGIT_SHAPE if centers_digits is None else centers_digits
    files = tf.TensorSpec((None,), tf.string, "image_bytes")

    def normalize(files):
        if centers_digits:
            return {"image": center_digits(files, *shape[:2])}
        images = scale_files(files, *shape)
        return {"image": images[..., 0] if shape[-1] == 1 else images}

    return {
        "image_bytes": Signature(lambda files: predict_pixels(normalize(files)["image"]), files),
        "normalized": Signature(normalize, files),
    }


def _explanation_signatures(model, pixels, epochs, current_epoch):
    shown = find_shown_layers(model)
    with_kernel = [layer for layer in shown if layer.input_layout]
    functions = {"attributions": attributions_function(model)}
    if shown:
        functions["inside"] = inside_function(model, shown)
    signatures = {
        name: Signature(_of_pixels(function), pixels) for name, function in functions.items()
    }
    if with_kernel:
        unit = tf.TensorSpec((None,), tf.int32, "unit")
        signatures["weights"] = Signature(weights_function(with_kernel), unit)
    if epochs:
        epoch = tf.TensorSpec((None,), tf.int32, "epoch")
        signatures["history"] = Signature(history_function(epochs, current_epoch), epoch)
    return signatures


def _classify_signature(predict, shape, labels):
    """Return the signature for `:classify`, whose names TensorFlow Serving prescribes."""
    features = {"image": tf.io.FixedLenFeature([math.prod(shape)], tf.float32)}

    def classify(inputs):
        image = tf.io.parse_example(inputs, features)["image"]
        scores = predict(tf.reshape(image, (-1, *shape)))["probabilities"]
        classes = tf.repeat(tf.constant([labels]), tf.size(inputs), axis=0)
        return {"classes": classes, "scores": scores}

    return Signature(classify, tf.TensorSpec((None,), tf.string, "inputs"))


def _feature_map_signature(model, image):
    """Return the signature for the feature map of a model that counts one kind of diagonal."""
    layers = [layer for layer in model.layers if isinstance(layer, DiagonalCount)]
    if len(layers) != 1 or layers[0].input is not model.input or layers[0].diagonal == "both":
        return {}

    def feature_map(image):
        sums = tf.round(layers[0].feature_map(image)[..., 0])
        return {"feature_map": tf.cast(sums, tf.int32), "peaks": layers[0].peaks(image)[..., 0]}

    return {"feature_map": Signature(feature_map, image)}

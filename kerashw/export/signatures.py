"""The signatures of an exported model: its functions, and the inputs that they accept."""

import math
from typing import NamedTuple

import tensorflow as tf

from kerashw.layers import DiagonalCount
from kerashw.preprocessing import center_digits

CLASSIFY = "classify"


class Signature(NamedTuple):
    """A function that a server can call.

    Args:
        function: Function from a tensor to a dictionary of tensors.
        input_spec: `tf.TensorSpec`, the name, shape and dtype of the input.
    """

    function: object
    input_spec: tf.TensorSpec


def build_signatures(model, labels):
    """Build the signatures that `kerashw.export.export_saved_model` lists.

    Args:
        model: `keras.Model`, floats (N, height, width, channels) → probabilities (N, classes), or a
            dictionary of outputs.
        labels: List of strings, the names of the classes.

    Returns:
        Dictionary of `Signature` by name.

    Example:
        >>> from kerashw.models import diagonal_classifier, softmax_regression
        >>> list(build_signatures(softmax_regression(), list("0123456789")))
        ['serving_default', 'pixels', 'image_bytes', 'normalized', 'classify']
        >>> list(build_signatures(diagonal_classifier(), ["one", "two"]))
        ['serving_default', 'pixels', 'feature_map']
    """
    shape = tuple(model.input.shape[1:])
    is_grey = shape[-1] == 1
    has_named_outputs = isinstance(model.output, dict)
    image = tf.TensorSpec((None, *shape), tf.float32, "image")
    predict = _predict_function(model, image)

    def predict_pixels(pixels):
        return predict(tf.cast(pixels, tf.float32)[..., tf.newaxis] / 255)

    signatures = {"serving_default": Signature(predict, image)}
    if is_grey:
        pixels = tf.TensorSpec((None, *shape[:2]), tf.uint8, "image")
        signatures["pixels"] = Signature(predict_pixels, pixels)
    if has_named_outputs:
        return signatures | _feature_map_signature(model, image)
    if is_grey:
        signatures |= _image_file_signatures(predict_pixels, *shape[:2])
    return signatures | {CLASSIFY: _classify_signature(predict, shape, labels)}


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


def _image_file_signatures(predict_pixels, height, width):
    files = tf.TensorSpec((None,), tf.string, "image_bytes")

    def normalize(files):
        return {"image": center_digits(files, height, width)}

    return {
        "image_bytes": Signature(lambda files: predict_pixels(normalize(files)["image"]), files),
        "normalized": Signature(normalize, files),
    }


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

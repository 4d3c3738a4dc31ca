"""What an exported model can be asked: its signatures, and requests to warm them up with."""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerashw.layers import DiagonalCount
from kerashw.preprocessing import normalized

CLASSIFY = "classify"
# One request alone, and as many as a server that batches may put together.
BATCH_SIZES = (1, 32)


class Signature(NamedTuple):
    """One way to ask a model.

    Args:
        function: Function of tensors, one an input, to a dictionary of tensors.
        inputs: List of `tf.TensorSpec`, the inputs with their names.
        examples: List of dictionaries, an array by input: requests to warm it up with.
    """

    function: object
    inputs: list
    examples: list


def signatures(model, labels):
    """Return the signatures of a classifier of images, as `kerashw.export` describes them.

    Args:
        model: `keras.Model`, floats (N, height, width, channels) → probabilities (N, classes), or a
            dict of outputs.
        labels: List of strings, the classes' names.

    Returns:
        Dictionary of `Signature`s by name.

    Example:
        >>> from kerashw.models import diagonal_classifier, softmax_regression
        >>> list(signatures(softmax_regression(), list("0123456789")))
        ['serving_default', 'pixels', 'image_bytes', 'normalized', 'classify']
        >>> list(signatures(diagonal_classifier(), ["one", "two"]))
        ['serving_default', 'pixels', 'feature_map']
    """
    shape = tuple(model.input.shape[1:])
    grey = shape[-1] == 1
    image = tf.TensorSpec((None, *shape), tf.float32, "image")

    # One graph of the model, which all signatures share.
    @tf.function(input_signature=[image], autograph=False)
    def predict(image):
        outputs = model(image, training=False)
        if isinstance(outputs, dict):
            return outputs
        # A model of mixed precision may answer in half of it.
        probabilities = tf.cast(outputs, tf.float32)
        return {"probabilities": probabilities, "class": tf.argmax(outputs, axis=-1)}

    def predict_pixels(pixels):
        return predict(tf.cast(pixels, tf.float32)[..., tf.newaxis] / 255)

    found = {"serving_default": Signature(predict, [image], _blank(image))}
    if grey:
        pixels = tf.TensorSpec((None, *shape[:2]), tf.uint8, "image")
        found["pixels"] = Signature(predict_pixels, [pixels], _blank(pixels))
    if isinstance(model.output, dict):
        return found | _counting(model, image)
    if grey:
        found |= _of_files(predict_pixels, *shape[:2])
    return found | {CLASSIFY: _of_examples(predict, shape, labels)}


def _of_files(predict_pixels, height, width):
    files = tf.TensorSpec((None,), tf.string, "image_bytes")
    stroke = np.pad(np.zeros((20, 3, 1), np.uint8), [(9, 9), (20, 20), (0, 0)], constant_values=255)
    encoded = tf.io.encode_png(stroke).numpy(), tf.io.encode_jpeg(stroke).numpy()
    examples = [{"image_bytes": np.array(encoded, np.object_)}]

    # One graph of this too.
    @tf.function(input_signature=[files], autograph=False)
    def pixels(files):
        return normalized(files, height, width)

    return {
        "image_bytes": Signature(lambda files: predict_pixels(pixels(files)), [files], examples),
        "normalized": Signature(lambda files: {"image": pixels(files)}, [files], examples),
    }


def _of_examples(predict, shape, labels):
    """Return what TensorFlow Serving's `:classify` asks, with the names that it demands."""
    features = {"image": tf.io.FixedLenFeature([math.prod(shape)], tf.float32)}

    def classify(inputs):
        image = tf.io.parse_example(inputs, features)["image"]
        scores = predict(tf.reshape(image, (-1, *shape)))["probabilities"]
        classes = tf.repeat(tf.constant([labels]), tf.size(inputs), axis=0)
        return {"classes": classes, "scores": scores}

    example = tf.train.Example()
    example.features.feature["image"].float_list.value.extend([0.0] * math.prod(shape))
    blank = {"inputs": np.array([example.SerializeToString()], np.object_)}
    return Signature(classify, [tf.TensorSpec((None,), tf.string, "inputs")], [blank])


def _counting(model, image):
    """Return the signature that shows how a model counts, if it counts diagonals of one kind."""
    layers = [layer for layer in model.layers if isinstance(layer, DiagonalCount)]
    if len(layers) != 1 or layers[0].input is not model.input or layers[0].diagonal == "both":
        return {}

    def feature_map(image):
        sums = tf.round(layers[0].feature_map(image)[..., 0])
        return {"feature_map": tf.cast(sums, tf.int32), "peaks": layers[0].peaks(image)[..., 0]}

    return {"feature_map": Signature(feature_map, [image], _blank(image))}


def _blank(spec):
    return [
        {spec.name: np.zeros((size, *spec.shape[1:]), spec.dtype.as_numpy_dtype)}
        for size in BATCH_SIZES
    ]

"""Functions that show what a classifier computes: its layers, attributions and weights."""

import json

import keras
import numpy as np
import tensorflow as tf

from kerashw.export.tiled_pictures import columns_of, encode_pictures, largest, tile
from kerashw.keras_private import logits_behind

# The steps of Integrated Gradients. The logits of a ReLU network are linear in the brightness of an
# image except at a few points, most of which are near black. Therefore the steps are of equal size
# in the root s of the brightness: they need half as many gradients for the same error.
STEPS = 20
# A number takes few bytes in a request, and its picture up to megabytes of memory.
MAX_UNITS = 1024


def inside_function(model, shown):
    """Build a function that shows the outputs of a classifier's layers.

    Args:
        model: Functional `keras.Model`, grey images (N, height, width, 1) → probabilities
            (N, classes).
        shown: List of `kerashw.export.shown_layers.ShownLayer`, at least one.

    Returns:
        Function from images, float32 in [0, 1], to a dictionary of tensors:

        - `layers` string (N,): JSON, a list of objects that describe the layers in their order:
          `name`, `kind` (the Keras class), `shape` of one output, `activation`, `kernel`,
          `columns` (tiles or units in a row), `signed`, and `output`, the name of the output;
        - for a layer of maps, `<layer>_bytes` string (N,): a PNG file of all maps, see
          `kerashw.export.tiled_pictures`;
        - for a layer of units, `<layer>` float32 (N, units);
        - `scales` float32 (N, layers), the largest absolute value in each layer;
        - `logits` and `probabilities` float32 (N, classes).
    """
    inner = keras.Model(model.input, [*(layer.output for layer in shown), model.output])
    names = [_output_name(layer, model) for layer in shown]
    described = [
        layer.describe() | {"signed": layer.is_signed, "output": name}
        for layer, name in zip(shown, names, strict=True)
    ]

    def inside(images):
        *values, probabilities = inner(images, training=False)
        scales = [largest(value) for value in values]
        outputs = {"layers": _repeat_json(described, images), "scales": tf.stack(scales, axis=1)}
        for layer, name, value, scale in zip(shown, names, values, scales, strict=True):
            if layer.has_maps:
                pictures = tile(value, columns_of(layer.shape[-1]))
                outputs[name] = encode_pictures(pictures, scale, layer.is_signed)
            else:
                outputs[name] = tf.cast(value, tf.float32)
        outputs["logits"] = _logits(probabilities)
        outputs["probabilities"] = tf.cast(probabilities, tf.float32)
        return outputs

    return inside


def _output_name(layer, model):
    """Return the name of a layer's output, which no other output of the signature has."""
    if layer.has_maps:
        return f"{layer.name}_bytes"
    is_taken = layer.name in ("layers", "logits", "scales") or (
        layer.name == "probabilities" and layer.output is not model.output
    )
    return f"{layer.name}_units" if is_taken else layer.name


def attributions_function(model):
    """Build a function that computes what speaks for and against each class, by pixel.

    The method is Integrated Gradients, from the black image. The attribution of a pixel x to a
    logit f is x · ∫ ∂f(α·image)/∂x dα for α from 0 to 1. For softmax regression, it is weight times
    pixel. The sum over all pixels is f(image) - f(black image), except for the error of the
    numerical integration.

    Args:
        model: As for `inside_function`.

    Returns:
        Function from images, float32 in [0, 1], to a dictionary of tensors:

        - `attributions_bytes` string (N,): a signed PNG file, the classes beside each other;
        - `scale` float32 (N,), the largest absolute attribution;
        - `sums` float32 (N, classes) of the attributions over all pixels;
        - `logits` and `baseline` float32 (N, classes), those of the image and of the black image.

    Reference:
        M. Sundararajan, A. Taly, Q. Yan, *Axiomatic Attribution for Deep Networks*, 2017,
        arXiv 1703.01365.
    """
    _, height, width, _ = model.input.shape
    classes = model.output.shape[-1]
    steps = ((np.arange(STEPS) + 0.5) / STEPS).astype("float32")
    # With the brightness α = s², dα = 2 s ds.
    brightness, shares = steps**2, 2 * steps / STEPS

    def attribute(image):
        path = brightness[:, None, None, None] * image
        with tf.GradientTape() as tape:
            tape.watch(path)
            logits = _logits(model(path, training=False))

        def mean_gradient(one_hot):
            of_class = tf.repeat(one_hot[None], STEPS, axis=0)
            gradients = tape.gradient(logits, path, of_class, unconnected_gradients="zero")
            return tf.tensordot(shares, gradients[..., 0], 1)

        return image[..., 0] * tf.map_fn(mean_gradient, tf.eye(classes), parallel_iterations=1)

    def attributions(images):
        # One image at a time, because the gradients need much memory.
        shape = tf.TensorSpec((classes, height, width))
        maps = tf.map_fn(attribute, images, parallel_iterations=1, fn_output_signature=shape)
        scale = largest(maps)
        pictures = tile(tf.transpose(maps, (0, 2, 3, 1)), columns=classes)
        black = tf.zeros((1, height, width, 1))
        logits = _logits(model(tf.concat([black, images], axis=0), training=False))
        return {
            "attributions_bytes": encode_pictures(pictures, scale, signed=True),
            "scale": scale,
            "sums": tf.reduce_sum(maps, axis=(2, 3)),
            "logits": logits[1:],
            "baseline": tf.repeat(logits[:1], tf.shape(images)[0], axis=0),
        }

    return attributions


def weights_function(layers):
    """Build a function that shows the weights into a unit of each layer.

    Args:
        layers: List of `kerashw.export.shown_layers.ShownLayer` with kernels, at least one.

    Returns:
        Function from numbers of units, int32 (N,), to a dictionary of tensors:

        - `layers` string (N,), as for `inside_function`, but `columns` are those of the picture of
          weights, and `tile` is the height and width of one of its tiles;
        - `<layer>_bytes` string (N,): a signed PNG file of the weights, laid out as the inputs are;
        - `scales` and `bias` float32 (N, layers), the largest absolute weight and the bias.

        A layer that has no such unit has the weights and the bias 0. More than `MAX_UNITS` units
        are an error.
    """
    described = [
        layer.describe()
        | {"columns": columns_of(layer.tiles), "tile": layer.tile, "output": f"{layer.name}_bytes"}
        for layer in layers
    ]

    def weights(unit):
        message = f"unit must have at most {MAX_UNITS:,} elements. Send several requests. Received:"
        with tf.control_dependencies(
            [tf.debugging.assert_less_equal(tf.size(unit), MAX_UNITS, message)]
        ):
            unit = tf.identity(unit)
        outputs = {"layers": _repeat_json(described, unit)}
        scales, biases = [], []
        for layer, description in zip(layers, described, strict=True):
            kernel, bias = layer.kernel_and_bias()
            exists = (unit >= 0) & (unit < bias.shape[0])
            index = tf.where(exists, unit, 0)
            into_unit = tf.where(exists, tf.gather(kernel, index, axis=-1), 0)
            pictures = tile(tf.transpose(into_unit, (3, 0, 1, 2)), description["columns"])
            scales.append(largest(pictures))
            biases.append(tf.where(exists, tf.gather(bias, index), 0))
            outputs[description["output"]] = encode_pictures(pictures, scales[-1], signed=True)
        return outputs | {"scales": tf.stack(scales, axis=1), "bias": tf.stack(biases, axis=1)}

    return weights


def _logits(probabilities):
    """Return the logits of a call of the model: what its softmax received, or the logarithms."""
    logits = logits_behind(probabilities)
    if logits is not probabilities:
        return tf.cast(logits, tf.float32)
    smallest = np.finfo(np.float32).tiny
    return tf.math.log(tf.maximum(tf.cast(probabilities, tf.float32), smallest))


def _repeat_json(content, inputs):
    """Return a string tensor (N,): the same JSON for every input."""
    return tf.fill(tf.shape(inputs)[:1], json.dumps(content))

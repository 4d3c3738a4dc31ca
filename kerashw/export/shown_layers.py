"""The layers of a model that can be shown as pictures, and how these are laid out."""

from typing import NamedTuple

import keras
import tensorflow as tf

from kerashw.export.tiled_pictures import columns_of
from kerashw.keras_private import calls_in_graph
from kerashw.layers import FactoredDense

layers = keras.layers
# These only return, rearrange or drop what they receive.
_REARRANGING = (layers.Flatten, layers.Reshape)
_PASSING = (layers.Dropout, layers.GaussianDropout, layers.GaussianNoise)
_ELEMENTWISE = (*_PASSING, layers.Activation, layers.BatchNormalization, layers.ReLU)
_POOLING = (
    layers.AveragePooling2D,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling2D,
    layers.MaxPooling2D,
)
_NONNEGATIVE = {"exponential", "hard_sigmoid", "relu", "relu6", "sigmoid", "softmax", "softplus"}


class ShownLayer(NamedTuple):
    """A layer that can be shown, as it is called in a model.

    Args:
        layer: `keras.layers.Layer`.
        output: Its output in the model, a `KerasTensor` (N, height, width, maps) or (N, units).
        is_signed: Boolean, whether the output may be negative.
        input_layout: Tuple (height, width, maps) or (units,), the shape of a unit's inputs before
            they were flattened; `None` if the layer has no kernel.
    """

    layer: keras.layers.Layer
    output: object
    is_signed: bool
    input_layout: tuple | None

    @property
    def name(self):
        """The name of the layer."""
        return self.layer.name

    @property
    def shape(self):
        """The shape of one output."""
        return tuple(self.output.shape[1:])

    @property
    def has_maps(self):
        """Whether the output consists of maps, not of units."""
        return len(self.shape) == 3

    def describe(self):
        """Return a dictionary for JSON, without the names of outputs."""
        kernel = getattr(self.layer, "kernel_size", None) or getattr(self.layer, "pool_size", None)
        return {
            "name": self.name,
            "kind": type(self.layer).__name__,
            "shape": list(self.shape),
            "activation": _activation(self.layer),
            "kernel": kernel and list(kernel),
            "columns": columns_of(self.shape[-1]),
        }

    def kernel_and_bias(self):
        """Return the weights of all units, in the layout of their inputs.

        Returns:
            Pair of float32 tensors: (height, width, tiles, units), where height and width are those
            of a tile, and (units,), zeros if the layer has no bias.
        """
        if isinstance(self.layer, FactoredDense):
            total = tf.convert_to_tensor(self.layer.A) + tf.convert_to_tensor(self.layer.B)
            kernel = tf.transpose(tf.matmul(total, tf.convert_to_tensor(self.layer.C)))
        else:
            kernel = tf.convert_to_tensor(self.layer.kernel)
        kernel = tf.cast(kernel, tf.float32)
        units = kernel.shape[-1]
        bias = tf.zeros(units) if self.layer.bias is None else tf.convert_to_tensor(self.layer.bias)
        kernel = tf.reshape(kernel, (*self.tile, self.tiles, units))
        return kernel, tf.cast(bias, tf.float32)

    @property
    def tile(self):
        """The height and width of a tile in the picture of the weights into a unit."""
        if isinstance(self.layer, layers.Conv2D):
            return tuple(self.layer.kernel_size)
        return self.input_layout[:2] if len(self.input_layout) == 3 else (1, 1)

    @property
    def tiles(self):
        """The number of tiles in the picture of the weights into a unit."""
        return self.input_layout[-1] // getattr(self.layer, "groups", 1)


def find_shown_layers(model):
    """Return the layers of a functional model that can be shown, in the model's order.

    Args:
        model: `keras.Model`.

    Returns:
        List of `ShownLayer`: those whose outputs are floats (N, height, width, maps) or (N, units),
        except inputs, dropout, `Flatten`, `Reshape` and nested models.

    Example:
        >>> from kerashw.models import convnet
        >>> [shown.name for shown in find_shown_layers(convnet())]
        ['conv_1', 'conv_2', 'pool', 'hidden', 'probabilities']
    """
    calls = calls_in_graph(model)
    producers = {id(output): call for call in calls for output in call[2]}
    shown = {}
    for layer, inputs, outputs in calls:
        if _is_shown(layer, outputs) and layer.name not in shown:
            has_kernel = isinstance(layer, (layers.Dense, layers.Conv2D, FactoredDense))
            layout = _input_layout(inputs[0], producers) if has_kernel else None
            signed = _is_signed((layer, inputs, outputs), producers)
            shown[layer.name] = ShownLayer(layer, outputs[0], signed, layout)
    return list(shown.values())


def _is_shown(layer, outputs):
    hidden = (layers.InputLayer, keras.Model, *_REARRANGING, *_PASSING)
    if not isinstance(layer, layers.Layer) or isinstance(layer, hidden) or len(outputs) != 1:
        return False
    shape = outputs[0].shape[1:]
    return len(shape) in (1, 3) and None not in shape and "float" in outputs[0].dtype


def _activation(layer):
    """Return the name of a layer's activation; `None` if it has none."""
    function = getattr(layer, "activation", None)
    name = getattr(function, "__name__", type(function).__name__)
    return None if function in (None, keras.activations.linear) else name


def _is_signed(call, producers):
    layer, inputs, _ = call
    if isinstance(layer, (*_POOLING, *_PASSING, *_REARRANGING)):
        return _is_signed(producers[id(inputs[0])], producers)
    if isinstance(layer, layers.ReLU):
        return layer.negative_slope != 0
    # The images have no negative pixels.
    nonnegative = isinstance(layer, (layers.InputLayer, layers.Softmax))
    return not nonnegative and _activation(layer) not in _NONNEGATIVE


def _input_layout(tensor, producers):
    """Return the shape of the inputs of a dense layer's unit before they were flattened."""
    while len(tensor.shape) == 2:
        layer, inputs, _ = producers[id(tensor)]
        if isinstance(layer, _REARRANGING) and len(inputs[0].shape) == 4:
            return tuple(inputs[0].shape[1:])
        if not isinstance(layer, _ELEMENTWISE):
            break
        tensor = inputs[0]
    return tuple(tensor.shape[-1:])

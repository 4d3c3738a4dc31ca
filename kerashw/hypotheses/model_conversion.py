"""Conversion of Keras models from H2 to H1, for example to train in H2 and serve in H1."""

import tempfile

import keras
import numpy as np

from kerashw.errors import InputError
from kerashw.keras_private import flatten_layers
from kerashw.layers import FactoredDense


def collapse_model(model):
    """Copy a model, with a `Dense` in place of every `FactoredDense`.

    The copy includes the layers of nested models, and a layer that the model shares is shared in
    the copy too. The copy has the model's names, weights, trainable flags and dtype policies. If
    the model is compiled, the copy is compiled with the same settings. Its optimizer starts without
    state, because the state of the model's optimizer belongs to the factors.

    As with `keras.models.clone_model`, custom functions such as a loss or an activation must be
    registered with Keras, and a subclass whose constructor does not take `inputs` and `outputs`
    becomes a plain functional or Sequential model.

    Args:
        model: A built functional or Sequential model. It does not change.

    Returns:
        A model with the same outputs as `model` for every input, up to rounding.

    Raises:
        InputError: If the model is neither functional nor Sequential, or not built; if its class
            overrides `call`, which the copy would lose; or if a `FactoredDense` is inside a layer
            that is neither such a model nor `TimeDistributed`.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((784,)), FactoredDense(10)])
        >>> model.count_params(), collapse_model(model).count_params()
        (8040, 7840)

    Reference:
        The homework, Question 2, H2 ⊆ H1.
    """
    if not _has_graph(model):
        raise InputError(
            "`collapse_model` takes a functional or Sequential model, whose layers Keras lists. "
            f"Received: {model!r}"
        )
    if not model.built:
        raise InputError(
            "`collapse_model` takes a built model: call it once, or `model.build(input_shape)`. "
            f"Received: {model!r}, not built"
        )
    copies = {}
    copied_model = _copy(model, copies)
    for original, copy in copies.values():
        _copy_weights(original, copy)
    # In reverse: models come after their layers, and a model's flag sets those of its layers.
    for original, copy in reversed(copies.values()):
        if isinstance(original, keras.Layer) and copy.trainable != original.trainable:
            copy.trainable = original.trainable
    if model.compiled:
        copied_model.compile_from_config(model.get_compile_config())
    return copied_model


def _has_graph(layer):
    return isinstance(layer, keras.Model) and isinstance(layer, (keras.Function, keras.Sequential))


def _copy(layer, copies):
    """Return the one copy of a layer; `copies` maps its id to the layer and the copy."""
    if id(layer) not in copies:
        copies[id(layer)] = (layer, _new_copy(layer, copies))
    return copies[id(layer)][1]


def _new_copy(layer, copies):
    if _has_graph(layer):
        return _copy_graph(layer, copies)
    if isinstance(layer, FactoredDense):
        # Dense has all the arguments of FactoredDense.
        return keras.layers.Dense.from_config(layer.get_config())
    if not _contains_factors(layer):
        return type(layer).from_config(layer.get_config())
    if type(layer) is keras.layers.TimeDistributed:
        return type(layer)(**layer.get_config() | {"layer": _copy(layer.layer, copies)})
    raise InputError(
        "`collapse_model` finds a FactoredDense only in functional and Sequential models and in "
        "TimeDistributed, not in other layers. "
        f"Received: one in the layer {layer.name!r} of class {type(layer).__name__}"
    )


def _copy_graph(model, copies):
    # Sequential models copy their input themselves. For others, clone_model loses `optional`.
    inputs = None if isinstance(model, keras.Sequential) else _new_inputs(model)
    copy = keras.models.clone_model(model, inputs, lambda layer: _copy(layer, copies))
    if type(copy).call is not type(model).call:
        raise InputError(
            "`collapse_model` cannot copy a model class that overrides `call`. "
            f"Received: {model.name!r} of class {type(model).__name__}"
        )
    copy.dtype_policy = model.dtype_policy
    return copy


def _new_inputs(model):
    layers = {
        id(layer.output): layer
        for layer in model.layers
        if isinstance(layer, keras.layers.InputLayer)
    }
    return keras.tree.map_structure(
        lambda tensor: _new_input(layers[id(tensor)]).output, model.input
    )


def _new_input(layer):
    # Keras 3.12 omits `optional` from the configuration.
    return keras.layers.InputLayer(**layer.get_config() | {"optional": layer.optional})


def _contains_factors(layer):
    return isinstance(layer, keras.Layer) and any(
        isinstance(inner, FactoredDense) for inner in flatten_layers(layer, include_self=False)
    )


def _copy_weights(original, copy):
    if isinstance(original, FactoredDense):
        copy.set_weights(original.collapse())
        return
    # Layers inside a graph, or inside a wrapper of factors, are in `copies` themselves.
    has_copied_layers = _has_graph(original) or _contains_factors(original)
    if isinstance(original, keras.Layer) and not has_copied_layers:
        for source, target in zip(flatten_layers(original), flatten_layers(copy), strict=True):
            _copy_state(source, target)


def _copy_state(source, target):
    # With the methods for saving, because some layers derive further state when they load weights.
    store = {}
    source.save_own_variables(store)
    # Through NumPy, because JAX would share an assigned array, and training frees arrays.
    target.load_own_variables(
        {name: np.array(keras.ops.convert_to_numpy(value)) for name, value in store.items()}
    )
    if hasattr(source, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            source.save_assets(folder)
            target.load_assets(folder)

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
    the copy too. The copy has the model's names, weights, trainable flags and dtype policies, and
    the regularizers and constraints of its layers. If the model is compiled, the copy is compiled
    with the same settings. Its optimizer starts without state, because the state of the model's
    optimizer belongs to the factors.

    A `FactoredDense` inside another layer or a subclassed model is converted if it is, or is inside
    of, an argument of that layer's constructor that the layer has as an attribute of the same name,
    as in `TimeDistributed`. In place of one that a constructor creates, use `keras.layers.Dense`
    and set its weights with `dense.set_weights(factored.collapse())`.

    As with `keras.models.clone_model`, custom functions such as a loss or an activation must be
    registered with Keras, and a subclass whose constructor does not take `inputs` and `outputs`
    becomes a plain functional or Sequential model.

    Args:
        model: A built functional or Sequential model. It does not change.

    Returns:
        A model with the same outputs as `model` for every input, up to rounding.

    Raises:
        InputError: If the model is neither functional nor Sequential, or not built; if its class
            or a subclass of `FactoredDense` overrides `call`, which the copy would lose; or if
            another layer creates a `FactoredDense` itself.

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
            "`collapse_model` takes a functional or Sequential model; call another model in one: "
            "`x = keras.Input(shape); keras.Model(x, model(x))`. "
            f"Received: {model!r}"
        )
    if not model.built:
        raise InputError(
            "`collapse_model` takes a built model: call it once, or `model.build(input_shape)`. "
            f"Received: {model!r}, not built"
        )
    copied_model = _copy(model, copies={})
    pairs = list(zip(flatten_layers(model), flatten_layers(copied_model), strict=True))
    for original, copy in pairs:
        if isinstance(original, FactoredDense):
            copy.set_weights(original.collapse())
        else:
            _copy_state(original, copy)
    # The outermost first, because a layer's flag sets those of the layers inside it.
    for original, copy in sorted(pairs, key=lambda pair: -len(flatten_layers(pair[0]))):
        if copy.trainable != original.trainable:
            copy.trainable = original.trainable
    if model.compiled:
        copied_model.compile_from_config(model.get_compile_config())
    return copied_model


def _has_graph(layer):
    return isinstance(layer, keras.Model) and isinstance(layer, (keras.Function, keras.Sequential))


def _copy(layer, copies):
    """Return the one copy of a layer; `copies` maps the ids of layers to their copies."""
    if id(layer) not in copies:
        copies[id(layer)] = _new_copy(layer, copies)
    return copies[id(layer)]


def _new_copy(layer, copies):
    if _has_graph(layer):
        return _copy_graph(layer, copies)
    if isinstance(layer, FactoredDense):
        _check_call(layer, FactoredDense)
        # Dense has all the arguments of FactoredDense.
        return keras.layers.Dense.from_config(layer.get_config())
    factors = _factors_inside(layer) if isinstance(layer, keras.Layer) else ()
    if not factors:
        return type(layer).from_config(layer.get_config())
    config = layer.get_config()
    arguments = {name: getattr(layer, name, None) for name in config}
    arguments = {name: inner for name, inner in arguments.items() if isinstance(inner, keras.Layer)}
    if factors - {id(part) for inner in arguments.values() for part in flatten_layers(inner)}:
        raise InputError(
            "`collapse_model` cannot convert a FactoredDense that another layer creates: make it "
            "an argument of the constructor and an attribute of the same name, or use "
            "keras.layers.Dense and `dense.set_weights(factored.collapse())`. "
            f"Received: one in the layer {layer.name!r} of class {type(layer).__name__}"
        )
    copied = {name: _copy(inner, copies) for name, inner in arguments.items()}
    return type(layer)(**config | copied)


def _copy_graph(model, copies):
    # Sequential models copy their input themselves. For others, clone_model loses `optional`.
    inputs = None if isinstance(model, keras.Sequential) else _new_inputs(model)
    copy = keras.models.clone_model(model, inputs, lambda layer: _copy(layer, copies))
    _check_call(model, type(copy))
    copy.dtype_policy = model.dtype_policy
    return copy


def _new_inputs(model):
    layers = {
        id(layer.output): layer
        for layer in model.layers
        if isinstance(layer, keras.layers.InputLayer)
    }

    def new_input(tensor):
        layer = layers[id(tensor)]
        # The configuration has `optional` only since Keras 3.13.
        config = layer.get_config() | {"optional": layer.optional}
        return keras.layers.InputLayer(**config).output

    return keras.tree.map_structure(new_input, model.input)


def _check_call(original, copied_class):
    """Refuse to copy a layer or model to a class that computes something else."""
    if type(original).call is not copied_class.call:
        raise InputError(
            f"`collapse_model` cannot copy a subclass of {copied_class.__name__} that overrides "
            f"`call`. Received: {original.name!r} of class {type(original).__name__}"
        )


def _factors_inside(layer):
    """Return the ids of the `FactoredDense` inside a layer."""
    return {id(inner) for inner in flatten_layers(layer) if isinstance(inner, FactoredDense)}


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

"""Train in H2, serve in H1: a Keras model with its factors multiplied out."""

import tempfile

import keras
import numpy as np

from kerashw.errors import InputError
from kerashw.keras_private import flatten_layers
from kerashw.layers import FactoredDense


def collapse_model(model):
    """Copy a model with a `Dense` in the place of every `FactoredDense`.

    Models within the model are opened, and a layer that is shared in the model is shared in the
    copy. The copy has the model's names, weights, trainable flags and dtype policies. If the model
    is compiled, so is the copy, with the same settings and a fresh optimizer: the optimizer's
    state belongs to the factors. As with `keras.models.clone_model`, functions that are not Keras'
    own (a loss, an activation) must be registered, and a class whose constructor does not take
    `inputs` and `outputs` becomes a plain functional or Sequential model.

    Args:
        model: A built functional or Sequential model. It is left untouched.

    Returns:
        A model whose outputs for every input are those of `model`, up to rounding.

    Raises:
        InputError: If the model is neither functional nor Sequential, or not built; if its class
            has a `call` of its own, which the copy would lose; or if a `FactoredDense` is inside
            a layer that is neither such a model nor `TimeDistributed`.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((784,)), FactoredDense(10)])
        >>> model.count_params(), collapse_model(model).count_params()
        (8040, 7840)

    Reference:
        The homework, Question 2, H2 ⊆ H1.
    """
    if not _is_graph(model):
        raise InputError(
            "`collapse_model` takes a functional or Sequential model, whose layers Keras knows. "
            f"Received: {model!r}"
        )
    if not model.built:
        raise InputError(
            "`collapse_model` takes a built model: call it once, or `model.build(input_shape)`. "
            f"Received: {model!r}, not built"
        )
    twins = {}
    copy = _twin(model, twins)
    for original, twin in twins.values():
        _transfer(original, twin)
    # Models come after their layers, and a model's flag sets those of its layers: back to front.
    for original, twin in reversed(twins.values()):
        if isinstance(original, keras.Layer) and twin.trainable != original.trainable:
            twin.trainable = original.trainable
    if model.compiled:
        copy.compile_from_config(model.get_compile_config())
    return copy


def _is_graph(layer):
    return isinstance(layer, keras.Model) and isinstance(layer, (keras.Function, keras.Sequential))


def _twin(layer, twins):
    # One twin for each layer, however often and wherever in the model it is used.
    if id(layer) not in twins:
        twins[id(layer)] = (layer, _new_twin(layer, twins))
    return twins[id(layer)][1]


def _new_twin(layer, twins):
    if _is_graph(layer):
        return _twin_of_model(layer, twins)
    if isinstance(layer, FactoredDense):
        return keras.layers.Dense.from_config(layer.get_config())  # it knows all the arguments
    if not _holds_factors(layer):
        return type(layer).from_config(layer.get_config())
    if type(layer) is keras.layers.TimeDistributed:
        return type(layer)(**layer.get_config() | {"layer": _twin(layer.layer, twins)})
    raise InputError(
        "`collapse_model` finds a FactoredDense only in functional and Sequential models and in "
        "TimeDistributed, not in other layers. "
        f"Received: one in the layer {layer.name!r} of class {type(layer).__name__}"
    )


def _twin_of_model(model, twins):
    # A Sequential model keeps its input by itself; for others clone_model forgets `optional`.
    inputs = None if isinstance(model, keras.Sequential) else _new_inputs(model)
    copy = keras.models.clone_model(model, inputs, lambda layer: _twin(layer, twins))
    if type(copy).call is not type(model).call:
        raise InputError(
            "`collapse_model` cannot copy a model class with a `call` of its own. "
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
    # Early versions of Keras 3 leave `optional` out of the configuration.
    return keras.layers.InputLayer(**layer.get_config() | {"optional": layer.optional})


def _holds_factors(layer):
    return isinstance(layer, keras.Layer) and any(
        isinstance(inner, FactoredDense) for inner in flatten_layers(layer, include_self=False)
    )


def _is_opened(layer):
    return _is_graph(layer) or _holds_factors(layer)  # its layers have twins of their own


def _transfer(original, twin):
    if isinstance(original, FactoredDense):
        twin.set_weights(original.collapse())
    elif isinstance(original, keras.Layer) and not _is_opened(original):
        pairs = zip(flatten_layers(original), flatten_layers(twin), strict=True)
        for source, target in pairs:
            _copy_state(source, target)


def _copy_state(source, target):
    # By the methods that saving uses: some layers derive more from their weights on loading.
    store = {}
    source.save_own_variables(store)
    # Copied through NumPy: on JAX an assigned array would be shared, and training frees arrays.
    target.load_own_variables(
        {name: np.array(keras.ops.convert_to_numpy(value)) for name, value in store.items()}
    )
    if hasattr(source, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            source.save_assets(folder)
            target.load_assets(folder)

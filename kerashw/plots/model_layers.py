"""The layers of a Keras model whose layers form a chain, as text for a diagram.

This module does not import matplotlib, so that a training describes its models quickly.
"""

import keras

from kerashw.errors import InputError
from kerashw.keras_private import calls_in_graph
from kerashw.layers import DiagonalCount


def layer_rows(model):
    """Describe the layers of a model, from its input to its output.

    Args:
        model: As for `kerashw.plots.keras_model_diagram.model_diagram`.

    Returns:
        List of dictionaries, one a layer: `text`, `shape` and `parameters`, strings; `kind`,
        "input", "layer" or "output"; and `is_frozen`.

    Raises:
        InputError: If the model is not built, or its layers do not form a chain.

    Example:
        >>> from kerashw.models import softmax_regression
        >>> [row["text"] for row in layer_rows(softmax_regression())]
        ['image', 'Flatten', 'Dense  10, softmax']
    """
    layers, rows = _chain(model), []
    outputs = _outputs(model)
    for number, (layer, output) in enumerate(layers):
        name = outputs.get(id(output))
        description = _description(layer)
        rows.append(
            {
                "text": f"{description} → {name}" if name else description,
                "shape": "×".join(map(str, output.shape[1:])) or "a number",
                "parameters": _parameters(layer),
                "kind": "input" if not number else "layer" if name is None else "output",
                "is_frozen": _is_frozen(layer),
            }
        )
    return rows


def _chain(model):
    """Return pairs of layer or operation, each with the previous one's output as input, and output.

    The output is that in this model: a layer can be part of other models too.
    """
    if not getattr(model, "inputs", None):
        raise InputError(f"the model must be built: functional or Sequential. Received: {model!r}")
    # A functional model has the calls inside a Sequential model, too.
    calls = calls_in_graph(keras.Model(model.inputs, model.outputs))
    previous = None
    for layer, inputs, outputs in calls:
        if any(tensor is not previous for tensor in inputs):
            raise _no_chain(f"{layer.name!r} has another input")
        previous = outputs[0]
    if len({id(layer) for layer, _, _ in calls}) < len(calls):
        raise _no_chain("a layer is used twice")
    return [(layer, outputs[0]) for layer, _, outputs in calls]


def _no_chain(reason):
    return InputError(
        "the layers must form a chain, each with the output of the previous one as its input. "
        f"Received: a model where {reason}"
    )


def _outputs(model):
    """Return a dict from the identity of each output to its name, or to '' without a name."""
    # A Sequential model has no `output` before its first call.
    named = getattr(model, "output", None)
    names = named if isinstance(named, dict) else {}
    return dict.fromkeys(map(id, model.outputs), "") | {id(names[name]): name for name in names}


def _description(layer):
    """Return the class of a layer and its settings, such as `Conv2D  32 of 3×3, relu`."""
    if isinstance(layer, keras.layers.InputLayer):
        return layer.name
    details = [str(getattr(layer, name)) for name in ("units", "rate") if hasattr(layer, name)]
    if isinstance(layer, DiagonalCount):
        details = [f"{layer.size}×{layer.size}"]
    for name in ("kernel_size", "pool_size"):
        if hasattr(layer, name):
            window = "×".join(map(str, getattr(layer, name)))
            details.append(f"{layer.filters} of {window}" if hasattr(layer, "filters") else window)
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    details += [activation] if activation != "linear" else []
    return f"{type(layer).__name__}  {', '.join(details)}".strip()


def _parameters(layer):
    count = layer.count_params() if isinstance(layer, keras.Layer) else 0
    return f"{count:,}{' frozen' if _is_frozen(layer) else ''}" if count else "–"


def _is_frozen(layer):
    return bool(getattr(layer, "non_trainable_weights", [])) and not layer.trainable_weights

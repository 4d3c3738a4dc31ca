"""A Keras model as a picture: a box a layer, the shape of what leaves it, and its parameters.

Style and colours are those of the other pictures: the input is blue, outputs are green, and the
outline of a layer with a frozen weight is broken. Lengths are in inches.
"""

import keras
import matplotlib
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from kerashw.errors import InputError
from kerashw.layers import DiagonalCount
from kerashw.models import TITLES
from kerashw.plots.style import (
    BLUE,
    FAINT,
    FILLS,
    GREEN,
    INK,
    STYLE,
    new_figure,
)

__all__ = ["model_diagram"]

WIDTH, LEFT, BOX, HEIGHT, ROW, HEAD = 7.4, 0.2, 3.4, 0.4, 0.66, 0.66
SHAPE, PARAMETERS = 4.8, 6.4
SIZE = 13


@matplotlib.rc_context(STYLE)
def model_diagram(model, title=None):
    """Draw a model whose layers form a chain, from its input down to its output.

    Args:
        model: Built `keras.Model`, functional or Sequential, with one input. Layers on the way may
            be outputs too.
        title: String to head it, by default what readers call the model.

    Returns:
        `matplotlib.figure.Figure`; beside each layer stand the shape of one example of what leaves
        it, and its parameters.

    Raises:
        InputError: If the model is not built, or its layers do not form a chain.

    Example:
        >>> from kerashw.models import softmax_regression
        >>> figure = model_diagram(softmax_regression())
        >>> [text.get_text() for text in figure.axes[0].texts][-3:]
        ['Dense  10, softmax', '10', '7,850']

    Reference:
        The homework, Question 4.
    """
    layers = _chain(model)
    height = HEAD + ROW * len(layers)
    figure = new_figure(WIDTH, height)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(-height, 0))
    axes.set_axis_off()
    centred = {"ha": "center", "va": "center", "size": SIZE, "parse_math": False}
    title = title or TITLES.get(model.name, model.name)
    axes.text(LEFT, -HEAD / 2, title, **centred | {"ha": "left", "weight": "bold"})
    axes.text(SHAPE, -HEAD / 2, "shape", color=FAINT, **centred)
    axes.text(PARAMETERS, -HEAD / 2, "parameters", color=FAINT, **centred)
    outputs = _outputs(model)
    for row, layer in enumerate(layers):
        y = -HEAD - ROW * row - HEIGHT / 2
        name = outputs.get(id(layer.output))
        color = BLUE if row == 0 else INK if name is None else GREEN
        _draw_box(axes, y, _is_frozen(layer), color)
        if row:
            _draw_arrow(axes, y + ROW - HEIGHT / 2, y + HEIGHT / 2)
        text = f"{_description(layer)} → {name}" if name else _description(layer)
        axes.text(LEFT + BOX / 2, y, text, **centred)
        axes.text(SHAPE, y, "×".join(map(str, layer.output.shape[1:])) or "a number", **centred)
        axes.text(PARAMETERS, y, _parameters(layer), **centred)
    return figure


def _chain(model):
    """Return the layers and operations of a model, each after the one whose output it takes."""
    if not getattr(model, "inputs", None):
        raise InputError(f"the model must be built: functional or Sequential. Received: {model!r}")
    # The functional twin of a Sequential model knows its operations too.
    layers = keras.Model(model.inputs, model.outputs).operations
    for before, layer in zip([None, *layers], layers, strict=False):
        taken = keras.tree.flatten(layer.input) if before else []
        if any(tensor is not before.output for tensor in taken):
            raise _no_chain(f"{layer.name!r} takes something else")
    # A layer that is used twice, here or elsewhere, knows the first of its outputs only.
    if any(all(tensor is not layer.output for layer in layers) for tensor in model.outputs):
        raise _no_chain("a layer is used twice, or in another model too")
    return layers


def _no_chain(reason):
    return InputError(
        "the layers must form a chain, each taking the output of the one before it. "
        f"Received: a model where {reason}"
    )


def _outputs(model):
    """Return a model's outputs by identity: their names, empty where they have none."""
    # A Sequential model has no `output` until it is called.
    named = getattr(model, "output", None)
    names = named if isinstance(named, dict) else {}
    return dict.fromkeys(map(id, model.outputs), "") | {id(names[name]): name for name in names}


def _description(layer):
    """Say what a layer is, as `Conv2D  32 of 3×3, relu`."""
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
    number = layer.count_params() if isinstance(layer, keras.Layer) else 0
    return f"{number:,}{' frozen' if _is_frozen(layer) else ''}" if number else "–"


def _is_frozen(layer):
    return bool(getattr(layer, "non_trainable_weights", [])) and not layer.trainable_weights


def _draw_box(axes, y, frozen, color):
    style = {"boxstyle": "round,pad=0,rounding_size=0.08", "ec": color, "fc": FILLS[color]}
    line = {"lw": 1.8, "linestyle": (0, (4, 2)) if frozen else "-"}
    axes.add_patch(FancyBboxPatch((LEFT, y - HEIGHT / 2), BOX, HEIGHT, **style, **line))


def _draw_arrow(axes, top, bottom):
    x, style = LEFT + BOX / 2, {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 1.4}
    arrow = FancyArrowPatch((x, top), (x, bottom), color=INK, shrinkA=0, shrinkB=0, **style)
    axes.add_patch(arrow)

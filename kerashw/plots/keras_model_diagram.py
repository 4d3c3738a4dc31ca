"""A diagram of a Keras model: one box for each layer, with its output shape and its parameters.

The input is blue, outputs are green, and the outline of a layer with frozen weights is dashed.
"""

import keras
import matplotlib
from matplotlib.patches import FancyArrowPatch

from kerashw.errors import InputError
from kerashw.layers import DiagonalCount
from kerashw.models import TITLES
from kerashw.plots.style import BLUE, FAINT, GREEN, INK, STYLE, draw_box, new_figure

# Lengths are in inches. First the figure's width, its header and the distance between rows.
WIDTH, HEADER, ROW = 7.4, 0.66, 0.66
LEFT, BOX_WIDTH, BOX_HEIGHT = 0.2, 3.4, 0.4
SHAPE_COLUMN, PARAMETERS_COLUMN = 4.8, 6.4
TEXT = {"ha": "center", "va": "center", "size": 13, "parse_math": False}


@matplotlib.rc_context(STYLE)
def model_diagram(model, title=None):
    """Draw a model whose layers form a chain, from its input down to its output.

    Args:
        model: Built `keras.Model`, functional or Sequential, with one input. Intermediate layers
            may also be outputs.
        title: String; by default, the model's title in reports.

    Returns:
        `matplotlib.figure.Figure` with the output shape of one example and the number of parameters
        beside each layer.

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
    height = HEADER + ROW * len(layers)
    axes = new_figure(WIDTH, height).add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(-height, 0))
    axes.set_axis_off()
    title = title or TITLES.get(model.name, model.name)
    axes.text(LEFT, -HEADER / 2, title, **TEXT | {"ha": "left", "weight": "bold"})
    axes.text(SHAPE_COLUMN, -HEADER / 2, "shape", color=FAINT, **TEXT)
    axes.text(PARAMETERS_COLUMN, -HEADER / 2, "parameters", color=FAINT, **TEXT)
    outputs = _outputs(model)
    for row, layer in enumerate(layers):
        y = -HEADER - ROW * row - BOX_HEIGHT / 2
        _draw_layer(axes, y, layer, row == 0, outputs.get(id(layer.output)))
        if row:
            _draw_arrow(axes, y + ROW - BOX_HEIGHT / 2, y + BOX_HEIGHT / 2)
    return axes.figure


def _chain(model):
    """Return the layers and operations of a model, each with the previous one's output as input."""
    if not getattr(model, "inputs", None):
        raise InputError(f"the model must be built: functional or Sequential. Received: {model!r}")
    # A functional model has the operations of a Sequential model, too.
    layers = keras.Model(model.inputs, model.outputs).operations
    for previous, layer in zip([None, *layers], layers, strict=False):
        inputs = keras.tree.flatten(layer.input) if previous else []
        if any(tensor is not previous.output for tensor in inputs):
            raise _no_chain(f"{layer.name!r} has another input")
    # `output` of a layer that is used twice, in this or another model, is only its first output.
    if any(all(tensor is not layer.output for layer in layers) for tensor in model.outputs):
        raise _no_chain("a layer is used twice, or in another model too")
    return layers


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


def _draw_layer(axes, y, layer, is_input, output_name):
    """Draw a layer's box, and write its output shape and its parameters beside it."""
    color = BLUE if is_input else INK if output_name is None else GREEN
    linestyle = (0, (4, 2)) if _is_frozen(layer) else "-"
    center = (LEFT + BOX_WIDTH / 2, y)
    draw_box(axes, center, (BOX_WIDTH, BOX_HEIGHT), color, linestyle=linestyle)
    description = _description(layer)
    text = f"{description} → {output_name}" if output_name else description
    axes.text(*center, text, **TEXT)
    shape = "×".join(map(str, layer.output.shape[1:])) or "a number"
    axes.text(SHAPE_COLUMN, y, shape, **TEXT)
    axes.text(PARAMETERS_COLUMN, y, _parameters(layer), **TEXT)


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


def _draw_arrow(axes, top, bottom):
    x, style = LEFT + BOX_WIDTH / 2, {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 1.4}
    arrow = FancyArrowPatch((x, top), (x, bottom), color=INK, shrinkA=0, shrinkB=0, **style)
    axes.add_patch(arrow)

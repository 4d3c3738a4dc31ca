"""Every picture of a training run, one function each; nothing here computes more than a layout.

Each function returns a `matplotlib.figure.Figure` that belongs to nobody else: no pyplot, no
window. The colours are those of Okabe and Ito, which colour-blind readers can tell apart; a model
has the same one in every picture. The background is white, so that a picture reads the same on a
light page and on a dark one.
"""

import math

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.patches import Rectangle

from kerashw.panels import (
    FAINT,
    GRID,
    HOUSE_STYLE,
    INK,
    brief,
    curve,
    epoch_panel,
    label_ends,
    limits,
    new_figure,
)
from kerashw.results import TITLES

COLORS = {
    "softmax": "#D55E00",
    "mlp": "#009E73",
    "convnet": "#0072B2",
    "factored": "#CC79A7",
    "diagonal": "#000000",
    "learned_diagonal": "#882255",
}
# The homework's headline, in percent.
HEADLINE = 98.33
MISTAKES_COLORS = LinearSegmentedColormap.from_list("mistakes", ["#FFF1E5", "#F0A064", "#A63F00"])
DIAGONAL = "#F0F0F0"
IMAGES_IN_A_ROW = 5
LONGEST_NAME = 12


@matplotlib.rc_context(HOUSE_STYLE)
def learning_curves(history):
    """Draw a model's train loss, test loss and test accuracy by epoch, as the homework does.

    The two losses have one scale, so that they can be compared.

    Args:
        history: Dict as in `history.json`: `model`, `parameters`, and `epochs`, a list of dicts of
            `epoch`, `train_loss`, `test_loss`, `test_accuracy`, `seconds`; at least one epoch.

    Returns:
        `matplotlib.figure.Figure` with three panels.

    Example:
        >>> epoch = {"epoch": 1, "train_loss": 0.4, "test_loss": 0.3, "test_accuracy": 0.92}
        >>> figure = learning_curves({"model": "mlp", "parameters": 669706, "epochs": [epoch]})
        >>> [panel.get_title(loc="left") for panel in figure.axes]
        ['train loss (nats)', 'test loss (nats)', 'test accuracy (%)']
    """
    figure = new_figure(11, 3.8)
    title = f"{_title(history)}, {history['parameters']:,} parameters"
    figure.suptitle(title, x=0.05, y=0.97, ha="left", weight="bold", parse_math=False)
    room = {"left": 0.05, "right": 0.91, "bottom": 0.15, "top": 0.78, "wspace": 0.52}
    panels = figure.subplots(1, 3, gridspec_kw=room)
    losses = [_column(history, "train_loss"), _column(history, "test_loss")]
    ends = limits(losses[0] + losses[1], least=0.02)
    for panel, name, values in zip(panels, ("train", "test"), losses, strict=False):
        _curve_panel(panel, history, values, f"{name} loss (nats)", ends, brief)
    percent = _percent(history)
    ends = limits(percent, least=0.5, ceiling=100)
    _curve_panel(panels[2], history, percent, "test accuracy (%)", ends, "{:.2f} %".format)
    return figure


@matplotlib.rc_context(HOUSE_STYLE)
def comparison(histories, headline=True):
    """Draw the test accuracy of all models by epoch.

    Args:
        histories: List of dicts as in `history.json`, at least one.
        headline: Boolean; whether to mark what the homework says of the ConvNet's first epoch on
            MNIST, where the ConvNet is among the models.

    Returns:
        `matplotlib.figure.Figure`; each line's name stands at its end.

    Example:
        >>> epochs = [{"epoch": 1, "test_accuracy": 0.92}, {"epoch": 2, "test_accuracy": 0.93}]
        >>> figure = comparison([{"model": "softmax", "epochs": epochs}])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['93.00 %  softmax regression']
    """
    figure = new_figure(9, 4.6)
    axes = figure.add_axes((0.06, 0.125, 0.62, 0.765))
    headline = headline and any(history["model"] == "convnet" for history in histories)
    values = sum(map(_percent, histories), [HEADLINE] if headline else [])
    # All of them: a model that is not trained has an epoch 0 alone.
    epochs = sorted(set().union(*(_column(history, "epoch") for history in histories)))
    ends = limits(values, least=0.5, ceiling=100)
    epoch_panel(axes, epochs, "test accuracy (%)", ends)
    labels = [
        _draw(axes, history, _percent(history), f"{{:.2f}} %  {_title(history)}".format)
        for history in histories
    ]
    if headline:
        axes.axhline(HEADLINE, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        text = f"{HEADLINE:.2f} %  homework:\nConvNet after epoch 1"
        labels.append((axes.get_xlim()[1], HEADLINE, text, {"color": FAINT, "size": 9.5}))
    label_ends(axes, labels)
    return figure


@matplotlib.rc_context(HOUSE_STYLE)
def confusion_matrix(counts, classes):
    """Draw how many examples of each class were taken for which.

    The colour is the mistakes' alone: it would show nothing if the right answers had part in it.

    Args:
        counts: Integer array (C, C), the examples by right class (row) and predicted class
            (column).
        classes: Sequence of C strings, the classes' names.

    Returns:
        `matplotlib.figure.Figure` with the counts in its cells; zeros are left blank.

    Example:
        >>> figure = confusion_matrix(np.array([[8, 2], [0, 9]]), ["cat", "dog"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['8', '2', '9']
    """
    counts = np.asarray(counts)
    names = [_short(name) for name in classes]
    longest = max(map(len, names))
    side = 0.56 * len(names) + 0.08 * longest + 1.3
    figure = new_figure(side, side, layout="constrained")
    axes = figure.add_subplot()
    wrong = np.where(np.eye(len(names), dtype=bool), 0, counts)
    # The square root, or the commonest mistake would leave all others pale.
    shades = PowerNorm(0.5, 0, max(wrong.max(), 1))(wrong)
    axes.imshow(np.ma.masked_equal(shades, 0), MISTAKES_COLORS, vmin=0, vmax=1)
    for row, column in np.argwhere(counts):
        _write_count(axes, row, column, counts[row, column], shades[row, column])
    _name_classes(axes, names, turned=longest > 4)
    title = f"{wrong.sum():,} of {counts.sum():,} wrong"
    axes.set_title(title, pad=10, weight="bold")
    return figure


@matplotlib.rc_context(HOUSE_STYLE)
def mistakes(mistakes, classes):
    """Draw wrongly classified images, the one that the model was surest of first.

    Args:
        mistakes: `kerashw.results.Mistakes` of M images (M, height, width), M at least 0.
        classes: Sequence of the classes' names.

    Returns:
        `matplotlib.figure.Figure` of five images a row, each with its right class, the predicted
        one and the prediction's probability.

    Example:
        >>> from kerashw.results import Mistakes
        >>> images = np.zeros((1, 28, 28), "uint8")
        >>> figure = mistakes(Mistakes(images, [4], [9], [0.998], total=1), "0123456789")
        >>> figure.axes[0].get_title(loc="center")
        '4 → 9, 99.8 %'
    """
    shown = len(mistakes.images)
    names = [_short(name) for name in classes]
    two_lines = max(map(len, names)) > 2
    if not shown:
        figure = new_figure(8, 0.8)
        figure.text(0.5, 0.5, "no mistakes", ha="center", va="center", weight="bold")
        return figure
    which = f"the {shown} surest of {mistakes.total:,}" if shown < mistakes.total else "all"
    title = f"{which} mistakes: true class → predicted class, its probability"
    gap = "\n" if two_lines else " "
    panels = _image_panels(math.ceil(shown / IMAGES_IN_A_ROW), two_lines, title)
    for number, panel in enumerate(panels):
        if number >= shown:
            panel.set_axis_off()
            continue
        true, predicted = names[mistakes.labels[number]], names[mistakes.predictions[number]]
        confidence = f"{100 * mistakes.confidences[number]:.1f} %"
        text = f"{true}{gap}→ {predicted}, {confidence}"
        _show_image(panel, mistakes.images[number], text)
    return panels[0].figure


def _draw(axes, history, values, label):
    """Draw a model's curve; return its label, `label` of its last value, for `label_ends`."""
    epochs, color = _column(history, "epoch"), COLORS.get(history["model"], INK)
    curve(axes, epochs, values, color)
    style = {"color": color, "size": 11, "weight": "bold"}
    return epochs[-1], values[-1], label(values[-1]), style


def _curve_panel(axes, history, values, title, ends, label):
    epoch_panel(axes, _column(history, "epoch"), title, ends)
    label_ends(axes, [_draw(axes, history, values, label)])


def _write_count(axes, row, column, count, shade):
    """Write a count into its cell: faint where right, light where its cell is dark."""
    right = row == column
    color = FAINT if right else "white" if shade > 0.75 else INK
    axes.text(column, row, f"{count:,}", ha="center", va="center", color=color, size=10)
    if right:
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=DIAGONAL, zorder=0))


def _name_classes(axes, names, turned):
    places = np.arange(len(names))
    axes.set_xticks(places, names, rotation=90 if turned else 0, parse_math=False)
    axes.set_yticks(places, names, parse_math=False)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.tick_params(length=0, colors=INK, labelsize=11)
    # White lines between the cells.
    for border in places[1:] - 0.5:
        axes.axhline(border, color="white")
        axes.axvline(border, color="white")
    axes.spines[:].set_color(GRID)


def _image_panels(rows, two_lines, title):
    """Return the panels of a new figure, each with room for a title of one or two lines."""
    side, gap, above = (1.9, 0.2, 0.55) if two_lines else (1.5, 0.15, 0.35)
    width = IMAGES_IN_A_ROW * (side + gap) + gap
    height = rows * (side + above) + 0.5
    figure = new_figure(width, height)
    figure.suptitle(title, x=gap / width, y=1 - 0.12 / height, ha="left", weight="bold")
    room = {"left": gap / width, "right": 1 - gap / width, "wspace": gap / side}
    room |= {"bottom": 0.12 / height, "top": 1 - (above + 0.38) / height, "hspace": above / side}
    return figure.subplots(rows, IMAGES_IN_A_ROW, squeeze=False, gridspec_kw=room).ravel()


def _show_image(axes, image, title):
    axes.imshow(image, "gray_r", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color(GRID)
    axes.set_title(title, loc="center", size=10.5, pad=4, parse_math=False)


def _title(history):
    return TITLES.get(history["model"], history["model"])


def _column(history, name):
    return [epoch[name] for epoch in history["epochs"]]


def _percent(history):
    return [100 * share for share in _column(history, "test_accuracy")]


def _short(name):
    """Return a class's name on one line, cut where it is too long."""
    name = " ".join(str(name).split())
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"

"""Learning curves of one model, and the test accuracy of several models by epoch."""

import matplotlib

from kerashw.models import TITLES
from kerashw.plots.epoch_axes import (
    HOMEWORK_ACCURACY,
    brief,
    curve,
    epoch_panel,
    limits,
    mark_homework_accuracy,
)
from kerashw.plots.label_placement import label_ends
from kerashw.plots.style import (
    INK,
    MODEL_COLORS,
    STYLE,
    new_figure,
)


@matplotlib.rc_context(STYLE)
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


@matplotlib.rc_context(STYLE)
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
    values = sum(map(_percent, histories), [HOMEWORK_ACCURACY] if headline else [])
    # All of them: a model that is not trained has an epoch 0 alone.
    epochs = sorted(set().union(*(_column(history, "epoch") for history in histories)))
    ends = limits(values, least=0.5, ceiling=100)
    epoch_panel(axes, epochs, "test accuracy (%)", ends)
    labels = [
        _draw(axes, history, _percent(history), f"{{:.2f}} %  {_title(history)}".format)
        for history in histories
    ]
    if headline:
        labels.append(mark_homework_accuracy(axes))
    label_ends(axes, labels)
    return figure


def _draw(axes, history, values, label):
    """Draw a model's curve; return its label, `label` of its last value, for `label_ends`."""
    epochs, color = _column(history, "epoch"), MODEL_COLORS.get(history["model"], INK)
    curve(axes, epochs, values, color)
    style = {"color": color, "size": 11, "weight": "bold"}
    return epochs[-1], values[-1], label(values[-1]), style


def _curve_panel(axes, history, values, title, ends, label):
    epoch_panel(axes, _column(history, "epoch"), title, ends)
    label_ends(axes, [_draw(axes, history, values, label)])


def _title(history):
    return TITLES.get(history["model"], history["model"])


def _column(history, name):
    return [epoch[name] for epoch in history["epochs"]]


def _percent(history):
    return [100 * share for share in _column(history, "test_accuracy")]

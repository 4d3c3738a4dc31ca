"""Learning curves of one model, and the test accuracy of several models by epoch."""

import matplotlib

from kerashw.histories import evaluated_on
from kerashw.model_names import colors_of, short_title
from kerashw.plots.epoch_axes import (
    HOMEWORK_ACCURACY,
    axis_limits,
    mark_homework_accuracy,
    plot_curve,
    set_up_epoch_axes,
    short_number,
)
from kerashw.plots.label_placement import CURVE_LABEL, label_ends
from kerashw.plots.style import STYLE, new_figure


@matplotlib.rc_context(STYLE)
def learning_curves(history, color=None):
    """Plot a model's train loss, test loss and test accuracy by epoch, as in the homework.

    The two losses have the same scale. Epochs that were evaluated on validation examples have their
    loss and accuracy in the place of those of the test.

    Args:
        history: Dict as in `history.json`: `model`, `parameters`, and `epochs`, a list of dicts of
            `epoch`, `train_loss`, `test_loss`, `test_accuracy`, `seconds`; at least one epoch.
        color: A matplotlib colour; by default that of the model.

    Returns:
        `matplotlib.figure.Figure` with three subplots.

    Example:
        >>> epoch = {"epoch": 1, "train_loss": 0.4, "test_loss": 0.3, "test_accuracy": 0.92}
        >>> figure = learning_curves({"model": "mlp", "parameters": 669706, "epochs": [epoch]})
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['train loss (nats)', 'test loss (nats)', 'test accuracy (%)']
    """
    figure = new_figure(11, 3.8)
    title = f"{_title(history)}, {history['parameters']:,} parameters"
    figure.suptitle(title, x=0.05, y=0.97, ha="left", weight="bold", parse_math=False)
    margins = {"left": 0.05, "right": 0.91, "bottom": 0.15, "top": 0.78, "wspace": 0.52}
    train, test, accuracy = figure.subplots(1, 3, gridspec_kw=margins)
    examples = evaluated_on(history)
    losses = [_column(history, "train_loss"), _column(history, f"{examples}_loss")]
    limits = axis_limits(losses[0] + losses[1], least=0.02)
    color = color or colors_of([history["model"]])[history["model"]]
    history = history | {"color": color}
    _plot_single(train, history, losses[0], "train loss (nats)", limits, short_number)
    _plot_single(test, history, losses[1], f"{examples} loss (nats)", limits, short_number)
    percent = _percent(history)
    limits = axis_limits(percent, least=0.5, ceiling=100)
    title = f"{examples} accuracy (%)"
    _plot_single(accuracy, history, percent, title, limits, "{:.2f} %".format)
    return figure


@matplotlib.rc_context(STYLE)
def comparison(histories, homework_accuracy=True):
    """Plot the test accuracy of all models by epoch.

    Args:
        histories: List of dicts as in `history.json`, at least one.
        homework_accuracy: Boolean, whether to mark the accuracy that the homework reports for the
            ConvNet's first epoch on MNIST, if the ConvNet is among the models.

    Returns:
        `matplotlib.figure.Figure` with a label at the end of each curve.

    Example:
        >>> epochs = [{"epoch": 1, "test_accuracy": 0.92}, {"epoch": 2, "test_accuracy": 0.93}]
        >>> figure = comparison([{"model": "softmax", "epochs": epochs}])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['93.00 %  softmax regression']
    """
    axes = new_figure(9, 4.6).add_axes((0.06, 0.125, 0.62, 0.765))
    marked = homework_accuracy and any(history["model"] == "convnet" for history in histories)
    values = sum(map(_percent, histories), [HOMEWORK_ACCURACY] if marked else [])
    # A model without training has only epoch 0.
    epochs = sorted(set().union(*(_column(history, "epoch") for history in histories)))
    limits = axis_limits(values, least=0.5, ceiling=100)
    set_up_epoch_axes(axes, epochs, f"{evaluated_on(histories[0])} accuracy (%)", limits)
    colors = colors_of([history["model"] for history in histories])
    labels = [
        _plot(
            axes,
            history | {"color": colors[history["model"]]},
            _percent(history),
            f"{{:.2f}} %  {_title(history)}".format,
        )
        for history in histories
    ]
    if marked:
        labels.append(mark_homework_accuracy(axes))
    label_ends(axes, labels)
    return axes.figure


def _plot_single(axes, history, values, title, limits, format_value):
    """Plot one curve on axes of its own."""
    set_up_epoch_axes(axes, _column(history, "epoch"), title, limits)
    label_ends(axes, [_plot(axes, history, values, format_value)])


def _plot(axes, history, values, format_value):
    """Plot a model's curve; return the label of its last value, for `label_ends`."""
    epochs, color = _column(history, "epoch"), history["color"]
    plot_curve(axes, epochs, values, color)
    return epochs[-1], values[-1], format_value(values[-1]), {"color": color} | CURVE_LABEL


def _title(history):
    return short_title(history["model"])


def _column(history, name):
    return [epoch[name] for epoch in history["epochs"]]


def _percent(history):
    return [100 * value for value in _column(history, f"{evaluated_on(history)}_accuracy")]

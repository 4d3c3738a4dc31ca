"""Plots of the measurements for the homework's claims of Questions 2 and 4."""

import matplotlib
import numpy as np

from kerashw.model_names import COLORS, TITLES
from kerashw.plots.epoch_axes import (
    HOMEWORK_ACCURACY,
    axis_limits,
    mark_homework_accuracy,
    set_up_epoch_axes,
)
from kerashw.plots.label_placement import CURVE_LABEL, label_ends
from kerashw.plots.style import GRID, INK, STYLE, new_figure

# A hypothesis space's name in the data → its title and its colour.
SPACES = {"h1": ("H1", COLORS["softmax"]), "h2": ("H2", COLORS["convnet"])}


@matplotlib.rc_context(STYLE)
def training_paths(paths):
    """Plot the paths of gradient descent from the same start in the two hypothesis spaces.

    Args:
        paths: Dict of `step`, a list of integers; `test_accuracy_in_h1` and `test_accuracy_in_h2`,
            lists of floats in [0, 1], one for each step; and `plane`, a dict of `h1` and `h2`,
            lists of points (x, y) with the start at (0, 0), and `share`, the share of the squared
            length of both paths that lies in the plane.

    Returns:
        `matplotlib.figure.Figure` with two subplots: the two paths in the plane, and the test
        accuracy by step.

    Example:
        >>> plane = {"h1": [(0, 0), (2, -1)], "h2": [(0, 0), (3, 1)], "share": 0.98}
        >>> accuracy = {"test_accuracy_in_h1": [0.1, 0.8], "test_accuracy_in_h2": [0.1, 0.9]}
        >>> figure = training_paths({"step": [0, 9], "plane": plane} | accuracy)
        >>> [text.get_text() for text in figure.axes[1].texts]
        ['80.00 %  H1', '90.00 %  H2']
    """
    figure = new_figure(11, 4.4)
    title = "One start, the same batches: gradient descent in H1 and in H2"
    figure.suptitle(title, x=0.05, y=0.97, ha="left", weight="bold")
    _plot_paths(figure.add_axes((0.05, 0.13, 0.4, 0.68)), paths)
    _plot_accuracies(figure.add_axes((0.53, 0.13, 0.34, 0.68)), paths)
    return figure


@matplotlib.rc_context(STYLE)
def accuracy_over_seeds(trained):
    """Plot the mean and the range of the models' test accuracy over the seeds, by epoch.

    Args:
        trained: Dict, model's name → list of dicts, one for each seed, with `test_accuracy`, a list
            of floats in [0, 1], one for each epoch.

    Returns:
        `matplotlib.figure.Figure` with the last mean and the model's title at the end of each
        curve.

    Example:
        >>> trained = {"softmax": [{"test_accuracy": [0.9, 0.92]}, {"test_accuracy": [0.9, 0.93]}]}
        >>> figure = accuracy_over_seeds(trained)
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['92.50 %  softmax regression']
    """
    percent = {name: _percent(histories) for name, histories in trained.items()}
    epochs = range(1, max(values.shape[1] for values in percent.values()) + 1)
    shown = [number for values in percent.values() for number in values.ravel()]
    shown += [HOMEWORK_ACCURACY] if "convnet" in percent else []
    seeds = max(map(len, percent.values()))
    details = f", mean and range of {seeds} seeds" if seeds > 1 else ""
    axes = new_figure(9, 4.6).add_axes((0.06, 0.125, 0.62, 0.765))
    limits = axis_limits(shown, least=0.5, ceiling=100)
    set_up_epoch_axes(axes, list(epochs), f"test accuracy (%){details}", limits)
    labels = [_plot_model(axes, name, values, len(epochs)) for name, values in percent.items()]
    if "convnet" in percent:
        labels.append(mark_homework_accuracy(axes))
    label_ends(axes, labels)
    return axes.figure


def _plot_paths(axes, paths):
    """Plot the path of W in each space, projected onto the plane."""
    steps, share = paths["step"], paths["plane"]["share"]
    axes.set_title(f"the path of W, a dot every {steps[1]} steps", pad=10)
    axes.set(xlabel=f"in the plane that holds {100 * share:.0f} % of both")
    for space, (name, color) in SPACES.items():
        x, y = np.transpose(paths["plane"][space])
        axes.plot(x, y, color=color, marker="o", markersize=4)
        text, below = f"{name}, step {steps[-1]}", y[-1] < 0
        position = {"xytext": (0, -9 if below else 9), "textcoords": "offset points"}
        position |= {"ha": "right", "va": "top" if below else "bottom"}
        axes.annotate(text, (x[-1], y[-1]), color=color, **position, **CURVE_LABEL)
    axes.plot(0, 0, color=INK, marker="o", markersize=7)
    position = {"xytext": (0, 9), "textcoords": "offset points", "ha": "left"}
    axes.annotate("start", (0, 0), color=INK, **position, **CURVE_LABEL)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08, 0.25)
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=INK, labelsize=10, length=0)


def _plot_accuracies(axes, paths):
    # The start is omitted: its low accuracy would compress the rest of the scale.
    steps, labels = paths["step"][1:], []
    percent = {s: 100 * np.array(paths[f"test_accuracy_in_{s}"][1:]) for s in SPACES}
    limits = axis_limits(np.concatenate(list(percent.values())), least=0.5, ceiling=100)
    set_up_epoch_axes(axes, steps, "test accuracy (%)", limits)
    axes.set(xlabel="step")
    for space, (name, color) in SPACES.items():
        axes.plot(steps, percent[space], color=color)
        text = f"{percent[space][-1]:.2f} %  {name}"
        labels.append((steps[-1], percent[space][-1], text, {"color": color} | CURVE_LABEL))
    label_ends(axes, labels)


def _plot_model(axes, name, values, longest):
    """Plot a model's mean and range; return its label, for `label_ends`."""
    epochs, color = np.arange(1, values.shape[1] + 1), COLORS[name]
    mean, extremes = values.mean(axis=0), (values.min(axis=0), values.max(axis=0))
    if len(epochs) > 1:
        axes.fill_between(epochs, *extremes, color=color, alpha=0.2, linewidth=0)
    elif len(values) > 1:
        axes.vlines(epochs, *extremes, color=color, alpha=0.4, linewidth=6)
    axes.plot(epochs, mean, color=color, marker="o", clip_on=False)
    suffix = f", epoch {epochs[-1]}" if len(epochs) < longest else ""
    text = f"{mean[-1]:.2f} %  {TITLES[name]}{suffix}"
    return epochs[-1], mean[-1], text, {"color": color} | CURVE_LABEL


def _percent(histories):
    return 100 * np.array([history["test_accuracy"] for history in histories])

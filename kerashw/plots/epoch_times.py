"""The time of an epoch by the number of training examples and by the batch size."""

import statistics

import matplotlib
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from kerashw.model_names import COLORS, TITLES
from kerashw.plots.style import FAINT, STYLE, draw_horizontal_grid, new_figure


@matplotlib.rc_context(STYLE)
def epoch_times(measurements):
    """Plot the time of an epoch by the number of training examples and by the batch size.

    Args:
        measurements: List of objects, one for each model, with the attributes `model`, its name;
            `by_examples`, a dict from the number of training examples to a list of seconds; and
            `by_batch_size`, a dict from the batch size to a list of seconds.

    Returns:
        `matplotlib.figure.Figure` with two subplots of the median times; all axes are logarithmic.
        In the left one, a dashed line through the time for the largest number of examples shows
        linear growth.

    Example:
        >>> from types import SimpleNamespace
        >>> times = {"by_examples": {30000: [1.0], 60000: [2.1]}, "by_batch_size": {128: [2.1]}}
        >>> figure = epoch_times([SimpleNamespace(model="mlp", **times)])
        >>> [text.get_text() for text in figure.axes[1].texts]
        ['MLP']
    """
    figure = new_figure(11, 4.6)
    left, right = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.065, right=0.86, top=0.88, bottom=0.13, wspace=0.1)
    for measurement in measurements:
        color = COLORS[measurement.model]
        _plot_linear_growth(left, _medians(measurement.by_examples))
        for axes, seconds in ((left, measurement.by_examples), (right, measurement.by_batch_size)):
            sizes, times = zip(*_medians(seconds).items(), strict=True)
            axes.plot(sizes, times, color=color, marker="o", clip_on=False)
        _label_curve(right, sizes[-1], times[-1], TITLES[measurement.model], color)
    first = measurements[0]
    _set_up_axes(left, list(first.by_examples), "training examples, in batches of 128")
    _set_up_axes(right, list(first.by_batch_size), "batch size, all training examples")
    left.set_title("seconds an epoch; dashed: in proportion", pad=10)
    right.set_title("the same by the batch size", pad=10)
    return figure


def _medians(seconds):
    return {size: statistics.median(times) for size, times in seconds.items()}


def _plot_linear_growth(axes, medians):
    largest = max(medians)
    slope = medians[largest] / largest
    linear = [slope * size for size in medians]
    axes.plot(list(medians), linear, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))


def _label_curve(axes, x, y, text, color):
    position = {"xytext": (12, 0), "textcoords": "offset points", "va": "center"}
    axes.annotate(text, (x, y), color=color, annotation_clip=False, **position)


def _set_up_axes(axes, sizes, label):
    axes.set(xscale="log", yscale="log", xlabel=label)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    draw_horizontal_grid(axes)

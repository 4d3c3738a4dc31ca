"""Axes of a quantity by epoch: limits, ticks, number format and curves."""

import math

from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

from kerashw.plots.style import FAINT, draw_horizontal_grid

# The test accuracy that the homework reports for the ConvNet's first epoch, in percent.
HOMEWORK_ACCURACY = 98.33


def axis_limits(values, least, ceiling=math.inf):
    """Return the limits of an axis for values that are never negative.

    Args:
        values: List of floats; values that are not finite are ignored.
        least: Positive float, the smallest range of the axis, so that noise looks small.
        ceiling: Float, the largest possible value.

    Returns:
        Pair of floats.

    Example:
        >>> axis_limits([100.0, 100.0], least=0.5, ceiling=100)
        (99.75, 100)
    """
    finite = [value for value in values if math.isfinite(value)] or [0]
    low, high = min(finite), max(finite)
    margin = max(0.05 * (high - low), (least - (high - low)) / 2)
    return max(low - margin, 0), min(high + margin, ceiling)


def short_number(value):
    """Format a number with three significant digits, with a short exponent for large numbers.

    Args:
        value: Float.

    Returns:
        String.

    Example:
        >>> short_number(0.27193), short_number(12345.6)
        ('0.272', '1.23e4')
    """
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e")


def set_up_epoch_axes(axes, epochs, title, limits):
    """Set the title, limits, ticks and grid of axes of a quantity by epoch.

    Args:
        axes: `matplotlib.axes.Axes`.
        epochs: List of integers, the epoch numbers in rising order.
        title: String, the quantity with its unit.
        limits: Pair of floats, the limits of the vertical axis.
    """
    first, last = epochs[0], epochs[-1]
    margin = 0.03 * (last - first) or 0.5
    axes.set(xlim=(first - margin, last + margin), ylim=limits, xlabel="epoch")
    axes.set_title(title, pad=10)
    axes.set_xticks(_epoch_ticks(epochs))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(_tick_formatter(limits))
    draw_horizontal_grid(axes)


def plot_curve(axes, epochs, values, color):
    """Plot a curve, with a marker at each of up to 20 epochs, or else only at the last one.

    Args:
        axes: `matplotlib.axes.Axes`.
        epochs: List of integers, the epoch numbers.
        values: List of floats, one for each epoch.
        color: A matplotlib colour.
    """
    markers = list(range(len(epochs))) if len(epochs) <= 20 else [len(epochs) - 1]
    axes.plot(epochs, values, color=color, marker="o", markevery=markers, clip_on=False)


def mark_homework_accuracy(axes):
    """Draw the accuracy that the homework reports for the ConvNet as a dashed line.

    Args:
        axes: `matplotlib.axes.Axes` of accuracies in percent, with final limits.

    Returns:
        The line's label, for `kerashw.plots.label_placement.label_ends`.
    """
    axes.axhline(HOMEWORK_ACCURACY, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    text = f"{HOMEWORK_ACCURACY:.2f} %  homework:\nConvNet after epoch 1"
    return axes.get_xlim()[1], HOMEWORK_ACCURACY, text, {"color": FAINT, "size": 9.5}


def _epoch_ticks(epochs):
    """Return all of up to 10 epochs, or else the first one and round numbers."""
    first, last = epochs[0], epochs[-1]
    if len(epochs) <= 10:
        return epochs
    ticks = MaxNLocator(nbins=6, integer=True).tick_values(first, last)
    return [first, *(int(tick) for tick in ticks if first < tick <= last)]


def _tick_formatter(limits):
    """Return a formatter with equal decimals at all ticks, or short numbers for large values."""
    if limits[1] >= 1e4:
        return FuncFormatter(lambda value, _: short_number(value))
    plain = ScalarFormatter(useOffset=False)
    plain.set_scientific(False)
    return plain

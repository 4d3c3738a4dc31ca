"""Axes of a value by epoch: limits, ticks, number format and curves."""

import math

from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

from kerashw.plots.style import FAINT, GRID, INK

# What the homework says of the ConvNet's test accuracy after its first epoch, in percent.
HOMEWORK_ACCURACY = 98.33


def limits(values, least, ceiling=math.inf):
    """Return the ends of an axis for numbers that are never negative.

    Args:
        values: List of floats; those that are not finite have no say.
        least: Positive float that the axis spans at least, so that noise does not look like news.
        ceiling: Float, the largest value that is possible.

    Returns:
        Pair of floats.

    Example:
        >>> limits([100.0, 100.0], least=0.5, ceiling=100)
        (99.75, 100)
    """
    finite = [value for value in values if math.isfinite(value)] or [0]
    low, high = min(finite), max(finite)
    spare = max(0.05 * (high - low), (least - (high - low)) / 2)
    return max(low - spare, 0), min(high + spare, ceiling)


def brief(value):
    """Write a number with three digits that say something, a very large one too.

    Args:
        value: Float.

    Returns:
        String.

    Example:
        >>> brief(0.27193), brief(12345.6)
        ('0.272', '1.23e4')
    """
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e")


def epoch_panel(axes, epochs, title, ends):
    """Set up a panel of something by epoch.

    Args:
        axes: `matplotlib.axes.Axes`.
        epochs: List of the epochs' numbers, rising.
        title: String, what is drawn, with its unit.
        ends: Pair of floats, the ends of the vertical axis.
    """
    first, last = epochs[0], epochs[-1]
    spare = 0.03 * (last - first) or 0.5
    axes.set(xlim=(first - spare, last + spare), ylim=ends, xlabel="epoch")
    axes.set_title(title, pad=10)
    axes.set_xticks(_epoch_ticks(epochs))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(_number_format(ends))
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=10)
    axes.tick_params(axis="y", length=0)


def curve(axes, epochs, values, color):
    """Draw a curve, with a dot for each epoch where these are few, else for the last one.

    Args:
        axes: `matplotlib.axes.Axes`.
        epochs: List of the epochs' numbers.
        values: List of floats, one an epoch.
        color: A matplotlib colour.
    """
    dots = list(range(len(epochs))) if len(epochs) <= 20 else [len(epochs) - 1]
    axes.plot(epochs, values, color=color, marker="o", markevery=dots, clip_on=False)


def _epoch_ticks(epochs):
    """Return whole numbers: every epoch where these are few, else round ones and the first."""
    first, last = epochs[0], epochs[-1]
    if len(epochs) <= 10:
        return epochs
    ticks = MaxNLocator(nbins=6, integer=True).tick_values(first, last)
    return [first, *(int(tick) for tick in ticks if first < tick <= last)]


def _number_format(ends):
    """Return a format of the same decimals at each tick, short for very large numbers too."""
    if ends[1] >= 1e4:
        return FuncFormatter(lambda value, _: brief(value))
    plain = ScalarFormatter(useOffset=False)
    plain.set_scientific(False)
    return plain


def mark_homework_accuracy(axes):
    """Draw the accuracy that the homework reports for the ConvNet as a dashed line.

    Args:
        axes: `matplotlib.axes.Axes` of accuracies in percent whose limits are final.

    Returns:
        The line's label, for `kerashw.plots.label_placement.label_ends`.
    """
    axes.axhline(HOMEWORK_ACCURACY, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    text = f"{HOMEWORK_ACCURACY:.2f} %  homework:\nConvNet after epoch 1"
    return axes.get_xlim()[1], HOMEWORK_ACCURACY, text, {"color": FAINT, "size": 9.5}

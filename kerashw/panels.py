"""What the pictures are made of: the style of the house, and panels of curves by epoch."""

import math

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

INK, FAINT, GRID = "#222222", "#666666", "#DDDDDD"
# The same pictures whatever the reader's own matplotlib settings.
HOUSE_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "text.usetex": False,
    "axes.facecolor": "white",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.titlesize": 12,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titleweight": "normal",
    "axes.grid": False,
    "lines.linewidth": 2,
    "lines.markersize": 5,
    "image.interpolation": "nearest",
}
DOTS_PER_INCH = 200
POINTS_PER_INCH = 72


def new_figure(width, height, **settings):
    """Return an empty figure that no window and no global list knows of.

    Args:
        width: Float, in inches.
        height: Float, in inches.
        **settings: Of `matplotlib.figure.Figure`.

    Returns:
        `matplotlib.figure.Figure` with a white background.
    """
    figure = Figure((width, height), dpi=DOTS_PER_INCH, facecolor="white", **settings)
    FigureCanvasAgg(figure)
    if figure.get_layout_engine():
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.1)
    return figure


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


def label_ends(axes, labels):
    """Write each label beside the panel, at the height of what it belongs to or close to it.

    Args:
        axes: `matplotlib.axes.Axes` whose limits and place in the figure are final.
        labels: List of tuples (x, y, text, settings): the point that the text belongs to, and the
            settings of `matplotlib.text.Text`, `color` and `size` among them.
    """
    bottom, top = axes.get_ylim()
    right = axes.get_xlim()[1]
    height = POINTS_PER_INCH * axes.figure.get_figheight() * axes.get_position().height
    scale = height / (top - bottom)
    wanted = [scale * (y - bottom) if math.isfinite(y) else 0 for _, y, _, _ in labels]
    heights = [1.35 * style["size"] * (1 + text.count("\n")) for _, _, text, style in labels]
    middles = spread(wanted, heights, low=0, high=height)
    gap = 0.03 * (right - axes.get_xlim()[0])
    for (x, y, text, style), target, middle in zip(labels, wanted, middles, strict=True):
        end = bottom + middle / scale
        if abs(middle - target) > 1 and math.isfinite(y):
            points = ([x, right, right + 0.7 * gap], [y, y, end])
            axes.plot(*points, color=style["color"], linewidth=0.8, clip_on=False)
        axes.text(right + gap, end, text, va="center_baseline", parse_math=False, **style)


def spread(wanted, heights, low, high):
    """Move labels as little as possible so that none covers another.

    Args:
        wanted: Float array (n,), where the middle of each label should be.
        heights: Float array (n,).
        low: Float, the lower end of the room for all of them.
        high: Float, the upper end; if the room is too small, they reach above it.

    Returns:
        Float array (n,): the middles, in the order of `wanted`, with the smallest sum of squared
        moves.

    Example:
        >>> spread([5.0, 5.0, 20.0], [2.0, 2.0, 2.0], low=0.0, high=20.0).tolist()
        [4.0, 6.0, 19.0]
    """
    order = np.argsort(wanted, kind="stable")
    heights = np.asarray(heights, float)[order]
    stacked = np.cumsum(heights) - heights / 2
    # Less its place in a stack, a label needs only be no lower than the one before it: an isotonic
    # regression, here by its min-max formula.
    bases = np.asarray(wanted, float)[order] - stacked
    n = range(len(bases))
    bases = [max(min(bases[j : k + 1].mean() for k in n[i:]) for j in n[: i + 1]) for i in n]
    middles = np.empty(len(bases))
    middles[order] = np.clip(bases, low, max(high - heights.sum(), low)) + stacked
    return middles


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

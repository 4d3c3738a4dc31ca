"""Labels beside the axes, placed so that they do not overlap."""

import math

import numpy as np

POINTS_PER_INCH = 72
# The style of a curve's label.
CURVE_LABEL = {"size": 11, "weight": "bold"}


def label_ends(axes, labels):
    """Write labels to the right of the axes, as close as possible to the ends of their curves.

    Args:
        axes: `matplotlib.axes.Axes` with final limits and position.
        labels: List of tuples (x, y, text, settings): the end of a curve, and the settings of
            `matplotlib.text.Text`, which include `color` and `size`.
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
    """Move labels as little as possible so that they do not overlap.

    Args:
        wanted: Float array (n,), the preferred middle of each label.
        heights: Float array (n,).
        low: Float, the lower end of the available space.
        high: Float, the upper end. Labels that do not fit extend above it.

    Returns:
        Float array (n,), the middles in the order of `wanted`. They minimize the sum of squared
        distances to `wanted`.

    Example:
        >>> spread([5.0, 5.0, 20.0], [2.0, 2.0, 2.0], low=0.0, high=20.0).tolist()
        [4.0, 6.0, 19.0]
    """
    order = np.argsort(wanted, kind="stable")
    heights = np.asarray(heights, float)[order]
    stacked = np.cumsum(heights) - heights / 2
    # Relative to their positions in a stack, the labels only need to be in rising order. This is an
    # isotonic regression, here computed with its min-max formula.
    bases = np.asarray(wanted, float)[order] - stacked
    n = range(len(bases))
    bases = [max(min(bases[j : k + 1].mean() for k in n[i:]) for j in n[: i + 1]) for i in n]
    middles = np.empty(len(bases))
    middles[order] = np.clip(bases, low, max(high - heights.sum(), low)) + stacked
    return middles

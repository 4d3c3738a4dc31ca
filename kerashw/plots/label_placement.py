"""Labels beside a panel, placed so that none covers another."""

import math

import numpy as np

POINTS_PER_INCH = 72


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

"""The number of peaks of two segments by the offset between them, for Question 3."""

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from kerashw.plots.style import FAINT, INK, ORANGE, SKY, STYLE, draw_cell_borders, new_figure

# Offsets above the bound, below it with two peaks, below it with another number, and zero.
FAR, NEAR, WRONG, SAME = "#F3F3F3", SKY, ORANGE, INK


@matplotlib.rc_context(STYLE)
def offset_map(distances, counts, bound=3.0, reach=6):
    """Plot the number of peaks of two segments by the offset between them.

    Args:
        distances: Float array (2m - 1, 2m - 1), the distance of the segments by offset.
        counts: Integer array (2m - 1, 2m - 1), the number of peaks.
        bound: Float, the smallest distance that the homework allows.
        reach: Positive integer, the largest offset in the plot, at most m - 1. The numbers beside
            the plot include all offsets.

    Returns:
        `matplotlib.figure.Figure`. A line encloses the offsets below the bound. Among these, the
        offsets with other than two peaks are orange.

    Example:
        >>> rows, columns = np.ogrid[-4:5, -4:5]
        >>> figure = offset_map(np.hypot(rows, columns), np.full((9, 9), 2), reach=4)
        >>> figure.axes[0].get_xlabel()
        'columns to the right'
    """
    figure = new_figure(10.5, 7)
    axes = figure.add_axes((0.07, 0.085, 0.6, 0.83))
    middle = len(counts) // 2
    view = (slice(middle - reach, middle + reach + 1),) * 2
    near, shown = distances[view] < bound, counts[view]
    wrong = near & (shown != 2)
    kinds = np.select([wrong, near], [2, 1], 0)
    kinds[reach, reach] = 3
    colors = ListedColormap([FAR, NEAR, WRONG, SAME])
    extent = (-reach - 0.5, reach + 0.5, reach + 0.5, -reach - 0.5)
    axes.imshow(kinds, colors, vmin=0, vmax=3, extent=extent)
    for row, column in np.ndindex(shown.shape):
        if (row, column) != (reach, reach):
            style = {"color": "white", "weight": "bold"} if wrong[row, column] else {"color": INK}
            style |= {"ha": "center", "va": "center_baseline", "size": 13}
            axes.text(column - reach, row - reach, shown[row, column], **style)
    draw_cell_borders(axes, np.arange(-reach, reach) + 0.5)
    _outline(axes, near, reach)
    ticks = range(-reach, reach + 1)
    axes.set(xlabel="columns to the right", ylabel="rows down", xticks=ticks, yticks=ticks)
    axes.tick_params(length=0, colors=INK)
    axes.set_title("peaks of two segments, by the offset between them", pad=12, weight="bold")
    _draw_legend(figure, distances, counts, bound)
    return figure


def _outline(axes, marked, reach):
    """Draw a line around the marked cells."""
    padded = np.pad(marked, 1).astype(int)
    style = {"color": INK, "linewidth": 2.2, "solid_capstyle": "round"}
    for row, column in np.argwhere(np.diff(padded, axis=0)):
        x, y = column - reach - 1.5, row - reach - 0.5
        axes.plot([x, x + 1], [y, y], **style)
    for row, column in np.argwhere(np.diff(padded, axis=1)):
        x, y = column - reach - 0.5, row - reach - 1.5
        axes.plot([x, x], [y, y + 1], **style)


def _draw_legend(figure, distances, counts, bound):
    """Draw the legend of the colours, with the number of all offsets of each kind."""
    middle = len(counts) // 2
    different = np.ones(counts.shape, bool)
    different[middle, middle] = False
    near, two = distances < bound, counts == 2
    far = [(~near & two, "two peaks"), (~near & ~two, "not two")]
    entries = (
        (FAR, f"distance {bound:g} or more", far),
        (NEAR, f"distance below {bound:g}", [(near & two & different, "two peaks")]),
        (WRONG, f"distance below {bound:g}", [(near & ~two & different, "not two")]),
        (SAME, "the same segment", []),
    )
    for number, (color, title, kinds) in enumerate(entries):
        y = 0.84 - 0.135 * number
        corner = (0.7, y - 0.018)
        patch = {"facecolor": color, "edgecolor": FAINT, "transform": figure.transFigure}
        figure.add_artist(Rectangle(corner, 0.024, 0.036, **patch))
        figure.text(0.74, y, title, va="center", size=12.5)
        text = "\n".join(f"{int(mask.sum()):,} offsets: {kind}" for mask, kind in kinds)
        figure.text(0.74, y - 0.03, text, va="top", size=12.5, color=FAINT, linespacing=1.4)

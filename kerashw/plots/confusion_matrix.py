"""The confusion matrix of a classifier."""

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.patches import Rectangle

from kerashw.plots.style import FAINT, GRID, INK, STYLE, new_figure, short_name

MISTAKES_COLORS = LinearSegmentedColormap.from_list("mistakes", ["#FFF1E5", "#F0A064", "#A63F00"])
DIAGONAL = "#F0F0F0"


@matplotlib.rc_context(STYLE)
def confusion_matrix(counts, classes):
    """Draw how many examples of each class were taken for which.

    The colour is the mistakes' alone: it would show nothing if the right answers had part in it.

    Args:
        counts: Integer array (C, C), the examples by right class (row) and predicted class
            (column).
        classes: Sequence of C strings, the classes' names.

    Returns:
        `matplotlib.figure.Figure` with the counts in its cells; zeros are left blank.

    Example:
        >>> figure = confusion_matrix(np.array([[8, 2], [0, 9]]), ["cat", "dog"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['8', '2', '9']
    """
    counts = np.asarray(counts)
    names = [short_name(name) for name in classes]
    longest = max(map(len, names))
    side = 0.56 * len(names) + 0.08 * longest + 1.3
    figure = new_figure(side, side, layout="constrained")
    axes = figure.add_subplot()
    wrong = np.where(np.eye(len(names), dtype=bool), 0, counts)
    # The square root, or the commonest mistake would leave all others pale.
    shades = PowerNorm(0.5, 0, max(wrong.max(), 1))(wrong)
    axes.imshow(np.ma.masked_equal(shades, 0), MISTAKES_COLORS, vmin=0, vmax=1)
    for row, column in np.argwhere(counts):
        _write_count(axes, row, column, counts[row, column], shades[row, column])
    _name_classes(axes, names, turned=longest > 4)
    title = f"{wrong.sum():,} of {counts.sum():,} wrong"
    axes.set_title(title, pad=10, weight="bold")
    return figure


def _write_count(axes, row, column, count, shade):
    """Write a count into its cell: faint where right, light where its cell is dark."""
    right = row == column
    color = FAINT if right else "white" if shade > 0.75 else INK
    axes.text(column, row, f"{count:,}", ha="center", va="center", color=color, size=10)
    if right:
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=DIAGONAL, zorder=0))


def _name_classes(axes, names, turned):
    places = np.arange(len(names))
    axes.set_xticks(places, names, rotation=90 if turned else 0, parse_math=False)
    axes.set_yticks(places, names, parse_math=False)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.tick_params(length=0, colors=INK, labelsize=11)
    # White lines between the cells.
    for border in places[1:] - 0.5:
        axes.axhline(border, color="white")
        axes.axvline(border, color="white")
    axes.spines[:].set_color(GRID)

"""The confusion matrix of a classifier."""

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.patches import Rectangle

from kerashw.plots.style import FAINT, GRID, INK, STYLE, new_figure, short_name

MISTAKES_COLORS = LinearSegmentedColormap.from_list("mistakes", ["#FFF1E5", "#F0A064", "#A63F00"])
DIAGONAL_COLOR = "#F0F0F0"
MOST_COUNTED, MOST_NAMED = 30, 150  # classes
LARGE_CELL, SMALL_CELL = 0.56, 0.16  # inches


@matplotlib.rc_context(STYLE)
def confusion_matrix(counts, classes):
    """Plot the number of examples of each true class by predicted class.

    Only mistakes are coloured, because correct predictions would dominate the scale. The matrix of
    more than 30 classes has small cells without numbers; that of more than 150 also has no names.

    Args:
        counts: Integer array (C, C), the number of examples by true class (row) and predicted class
            (column).
        classes: Sequence of C strings, the names of the classes.

    Returns:
        `matplotlib.figure.Figure` with the counts in its cells; cells with zero are blank.

    Example:
        >>> figure = confusion_matrix(np.array([[8, 2], [0, 9]]), ["cat", "dog"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['8', '2', '9']
    """
    counts = np.asarray(counts)
    names = [short_name(name) for name in classes]
    longest = max(map(len, names))
    if len(names) <= MOST_COUNTED:
        cell = LARGE_CELL
    else:
        cell = SMALL_CELL if len(names) <= MOST_NAMED else SMALL_CELL * MOST_NAMED / len(names)
    side = cell * len(names) + 0.08 * longest + 1.3
    figure = new_figure(side, side, layout="constrained")
    axes = figure.add_subplot()
    wrong = np.where(np.eye(len(names), dtype=bool), 0, counts)
    # The square root keeps rare mistakes visible beside the most common one.
    shades = PowerNorm(0.5, 0, max(wrong.max(), 1))(wrong)
    axes.imshow(np.ma.masked_equal(shades, 0), MISTAKES_COLORS, vmin=0, vmax=1)
    for row, column in np.argwhere(counts) if cell == LARGE_CELL else ():
        _write_count(axes, row, column, counts[row, column], shades[row, column])
    size = 11 if cell == LARGE_CELL else 7
    _label_classes(axes, names, longest > 4 or len(names) > MOST_COUNTED, size)
    title = f"{wrong.sum():,} of {counts.sum():,} wrong"
    axes.set_title(title, pad=10, weight="bold")
    return figure


def _write_count(axes, row, column, count, shade):
    """Write a count into its cell: faint if correct, white if the cell is dark."""
    correct = row == column
    color = FAINT if correct else "white" if shade > 0.75 else INK
    axes.text(column, row, f"{count:,}", ha="center", va="center", color=color, size=10)
    if correct:
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=DIAGONAL_COLOR, zorder=0))


def _label_classes(axes, names, rotated, size):
    ticks = np.arange(len(names))
    names = names if len(names) <= MOST_NAMED else [""] * len(names)
    axes.set_xticks(ticks, names, rotation=90 if rotated else 0, parse_math=False)
    axes.set_yticks(ticks, names, parse_math=False)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.tick_params(length=0, colors=INK, labelsize=size)
    # White lines separate the cells.
    width = 2 if size == 11 else 0.5
    for border in ticks[1:] - 0.5:
        axes.axhline(border, color="white", linewidth=width)
        axes.axvline(border, color="white", linewidth=width)
    axes.spines[:].set_color(GRID)

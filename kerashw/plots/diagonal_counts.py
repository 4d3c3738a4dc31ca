"""Question 3's pictures: the worked example, the map of offsets, a kernel; no computing.

Each function returns a `matplotlib.figure.Figure` of its own, in the style of the other pictures.
"""

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.patches import Rectangle

from kerashw.plots.style import (
    BLUE,
    FAINT,
    GRID,
    INK,
    ORANGE,
    SKY,
    STYLE,
    new_figure,
)

__all__ = ["kernel", "offset_map", "worked_example"]

# Okabe and Ito's vermilion marks what counts; blues are what does not reach the threshold.
PEAK = ORANGE
SUMS = ListedColormap(["white", "#DCEBF7", SKY, PEAK])
RIGHT, LEGAL, SAME = SKY, "#F3F3F3", INK
SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "white", PEAK])


@matplotlib.rc_context(STYLE)
def worked_example(image, feature_map, peaks):
    """Draw how an image's diagonals are counted: image, feature map, what the threshold leaves.

    Args:
        image: Integer array (H, W) of zeros and ones.
        feature_map: Integer array (H - 2, W - 2), sums from 0 to 3.
        peaks: Boolean array (H - 2, W - 2).

    Returns:
        `matplotlib.figure.Figure` with three panels; each peak and its window in the image are
        framed.

    Example:
        >>> image = np.eye(4, dtype=int)[::-1]
        >>> sums = np.array([[0, 3], [3, 0]])
        >>> figure = worked_example(image, sums, sums == 3)
        >>> [panel.get_title(loc="left") for panel in figure.axes]
        ['image, 4×4', 'feature map, 2×2', 'threshold 3: 2 peaks']
    """
    figure = new_figure(12.5, 4.85)
    room = {"left": 0.025, "right": 0.99, "bottom": 0.05, "top": 0.86, "wspace": 0.09}
    panels = figure.subplots(1, 3, gridspec_kw=room)
    kept = np.where(peaks, feature_map, 0)
    found = np.argwhere(peaks)
    number = f"{len(found)} peak{'s' if len(found) != 1 else ''}"
    _grid(panels[0], image, ListedColormap(["white", INK]), 1, f"image, {_size(image)}")
    for row, column in found:
        _frame(panels[0], row, column, 3)
    title = f"feature map, {_size(feature_map)}"
    for axes, values, text in (
        (panels[1], feature_map, title),
        (panels[2], kept, f"threshold 3: {number}"),
    ):
        _grid(axes, values, SUMS, 3, text)
        _write_numbers(axes, values)
        for row, column in found:
            _frame(axes, row, column, 1)
    for row, column in found:
        _name_peak(panels[2], row, column, feature_map.shape)
    return figure


@matplotlib.rc_context(STYLE)
def offset_map(distances, counts, bound=3.0, reach=6):
    """Draw how many peaks two segments have, by the offset from one to the other.

    Args:
        distances: Float array (2m - 1, 2m - 1), the segments' distance by offset.
        counts: Integer array (2m - 1, 2m - 1), the peaks.
        bound: Float, the smallest distance that the homework allows.
        reach: Positive integer, the largest offset that is drawn, at most m - 1; all offsets enter
            the numbers.

    Returns:
        `matplotlib.figure.Figure`; the bound is a line, and each offset where the count is not two
        has the colour.

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
    colors = ListedColormap([LEGAL, RIGHT, PEAK, SAME])
    extent = (-reach - 0.5, reach + 0.5, reach + 0.5, -reach - 0.5)
    axes.imshow(kinds, colors, vmin=0, vmax=3, extent=extent)
    for row, column in np.ndindex(shown.shape):
        if (row, column) != (reach, reach):
            style = {"color": "white", "weight": "bold"} if wrong[row, column] else {"color": INK}
            _centered(axes, column - reach, row - reach, shown[row, column], size=13, **style)
    _cell_lines(axes, np.arange(-reach, reach) + 0.5)
    _outline(axes, near, reach)
    axes.set(xlabel="columns to the right", ylabel="rows down")
    axes.set_xticks(range(-reach, reach + 1))
    axes.set_yticks(range(-reach, reach + 1))
    axes.tick_params(length=0, colors=INK)
    axes.set_title("peaks of two segments, by the offset between them", pad=12, weight="bold")
    _explain_offsets(figure, distances, counts, bound)
    return figure


@matplotlib.rc_context(STYLE)
def kernel(values):
    """Draw a kernel with its numbers in the cells.

    Args:
        values: Float array (rows, columns).

    Returns:
        `matplotlib.figure.Figure`.

    Example:
        >>> figure = kernel(np.eye(3)[::-1])
        >>> [text.get_text() for text in figure.axes[0].texts][:3]
        ['0', '0', '1']
    """
    values = np.asarray(values, float)
    figure = new_figure(0.9 * values.shape[1] + 0.4, 0.9 * values.shape[0] + 0.8)
    axes = figure.add_axes((0.06, 0.04, 0.88, 0.8))
    largest = max(np.abs(values).max(), 1e-12)
    axes.imshow(values / largest, SIGNED, vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(values):
        color = "white" if abs(value) > 0.7 * largest else INK
        text = (
            f"{value:.2f}".rstrip("0")
            .rstrip(".")
            .replace("-0", "0" if not round(value, 2) else "-0")
        )
        _centered(axes, column, row, text, color=color, size=13)
    _cell_lines(axes, np.arange(max(values.shape) - 1) + 0.5)
    axes.set(xticks=[], yticks=[])
    axes.set_title("kernel", pad=8, weight="bold")
    return figure


def _grid(axes, values, colors, largest, title):
    axes.imshow(values, colors, vmin=0, vmax=largest)
    _cell_lines(axes, np.arange(max(values.shape) - 1) + 0.5)
    places = range(0, max(values.shape), 5)
    axes.set_xticks(places)
    axes.set_yticks(places)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, colors=FAINT, labelsize=10, pad=2)
    axes.set_title(title, pad=8, size=15, weight="bold")


def _size(values):
    return "×".join(map(str, values.shape))


def _write_numbers(axes, values):
    """Write a sum into each cell: zeros faint, peaks light on their colour."""
    for (row, column), value in np.ndenumerate(values):
        color = {0: "#B5B5B5", 3: "white"}.get(int(value), INK)
        weight = "bold" if value else "normal"
        _centered(axes, column, row, value, color=color, weight=weight, size=11.5)


def _centered(axes, x, y, text, **style):
    axes.text(x, y, str(text), ha="center", va="center_baseline", **style)


def _cell_lines(axes, borders):
    for border in borders:
        axes.axhline(border, color=GRID, linewidth=0.7, zorder=1)
        axes.axvline(border, color=GRID, linewidth=0.7, zorder=1)
    axes.spines[:].set_color(FAINT)


def _frame(axes, row, column, side):
    corner = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=PEAK, linewidth=2, zorder=3))


def _name_peak(axes, row, column, shape):
    """Say where a peak is, beside it, on the side that has more room."""
    right = column < shape[1] / 2
    x, side = (column + 0.8, "left") if right else (column - 0.8, "right")
    backing = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    text = f"row {row}, column {column}"
    axes.text(x, row, text, ha=side, va="center", color=PEAK, size=12, weight="bold", bbox=backing)


def _outline(axes, marked, reach):
    """Draw a line round the cells that are marked."""
    padded = np.pad(marked, 1).astype(int)
    for row, column in np.argwhere(np.diff(padded, axis=0)):
        x, y = column - reach - 1.5, row - reach - 0.5
        axes.plot([x, x + 1], [y, y], color=INK, linewidth=2.2, solid_capstyle="round")
    for row, column in np.argwhere(np.diff(padded, axis=1)):
        x, y = column - reach - 0.5, row - reach - 1.5
        axes.plot([x, x], [y, y + 1], color=INK, linewidth=2.2, solid_capstyle="round")


def _explain_offsets(figure, distances, counts, bound):
    """Say beside the map what its colours are, and how many of all offsets have them."""
    middle = len(counts) // 2
    apart = np.ones(counts.shape, bool)
    apart[middle, middle] = False
    near, two = distances < bound, counts == 2
    far = [(~near & two, "two peaks"), (~near & ~two, "not two")]
    lines = (
        (LEGAL, f"distance {bound:g} or more", far),
        (RIGHT, f"distance below {bound:g}", [(near & two & apart, "two peaks")]),
        (PEAK, f"distance below {bound:g}", [(near & ~two & apart, "not two")]),
        (SAME, "the same segment", []),
    )
    for number, (color, title, parts) in enumerate(lines):
        y = 0.84 - 0.135 * number
        corner = (0.7, y - 0.018)
        patch = {"facecolor": color, "edgecolor": FAINT, "transform": figure.transFigure}
        figure.add_artist(Rectangle(corner, 0.024, 0.036, **patch))
        figure.text(0.74, y, title, va="center", size=12.5)
        text = "\n".join(f"{int(mask.sum()):,} offsets: {words}" for mask, words in parts)
        figure.text(0.74, y - 0.03, text, va="top", size=12.5, color=FAINT, linespacing=1.4)

"""Plots for Question 3: the worked example of counting diagonals, and a kernel."""

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.patches import Rectangle

from kerashw.plots.style import (
    BLUE,
    FAINT,
    INK,
    ORANGE,
    SKY,
    STYLE,
    draw_cell_borders,
    new_figure,
)

# Sums from 0 to 3; only peaks are orange.
SUM_COLORS = ListedColormap(["white", "#DCEBF7", SKY, ORANGE])
KERNEL_COLORS = LinearSegmentedColormap.from_list("kernel", [BLUE, "white", ORANGE])
CENTERED = {"ha": "center", "va": "center_baseline"}


@matplotlib.rc_context(STYLE)
def worked_example(image, feature_map, peaks):
    """Plot the steps of counting an image's diagonals: image, feature map and threshold.

    Args:
        image: Integer array (H, W) of zeros and ones.
        feature_map: Integer array (H - 2, W - 2), sums from 0 to 3.
        peaks: Boolean array (H - 2, W - 2).

    Returns:
        `matplotlib.figure.Figure` with three subplots. Each peak and its window in the image have a
        frame.

    Example:
        >>> image = np.eye(4, dtype=int)[::-1]
        >>> sums = np.array([[0, 3], [3, 0]])
        >>> figure = worked_example(image, sums, sums == 3)
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['image, 4×4', 'feature map, 2×2', 'threshold 3: 2 peaks']
    """
    figure = new_figure(12.5, 4.85)
    margins = {"left": 0.025, "right": 0.99, "bottom": 0.05, "top": 0.86, "wspace": 0.09}
    first, second, third = figure.subplots(1, 3, gridspec_kw=margins)
    found = np.argwhere(peaks)
    count = f"{len(found)} peak{'s' if len(found) != 1 else ''}"
    image_colors = ListedColormap(["white", INK])
    _show_grid(first, image, image_colors, 1, f"image, {_size(image)}", found, frame=3)
    _show_sums(second, feature_map, f"feature map, {_size(feature_map)}", found)
    _show_sums(third, np.where(peaks, feature_map, 0), f"threshold 3: {count}", found)
    for row, column in found:
        _label_peak(third, row, column, feature_map.shape)
    return figure


@matplotlib.rc_context(STYLE)
def kernel(values):
    """Plot a kernel with its values in the cells, rounded to two decimals.

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
    axes.imshow(values / largest, KERNEL_COLORS, vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(values):
        color = "white" if abs(value) > 0.7 * largest else INK
        # Adding 0.0 removes the sign of -0.0.
        text = np.format_float_positional(np.round(value, 2) + 0.0, trim="-")
        axes.text(column, row, text, color=color, size=13, **CENTERED)
    draw_cell_borders(axes, np.arange(max(values.shape) - 1) + 0.5)
    axes.set(xticks=[], yticks=[])
    axes.set_title("kernel", pad=8, weight="bold")
    return figure


def _show_sums(axes, sums, title, peaks):
    """Show sums with their numbers: zeros faint, peaks white on their colour."""
    _show_grid(axes, sums, SUM_COLORS, 3, title, peaks, frame=1)
    for (row, column), value in np.ndenumerate(sums):
        color = {0: "#B5B5B5", 3: "white"}.get(int(value), INK)
        weight = "bold" if value else "normal"
        axes.text(column, row, value, color=color, weight=weight, size=11.5, **CENTERED)


def _show_grid(axes, values, colors, largest, title, peaks, frame):
    """Show values as coloured cells, with a frame of the given side at each peak."""
    axes.imshow(values, colors, vmin=0, vmax=largest)
    draw_cell_borders(axes, np.arange(max(values.shape) - 1) + 0.5)
    ticks = range(0, max(values.shape), 5)
    axes.set(xticks=ticks, yticks=ticks)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, colors=FAINT, labelsize=10, pad=2)
    axes.set_title(title, pad=8, size=15, weight="bold")
    style = {"fill": False, "edgecolor": ORANGE, "linewidth": 2, "zorder": 3}
    for row, column in peaks:
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), frame, frame, **style))


def _size(values):
    return "×".join(map(str, values.shape))


def _label_peak(axes, row, column, shape):
    """Write the position of a peak beside it, on the side with more space."""
    right = column < shape[1] / 2
    x, side = (column + 0.8, "left") if right else (column - 0.8, "right")
    background = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    style = {"ha": side, "va": "center", "color": ORANGE, "size": 12, "weight": "bold"}
    axes.text(x, row, f"row {row}, column {column}", bbox=background, **style)

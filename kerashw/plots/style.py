"""The style of all plots: colours, fonts, figures, axes and boxes."""

from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

INK, FAINT, GRID = "#222222", "#666666", "#DDDDDD"
# The palette of Okabe and Ito, whose colours are distinct for colour-blind readers.
BLUE, SKY, GREEN, ORANGE, PINK = "#0072B2", "#9CC7E8", "#009E73", "#D55E00", "#CC79A7"
# The colour of a box's outline → its fill.
FILLS = {INK: "#FFFFFF", BLUE: "#E3F0F8", ORANGE: "#FCE9DD", GREEN: "#DFF3EC"}
# These settings override the user's own matplotlib settings.
STYLE: dict[Any, Any] = {
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
LONGEST_NAME = 12  # characters


def new_figure(width, height, **settings):
    """Return an empty figure with a white background, without pyplot.

    Args:
        width: Float, in inches.
        height: Float, in inches.
        **settings: Settings of `matplotlib.figure.Figure`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure((width, height), dpi=DOTS_PER_INCH, facecolor="white", **settings)
    FigureCanvasAgg(figure)
    if figure.get_layout_engine():
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.1)
    return figure


def draw_horizontal_grid(axes):
    """Draw a line at each tick of the vertical axis, and hide all spines except the lower one.

    Args:
        axes: `matplotlib.axes.Axes`.
    """
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=10)
    axes.tick_params(axis="y", which="both", length=0)


def draw_cell_borders(axes, borders):
    """Draw lines between the cells of an image, and a faint frame around them.

    Args:
        axes: `matplotlib.axes.Axes`.
        borders: Float array, the coordinates of the lines on both axes.
    """
    for border in borders:
        axes.axhline(border, color=GRID, linewidth=0.7, zorder=1)
        axes.axvline(border, color=GRID, linewidth=0.7, zorder=1)
    axes.spines[:].set_color(FAINT)


def draw_box(axes, center, size, color, **settings):
    """Draw a box with rounded corners, filled with the light shade of its colour.

    Args:
        axes: `matplotlib.axes.Axes` with data coordinates in inches.
        center: Pair of floats (x, y).
        size: Pair of floats (width, height).
        color: INK, BLUE, ORANGE or GREEN.
        **settings: Settings of `matplotlib.patches.FancyBboxPatch`.
    """
    (x, y), (width, height) = center, size
    settings |= {"boxstyle": "round,pad=0,rounding_size=0.1", "lw": 1.8}
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, width, height, ec=color, fc=FILLS[color], **settings))


def short_name(name):
    """Return a class name on one line, truncated to 12 characters.

    Args:
        name: String.

    Returns:
        String.

    Example:
        >>> short_name("ankle boot"), short_name("a rather long name")
        ('ankle boot', 'a rather lo…')
    """
    name = " ".join(str(name).split())
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"

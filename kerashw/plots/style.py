"""The style that all pictures share: colours, fonts, sizes."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, FAINT, GRID = "#222222", "#666666", "#DDDDDD"
# The palette of Okabe and Ito, which colour-blind readers can tell apart.
BLUE, SKY, GREEN, ORANGE, PINK = "#0072B2", "#9CC7E8", "#009E73", "#D55E00", "#CC79A7"
# The name of a model on the command line → its colour in every picture.
MODEL_COLORS = {
    "softmax": ORANGE,
    "mlp": GREEN,
    "convnet": BLUE,
    "factored": PINK,
    "diagonal": "#000000",
    "learned_diagonal": "#882255",
}
# The fill of boxes whose outline has the colour.
FILLS = {INK: "#FFFFFF", BLUE: "#E3F0F8", ORANGE: "#FCE9DD", GREEN: "#DFF3EC"}
# The same pictures whatever the reader's own matplotlib settings.
STYLE = {
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


def short_name(name):
    """Return a class's name on one line, truncated if it is too long.

    Example:
        >>> short_name("ankle boot"), short_name("a rather long name")
        ('ankle boot', 'a rather lo…')
    """
    name = " ".join(str(name).split())
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"

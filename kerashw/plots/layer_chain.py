"""A diagram of layers that form a chain: one box for each, with its shape and its parameters.

The input is blue, outputs are green, and the outline of a layer with frozen weights is dashed.
"""

import matplotlib
from matplotlib.patches import FancyArrowPatch

from kerashw.plots.style import BLUE, FAINT, GREEN, INK, STYLE, draw_box, new_figure

# Lengths are in inches. First the figure's width, its header and the distance between rows.
WIDTH, HEADER, ROW = 7.4, 0.66, 0.66
LEFT, BOX_WIDTH, BOX_HEIGHT = 0.2, 3.4, 0.4
SHAPE_COLUMN, PARAMETERS_COLUMN = 4.8, 6.4
TEXT = {"ha": "center", "va": "center", "size": 13, "parse_math": False}
COLORS = {"input": BLUE, "layer": INK, "output": GREEN}


@matplotlib.rc_context(STYLE)
def layer_chain(title, rows):
    """Draw layers from the input down to the output.

    Args:
        title: String.
        rows: List of dictionaries from `kerashw.plots.model_layers.layer_rows`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    height = HEADER + ROW * len(rows)
    axes = new_figure(WIDTH, height).add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(-height, 0))
    axes.set_axis_off()
    axes.text(LEFT, -HEADER / 2, title, **TEXT | {"ha": "left", "weight": "bold"})
    axes.text(SHAPE_COLUMN, -HEADER / 2, "shape", color=FAINT, **TEXT)
    axes.text(PARAMETERS_COLUMN, -HEADER / 2, "parameters", color=FAINT, **TEXT)
    for number, row in enumerate(rows):
        y = -HEADER - ROW * number - BOX_HEIGHT / 2
        center, linestyle = (LEFT + BOX_WIDTH / 2, y), (0, (4, 2)) if row["is_frozen"] else "-"
        draw_box(axes, center, (BOX_WIDTH, BOX_HEIGHT), COLORS[row["kind"]], linestyle=linestyle)
        axes.text(*center, row["text"], **TEXT)
        axes.text(SHAPE_COLUMN, y, row["shape"], **TEXT)
        axes.text(PARAMETERS_COLUMN, y, row["parameters"], **TEXT)
        if number:
            _draw_arrow(axes, y + ROW - BOX_HEIGHT / 2, y + BOX_HEIGHT / 2)
    return axes.figure


def _draw_arrow(axes, top, bottom):
    x, style = LEFT + BOX_WIDTH / 2, {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 1.4}
    arrow = FancyArrowPatch((x, top), (x, bottom), color=INK, shrinkA=0, shrinkB=0, **style)
    axes.add_patch(arrow)

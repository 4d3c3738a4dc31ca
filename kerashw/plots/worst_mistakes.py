"""The wrongly classified images of which a classifier is most certain."""

import math

import matplotlib

from kerashw.plots.style import (
    GRID,
    STYLE,
    new_figure,
    short_name,
)

IMAGES_IN_A_ROW = 5


@matplotlib.rc_context(STYLE)
def worst_mistakes(mistakes, classes):
    """Draw wrongly classified images, the one that the model was surest of first.

    Args:
        mistakes: `kerashw.train.results.Mistakes` of M images (M, height, width), M at least 0.
        classes: Sequence of the classes' names.

    Returns:
        `matplotlib.figure.Figure` of five images a row, each with its right class, the predicted
        one and the prediction's probability.

    Example:
        >>> from kerashw.train.results import Mistakes
        >>> images = np.zeros((1, 28, 28), "uint8")
        >>> figure = worst_mistakes(Mistakes(images, [4], [9], [0.998], total=1), "0123456789")
        >>> figure.axes[0].get_title(loc="center")
        '4 → 9, 99.8 %'
    """
    shown = len(mistakes.images)
    names = [short_name(name) for name in classes]
    two_lines = max(map(len, names)) > 2
    if not shown:
        figure = new_figure(8, 0.8)
        figure.text(0.5, 0.5, "no mistakes", ha="center", va="center", weight="bold")
        return figure
    which = f"the {shown} surest of {mistakes.total:,}" if shown < mistakes.total else "all"
    title = f"{which} mistakes: true class → predicted class, its probability"
    gap = "\n" if two_lines else " "
    panels = _image_panels(math.ceil(shown / IMAGES_IN_A_ROW), two_lines, title)
    for number, panel in enumerate(panels):
        if number >= shown:
            panel.set_axis_off()
            continue
        true, predicted = names[mistakes.labels[number]], names[mistakes.predictions[number]]
        confidence = f"{100 * mistakes.confidences[number]:.1f} %"
        text = f"{true}{gap}→ {predicted}, {confidence}"
        _show_image(panel, mistakes.images[number], text)
    return panels[0].figure


def _image_panels(rows, two_lines, title):
    """Return the panels of a new figure, each with room for a title of one or two lines."""
    side, gap, above = (1.9, 0.2, 0.55) if two_lines else (1.5, 0.15, 0.35)
    width = IMAGES_IN_A_ROW * (side + gap) + gap
    height = rows * (side + above) + 0.5
    figure = new_figure(width, height)
    figure.suptitle(title, x=gap / width, y=1 - 0.12 / height, ha="left", weight="bold")
    room = {"left": gap / width, "right": 1 - gap / width, "wspace": gap / side}
    room |= {"bottom": 0.12 / height, "top": 1 - (above + 0.38) / height, "hspace": above / side}
    return figure.subplots(rows, IMAGES_IN_A_ROW, squeeze=False, gridspec_kw=room).ravel()


def _show_image(axes, image, title):
    axes.imshow(image, "gray_r", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color(GRID)
    axes.set_title(title, loc="center", size=10.5, pad=4, parse_math=False)

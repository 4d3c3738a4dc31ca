"""The misclassified images with the highest confidence."""

import math

import matplotlib
import numpy as np
from matplotlib.patches import Rectangle

from kerashw.plots.style import GRID, STYLE, new_figure, short_name

COLUMNS = 5


@matplotlib.rc_context(STYLE)
def worst_mistakes(images, labels, predictions, confidences, classes, total):
    """Plot misclassified images, the most confident prediction first.

    Args:
        images: uint8 array (M, height, width), or (M, height, width, 3) in colour, in falling order
            of confidence, M at least 0. Digits, on a black ground, are shown on a white one.
        labels: Integer array (M,), the true classes.
        predictions: Integer array (M,), the predicted classes.
        confidences: Float array (M,), the probabilities of the predictions.
        classes: Sequence of strings, the names of the classes.
        total: Integer, the number of all misclassified images, at least M.

    Returns:
        `matplotlib.figure.Figure` with five images in a row. The title of each image has its true
        class, its predicted class and the probability of the prediction.

    Example:
        >>> import numpy as np
        >>> images = np.zeros((1, 28, 28), "uint8")
        >>> figure = worst_mistakes(images, [4], [9], [0.998], "0123456789", total=1)
        >>> figure.axes[0].texts[1].get_text()
        '4 → 9, 99.8 %'
    """
    shown = len(images)
    if not shown:
        figure = new_figure(8, 0.8)
        figure.text(0.5, 0.5, "no mistakes", ha="center", va="center", weight="bold")
        return figure
    names = [short_name(name) for name in classes]
    two_lines = max(map(len, names)) > 2
    separator = "\n" if two_lines else " "
    selection = f"the {shown} surest of {total:,}" if shown < total else "all"
    side, gap, above = (1.9, 0.2, 0.55) if two_lines else (1.5, 0.15, 0.35)
    rows = math.ceil(shown / COLUMNS)
    axes = _axes_in_inches(COLUMNS * (side + gap) + gap, rows * (side + above) + 0.5)
    title = f"{selection} mistakes: true class → predicted class, its probability"
    axes.text(gap, 0.12, title, va="top", size="large", weight="bold")
    mistakes = zip(images, labels, predictions, confidences, strict=True)
    for number, (image, label, prediction, confidence) in enumerate(mistakes):
        row, column = divmod(number, COLUMNS)
        text = f"{names[label]}{separator}→ {names[prediction]}, {100 * confidence:.1f} %"
        left, top = gap + column * (side + gap), 0.38 + above + row * (side + above)
        _show_image(axes, image, (left, left + side, top + side, top), text)
    return axes.figure


def _axes_in_inches(width, height):
    """Return axes that cover a new figure, with coordinates in inches from the upper left.

    One pair of axes for all images is drawn faster than one for each.
    """
    axes = new_figure(width, height).add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def _show_image(axes, image, extent, title):
    left, right, bottom, top = extent
    colors = "gray_r" if np.median(image) == 0 else "gray"
    # The image is as large as the square allows.
    half_height, half_width = (right - left) / 2 * np.divide(image.shape[:2], max(image.shape[:2]))
    x, y = (left + right) / 2, (top + bottom) / 2
    sides = (x - half_width, x + half_width, y + half_height, y - half_height)
    axes.imshow(image, colors, vmin=0, vmax=255, extent=sides)
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, color=GRID))
    axes.text((left + right) / 2, top - 0.06, title, ha="center", size=10.5, parse_math=False)

"""The misclassified images with the highest confidence."""

import math

import matplotlib

from kerashw.plots.style import GRID, STYLE, new_figure, short_name

COLUMNS = 5


@matplotlib.rc_context(STYLE)
def worst_mistakes(images, labels, predictions, confidences, classes, total):
    """Plot misclassified images, the most confident prediction first.

    Args:
        images: uint8 array (M, height, width) in falling order of confidence, M at least 0.
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
        >>> figure.axes[0].get_title(loc="center")
        '4 → 9, 99.8 %'
    """
    shown = len(images)
    if not shown:
        figure = new_figure(8, 0.8)
        figure.text(0.5, 0.5, "no mistakes", ha="center", va="center", weight="bold")
        return figure
    names = [short_name(name) for name in classes]
    two_lines = max(map(len, names)) > 2
    selection = f"the {shown} surest of {total:,}" if shown < total else "all"
    title = f"{selection} mistakes: true class → predicted class, its probability"
    separator = "\n" if two_lines else " "
    subplots = _image_subplots(math.ceil(shown / COLUMNS), two_lines, title)
    mistakes = zip(images, labels, predictions, confidences, strict=True)
    for axes, (image, label, prediction, confidence) in zip(subplots, mistakes, strict=False):
        text = f"{names[label]}{separator}→ {names[prediction]}, {100 * confidence:.1f} %"
        _show_image(axes, image, text)
    for axes in subplots[shown:]:
        axes.set_axis_off()
    return subplots[0].figure


def _image_subplots(rows, two_lines, title):
    """Return the subplots of a new figure, with space above each for one or two lines."""
    side, gap, above = (1.9, 0.2, 0.55) if two_lines else (1.5, 0.15, 0.35)
    width = COLUMNS * (side + gap) + gap
    height = rows * (side + above) + 0.5
    figure = new_figure(width, height)
    figure.suptitle(title, x=gap / width, y=1 - 0.12 / height, ha="left", weight="bold")
    margins = {"left": gap / width, "right": 1 - gap / width, "wspace": gap / side}
    margins |= {"bottom": 0.12 / height, "top": 1 - (above + 0.38) / height, "hspace": above / side}
    return figure.subplots(rows, COLUMNS, squeeze=False, gridspec_kw=margins).ravel()


def _show_image(axes, image, title):
    axes.imshow(image, "gray_r", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color(GRID)
    axes.set_title(title, loc="center", size=10.5, pad=4, parse_math=False)

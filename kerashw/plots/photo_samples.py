"""Photographs of digits of several kinds, and the centred digits that the models receive."""

from typing import Any

import matplotlib

from kerashw.plots.style import GRID, STYLE, new_figure

CELL_WIDTH, CELL_HEIGHT = 0.75, 1.0  # inches
DIGIT_COLORS: dict[str, Any] = {"cmap": "gray_r", "vmin": 0, "vmax": 255}


@matplotlib.rc_context(STYLE)
def photo_samples(photos, digits):
    """Plot some photographs of each kind, one kind a row, and the digits found in them.

    Args:
        photos: Dict, the name of a kind → uint8 array (N, height, width, 3), N at least 2.
        digits: Dict, the name of a kind → uint8 array (N, 28, 28), the centred digits,
            in the same order.

    Returns:
        `matplotlib.figure.Figure`. Each row has the name of the kind, N photographs at the left and
        N digits at the right.

    Example:
        >>> import numpy as np
        >>> photos = {"pencil": np.full((3, 64, 48, 3), 255, "uint8")}
        >>> figure = photo_samples(photos, {"pencil": np.zeros((3, 28, 28), "uint8")})
        >>> len(figure.axes)
        6
    """
    columns, rows = len(next(iter(photos.values()))), len(photos)
    names, headings, margin, gap = 1.9, 0.4, 0.1, 0.3  # inches
    width = names + 2 * columns * CELL_WIDTH + gap + margin
    height = headings + rows * CELL_HEIGHT + margin
    figure = new_figure(width, height)
    for left, heading, images, settings in (
        (names, "photographs", photos, {}),
        (names + columns * CELL_WIDTH + gap, "digits found", digits, DIGIT_COLORS),
    ):
        right = left + columns * CELL_WIDTH
        margins = {"left": left / width, "right": right / width, "wspace": 0.08, "hspace": 0.08}
        margins |= {"bottom": margin / height, "top": 1 - headings / height}
        subplots = figure.subplots(rows, columns, squeeze=False, gridspec_kw=margins)
        y = 1 - headings / height / 2
        figure.text(left / width, y, heading, va="center", size=12, weight="bold")
        for row, (kind, shown) in zip(subplots, images.items(), strict=True):
            _show_images(row, shown, settings)
            if images is photos:
                row[0].set_ylabel(kind, rotation=0, ha="right", va="center", labelpad=8)
    return figure


def _show_images(subplots, images, settings):
    for axes, image in zip(subplots, images, strict=True):
        axes.imshow(image, **settings)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color(GRID)

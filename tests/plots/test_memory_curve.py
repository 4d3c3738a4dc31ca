"""The memory curve is legible and has the numbers."""

import numpy as np

from kerashw.plots.memory_curve import GIB, memory_curve

from .legibility import assert_legible


def test_a_memory_curve_is_legible():
    seconds = np.arange(0, 300, 0.5)
    sizes = GIB * (1 + 0.2 * np.sin(seconds))
    figure = memory_curve(seconds, sizes.astype(int), 3 * GIB, 20 * GIB)
    assert_legible(figure)
    [axes] = figure.axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), np.stack([seconds / 60, sizes / GIB], 1))
    assert axes.get_title(loc="left").startswith("Training on 20.0 GiB")

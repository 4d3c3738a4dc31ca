"""Colours are distinct and legible, and the user's matplotlib settings have no effect."""

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb

from kerashw.model_names import COLORS, TITLES
from kerashw.plots.style import STYLE
from kerashw.plots.training_curves import comparison

from .histories import history


def contrast_with_white(color):
    """Return the contrast ratio of the Web Content Accessibility Guidelines."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 1.05 / (np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05)


def test_each_model_has_a_distinct_colour_that_is_legible_on_white():
    assert set(COLORS) == set(TITLES)
    assert len(set(COLORS.values())) == len(TITLES)
    assert min(map(contrast_with_white, COLORS.values())) > 3


def test_figures_do_not_depend_on_the_users_matplotlib_settings():
    def pixels():
        figure = comparison([history()])
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba()).copy()

    expected = pixels()
    before = {name: matplotlib.rcParams[name] for name in STYLE}
    user = {"axes.facecolor": "black", "font.size": 30, "axes.grid": True, "text.color": "red"}
    with matplotlib.rc_context(user):
        np.testing.assert_array_equal(pixels(), expected)
    assert {name: matplotlib.rcParams[name] for name in STYLE} == before

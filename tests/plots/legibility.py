"""Checks that the texts of a figure are legible."""

import functools
from itertools import combinations
from unittest import mock

from matplotlib.text import Text


def drawn_texts(figure):
    """Return all texts that a figure draws, each with its bounding box in pixels."""
    found = []
    draw = Text.draw

    @functools.wraps(draw)
    def record(text, renderer):
        if text.get_visible() and text.get_text().strip():
            found.append((text.get_text(), text.get_window_extent(renderer)))
        return draw(text, renderer)

    if figure.get_layout_engine():
        # The layout engine draws texts, too.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    with mock.patch.object(Text, "draw", record):
        figure.draw_without_rendering()
    return found


def assert_inside(figure):
    """Assert that every text is inside the figure; return the texts with their boxes."""
    texts = drawn_texts(figure)
    assert texts
    width, height = figure.bbox.size
    for text, box in texts:
        assert 0 <= box.x0 <= box.x1 <= width, text
        assert 0 <= box.y0 <= box.y1 <= height, text
    return texts


def assert_legible(figure):
    """Assert that every text is inside the figure, and that no two texts overlap."""
    for (text, box), (other_text, other_box) in combinations(assert_inside(figure), 2):
        assert not box.overlaps(other_box), (text, other_text)

"""The pictures show the numbers that they are given, and nothing of one covers the other."""

import io

import numpy as np
import pytest

from kerashw.plots import diagonal_counts
from kerashw.verify import diagonal_proof


def texts(axes):
    return [text.get_text() for text in axes.texts]


def assert_readable(figure):
    """No text reaches over the edge of the figure, and it is saved as a picture."""
    file = io.BytesIO()
    figure.savefig(file, dpi="figure")
    assert file.getvalue()[1:4] == b"PNG"
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    shown = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    for text in [*shown, *(axes.title for axes in figure.axes)]:
        if text.get_text():
            box = text.get_window_extent(renderer)
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= width
            assert box.y1 <= height


@pytest.mark.parametrize("seed", [0, 5, 21])
def test_the_worked_example_has_every_number_in_its_cell(seed):
    image, feature_map, peaks, segments = diagonal_proof.worked_example(seed=seed)
    figure = diagonal_counts.worked_example(image, feature_map, peaks)
    _, sums, kept = figure.axes
    assert texts(sums) == [str(value) for value in feature_map.ravel()]
    assert texts(kept)[: peaks.size] == [str(3 * int(peak)) for peak in peaks.ravel()]
    assert texts(kept)[peaks.size :] == [f"row {row}, column {column}" for row, column in segments]
    assert kept.get_title(loc="left") == "threshold 3: 2 peaks"
    assert_readable(figure)


def test_the_offset_map_has_every_count_in_its_cell():
    counted = diagonal_proof.count_every_offset(image_size=20)
    figure = diagonal_counts.offset_map(counted.distances, counted.counts, reach=6)
    middle = len(counted.counts) // 2
    view = counted.counts[middle - 6 : middle + 7, middle - 6 : middle + 7].ravel().tolist()
    del view[len(view) // 2]  # the middle, where both segments are one
    assert texts(figure.axes[0]) == [str(count) for count in view]
    explained = " ".join(text.get_text() for text in figure.texts)
    assert f"{counted.legal:,} offsets: two peaks" in explained
    assert "0 offsets: not two" in explained
    assert "4 offsets: not two" in explained
    assert_readable(figure)


@pytest.mark.parametrize("values", [np.eye(3)[::-1], -np.eye(2), np.zeros((4, 3))])
def test_a_kernel_has_its_numbers_in_its_cells(values):
    figure = diagonal_counts.kernel(values + 0.001)
    assert texts(figure.axes[0]) == [f"{value + 0:g}" for value in values.ravel()]
    assert_readable(figure)

"""The worked example and the kernel show their numbers, inside the figure."""

import io

import numpy as np
import pytest

from kerashw.plots import diagonal_counts
from kerashw.verify import diagonal_proof

from .legibility import assert_inside


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("seed", [0, 5, 21])
def test_the_worked_example_has_every_number_in_its_cell(seed):
    image, feature_map, peaks, segments = diagonal_proof.worked_example(seed=seed)
    figure = diagonal_counts.worked_example(image, feature_map, peaks)
    _, sums, kept = figure.axes
    assert texts(sums) == [str(value) for value in feature_map.ravel()]
    assert texts(kept)[: peaks.size] == [str(3 * int(peak)) for peak in peaks.ravel()]
    assert texts(kept)[peaks.size :] == [f"row {row}, column {column}" for row, column in segments]
    assert kept.get_title(loc="left") == "threshold 3: 2 peaks"
    assert_inside(figure)


@pytest.mark.parametrize("values", [np.eye(3)[::-1], -np.eye(2), np.zeros((4, 3))])
def test_a_kernel_has_its_numbers_in_its_cells(values):
    figure = diagonal_counts.kernel(values + 0.001)
    assert texts(figure.axes[0]) == [f"{value + 0:g}" for value in values.ravel()]
    assert_inside(figure)


def test_a_figure_is_saved_as_png():
    file = io.BytesIO()
    diagonal_counts.kernel(np.eye(3)).savefig(file, dpi="figure")
    assert file.getvalue()[1:4] == b"PNG"

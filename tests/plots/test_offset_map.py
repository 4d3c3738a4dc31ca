"""The offset map shows every count, and its legend has the numbers of offsets."""

import pytest

from kerashw.plots.offset_map import offset_map
from kerashw.verify import diagonal_proof

from .legibility import assert_inside


@pytest.fixture(scope="module")
def counted():
    return diagonal_proof.count_every_offset(image_size=20)


@pytest.fixture(scope="module")
def figure(counted):
    return offset_map(counted.distances, counted.counts, reach=6)


def test_every_count_is_in_its_cell(counted, figure):
    middle = len(counted.counts) // 2
    view = counted.counts[middle - 6 : middle + 7, middle - 6 : middle + 7].ravel().tolist()
    del view[len(view) // 2]  # At the offset zero, the two segments are the same.
    assert [text.get_text() for text in figure.axes[0].texts] == [str(count) for count in view]


def test_the_legend_has_the_numbers_of_offsets(counted, figure):
    legend = " ".join(text.get_text() for text in figure.texts)
    assert f"{counted.legal:,} offsets: two peaks" in legend
    assert "0 offsets: not two" in legend
    assert "4 offsets: not two" in legend


def test_texts_are_inside_the_figure(figure):
    assert_inside(figure)

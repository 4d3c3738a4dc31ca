"""The confusion matrix shows all counts, colours the mistakes, and is legible."""

import numpy as np
import pytest

from kerashw.plots.confusion_matrix import confusion_matrix

from .class_names import CLASSES, DIGITS
from .legibility import assert_legible


def random_counts(scale=1):
    """Return mostly correct predictions, some mistakes, and zeros in a third of the cells."""
    counts = np.random.default_rng(0).integers(0, 40, (10, 10))
    counts[counts % 3 == 0] = 0
    return scale * (counts + 900 * np.eye(10, dtype=int))


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("scale", [1, 10])
def test_a_confusion_matrix_is_legible(classes, scale):
    assert_legible(confusion_matrix(random_counts(scale), classes))


@pytest.mark.parametrize("classes", [31, pytest.param(151, marks=pytest.mark.slow)])
def test_many_classes_are_legible(classes):
    counts = np.random.default_rng(0).integers(0, 3, (classes, classes))
    axes = confusion_matrix(counts, [f"class {number}" for number in range(classes)]).axes[0]
    assert axes.figure.get_size_inches().max() < 30
    assert not axes.texts
    assert_legible(axes.figure)


def test_each_count_is_in_its_cell():
    counts = random_counts()
    axes = confusion_matrix(counts, DIGITS).axes[0]
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    cells = np.argwhere(counts).tolist()
    assert texts == {(column, row): f"{counts[row, column]:,}" for row, column in cells}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    wrong = counts.sum() - counts.trace()
    assert axes.get_title(loc="left") == f"{wrong:,} of {counts.sum():,} wrong"
    assert [label.get_text() for label in axes.get_yticklabels()] == list(DIGITS)


def test_only_mistakes_are_coloured():
    counts = np.array([[5000, 3, 0], [1, 4000, 0], [0, 0, 6000]])
    shades = confusion_matrix(counts, "abc").axes[0].images[0].get_array()
    assert shades.count() == 2
    assert shades[0, 1] == 1 > shades[1, 0] > 0.5


@pytest.mark.parametrize("count", [1, 10_000])
def test_a_confusion_matrix_without_mistakes_is_legible(count):
    figure = confusion_matrix(count * np.eye(10, dtype=int), DIGITS)
    assert_legible(figure)
    assert figure.axes[0].get_title(loc="left") == f"0 of {10 * count:,} wrong"

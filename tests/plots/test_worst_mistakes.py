"""The worst mistakes are shown in order with their classes, and are legible."""

import numpy as np
import pytest

from kerashw.plots.worst_mistakes import worst_mistakes

from .class_names import CLASSES, CLOTHES, DIGITS
from .legibility import assert_legible, drawn_texts


def random_images(count):
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), "uint8")


def mistakes_figure(count, classes, total):
    """Plot random images, each classified as the class after its true one."""
    labels = np.arange(count) % 10
    confidences = np.linspace(1, 0.5, count)
    images = random_images(count)
    return worst_mistakes(images, labels, (labels + 1) % 10, confidences, classes, total)


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("count", [0, 1, 7, 25])
def test_mistakes_are_legible(classes, count):
    assert_legible(mistakes_figure(count, classes, total=9999 if count else 0))


def test_colours_and_shapes_are_those_of_the_images():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 10, 20, 3), "uint8")
    figure = worst_mistakes(pictures, [0, 1], [1, 0], [0.9, 0.8], DIGITS, 2)
    assert_legible(figure)
    for image, expected in zip(figure.axes[0].images, pictures, strict=True):
        np.testing.assert_array_equal(image.get_array(), expected)
        left, right, bottom, top = image.get_extent()
        np.testing.assert_allclose(right - left, 2 * (bottom - top))


def test_titles_have_the_classes_and_the_confidence():
    figure = mistakes_figure(3, DIGITS, total=83)
    title, *texts = [text for text, _ in drawn_texts(figure)]
    assert texts == ["0 → 1, 100.0 %", "1 → 2, 75.0 %", "2 → 3, 50.0 %"]
    assert "3 surest of 83" in title
    images = [image.get_array() for image in figure.axes[0].images]
    np.testing.assert_array_equal(images, random_images(3))


def test_long_names_of_classes_are_on_two_lines():
    texts = [text for text, _ in drawn_texts(mistakes_figure(3, CLOTHES, total=83))]
    assert texts[1] == "T-shirt/top\n→ Trouser, 100.0 %"


def test_a_figure_without_mistakes_says_so():
    texts = [text for text, _ in drawn_texts(mistakes_figure(0, DIGITS, total=0))]
    assert texts == ["no mistakes"]

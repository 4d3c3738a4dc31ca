"""The figure of photographs shows each photograph, its digit, and the name of its kind."""

import numpy as np

from kerashw.plots.photo_samples import photo_samples

from .legibility import assert_legible


def test_each_row_has_the_photographs_and_the_digits_of_a_kind():
    random = np.random.default_rng(0)
    kinds = ["even light", "gradient of light", "pencil in a shadow"]
    photos = {kind: random.integers(0, 256, (2, 64, 48, 3), "uint8") for kind in kinds}
    digits = {kind: random.integers(0, 256, (2, 28, 28), "uint8") for kind in kinds}
    figure = photo_samples(photos, digits)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    expected = [image for images in (photos, digits) for kind in kinds for image in images[kind]]
    for image, expected_image in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(image, expected_image)
    assert [axes.get_ylabel() for axes in figure.axes[:6:2]] == kinds
    assert_legible(figure)

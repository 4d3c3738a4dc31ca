"""Photographs depend on their seed only, show their effects, and keep the digit legible."""

import numpy as np
import pytest
import tensorflow as tf

from kerashw.benchmark.synthetic_photos import HEIGHT, KINDS, WIDTH, photographs
from kerashw.benchmark.topics.photos import center_each

DIGITS = 3


@pytest.fixture(scope="module")
def digits(data):
    return data.test_images[:DIGITS]


@pytest.fixture(scope="module")
def photos(digits):
    """Photographs of each kind."""
    return {kind: photographs(digits, kind) for kind in KINDS}


def decode(file):
    return tf.io.decode_jpeg(file).numpy().astype(float)


def test_photographs_are_jpeg_files_in_colour(photos):
    for kind, files in photos.items():
        assert {decode(file).shape for file in files} == {(HEIGHT, WIDTH, 3)}, kind


def test_a_photograph_depends_on_its_digit_its_kind_and_the_seed_only(digits, photos):
    for kind in ("even light", "pencil in a shadow"):
        assert photographs(digits[:2], kind) == photos[kind][:2]
        assert photographs(digits[:1], kind, seed=1) != photos[kind][:1]


def test_every_effect_is_visible(photos):
    """Each kind differs from the kinds with fewer effects by more than JPEG files do."""
    for kind, effects in KINDS.items():
        for other, fewer in KINDS.items():
            if set(fewer) < set(effects):
                differences = abs(decode(photos[kind][0]) - decode(photos[other][0]))
                assert np.quantile(differences, 0.999) > 8, (kind, other)


def test_the_ink_is_darker_than_the_paper_beside_it(digits):
    """A photograph of a digit is nowhere brighter than that of blank paper, and darker somewhere.

    The photographs of a kind without noise differ by nothing but the digit.
    """
    blank = np.zeros_like(digits[:1])
    for kind in ("perspective", "gradient of light", "shadow's edge", "pencil", "ruled paper"):
        (with_digit,), (without,) = photographs(digits[:1], kind), photographs(blank, kind)
        darkness = (decode(without) - decode(with_digit)).mean(2)
        is_ink = darkness > 30
        assert 0.003 < is_ink.mean() < 0.2, kind
        assert np.quantile(darkness[~is_ink], 0.01) > -12, kind


def test_blank_paper_has_no_digit():
    blank = np.zeros((1, 28, 28), "uint8")
    found = {kind: center_each(photographs(blank, kind))[1][0] for kind in KINDS}
    assert sum(found.values()) <= 1, found


def test_most_centred_digits_resemble_their_originals(digits, photos):
    """A correlation of 0.5 leaves room for the rotation of the photographs."""
    correlations = [
        np.corrcoef(found.ravel(), digit.ravel())[0, 1]
        for files in photos.values()
        for found, digit in zip(center_each(files)[0], digits, strict=True)
    ]
    assert len(correlations) == DIGITS * len(KINDS)
    assert np.mean(np.array(correlations) > 0.5) > 0.9

"""All legal positions are equally likely, and distances are those between pixels."""

import numpy as np
import pytest

from kerashw.datasets.diagonal_positions import distances
from kerashw.datasets.diagonals import generate
from tests.datasets.segments import as_placement, distance, placements


@pytest.mark.parametrize(("image_size", "length", "min_distance"), [(7, 3, 3.0), (6, 2, 1.5)])
def test_every_legal_placement_is_equally_likely(image_size, length, min_distance):
    """A chi-square test with a small image, so that every placement occurs often."""
    n = 40_000
    for balance, expected in zip((0, 1), placements(image_size, length, min_distance), strict=True):
        generated = generate(n, image_size, length, min_distance, class_balance=balance, seed=3)
        counts = dict.fromkeys(expected, 0)
        for segments in generated.segments:
            counts[as_placement(segments)] += 1
        mean = n / len(expected)
        statistic = sum((count - mean) ** 2 / mean for count in counts.values())
        freedom = len(expected) - 1
        # The statistic is nearly normal. One seed in 30,000 deviates by 4 standard deviations.
        assert abs(statistic - freedom) < 4 * (2 * freedom) ** 0.5


@pytest.mark.parametrize(("image_size", "length"), [(100, 3), (9, 4), (5, 2)])
def test_the_distances_are_those_of_the_pixels(image_size, length):
    table = distances(image_size, length)
    reach = image_size - length
    assert table.shape == (2 * reach + 1, 2 * reach + 1)
    for i, j in np.random.default_rng(0).integers(-reach, reach + 1, (200, 2)):
        assert table[reach + i, reach + j] == pytest.approx(distance((0, 0), (i, j), length))

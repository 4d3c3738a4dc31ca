"""The counts agree with an independent implementation, and the claims hold."""

import itertools

import numpy as np
import pytest

from kerashw.datasets.diagonal_positions import distances
from kerashw.verify import diagonal_proof


def pixels(row, column):
    return {(row, column + 2), (row + 1, column + 1), (row + 2, column)}


def peaks_of(lit):
    """Count the segments in a set of pixels."""
    positions = {(row - i, column - 2 + i) for row, column in lit for i in range(3)}
    return sum(pixels(*position) <= lit for position in positions)


def test_a_segment_has_one_peak_at_every_position():
    counts = diagonal_proof.count_every_placement()
    assert counts.shape == (98, 98)
    assert (counts == 1).all()


def test_every_offset_is_counted_as_by_sets_of_pixels():
    counted = diagonal_proof.count_every_offset(image_size=12)
    assert counted.counts.shape == (19, 19)
    for row, column in itertools.product(range(-9, 10), repeat=2):
        lit = pixels(0, 0) | pixels(row, column)
        assert counted.counts[row + 9, column + 9] == peaks_of(lit)


def test_the_count_depends_on_the_offset_alone():
    """The proof needs this: at other positions, the same offset has the same count."""
    generator = np.random.default_rng(0)
    counted = diagonal_proof.count_every_offset(image_size=12)
    first = generator.integers(0, 10, (500, 2))
    second = generator.integers(0, 10, (500, 2))
    counts = diagonal_proof._count_segments(np.stack([first, second], axis=1), 12)
    rows, columns = (second - first).T + 9
    np.testing.assert_array_equal(counts, counted.counts[rows, columns])


def test_at_a_distance_of_three_or_more_the_peaks_are_always_two():
    counted = diagonal_proof.count_every_offset()
    assert counted.counts.size == 195**2
    assert (counted.legal, counted.wrong_and_legal) == (37_964, 0)
    np.testing.assert_array_equal(counted.distances, distances())
    # Only segments that form one line have more than two peaks.
    assert counted.exceptions == {(-3, 3): 4, (-2, 2): 3, (2, -2): 3, (3, -3): 4}
    np.testing.assert_array_equal(counted.counts, counted.counts[::-1, ::-1])


def test_offsets_within_a_bound_that_is_too_low_are_counted():
    low = diagonal_proof.count_every_offset(image_size=12, bound=1.4)
    assert low.wrong_and_legal == 2
    assert set(low.exceptions) == {(-2, 2), (2, -2)}


@pytest.mark.parametrize("n", [1, 1500])
def test_all_random_images_are_classified_correctly(n):
    confusion = diagonal_proof.count_random_images(n, image_size=30, seed=4)
    assert confusion.sum() == n == confusion[0, 0] + confusion[1, 1]


def test_the_worked_example_is_the_homeworks():
    example = diagonal_proof.worked_example()
    assert example.image.shape == (20, 20)
    assert example.feature_map.shape == (18, 18)
    sums = [[int(example.image[r : r + 3, c : c + 3][::-1].trace()) for c in range(18)]
            for r in range(18)]  # fmt: skip
    np.testing.assert_array_equal(example.feature_map, sums)
    np.testing.assert_array_equal(example.peaks, example.feature_map == 3)
    np.testing.assert_array_equal(np.argwhere(example.peaks), example.segments)
    # No segment touches the border, so both are easy to see in the picture.
    assert example.segments.min() > 0
    assert example.segments.max() < 17


def test_images_of_neither_class():
    counts = diagonal_proof.count_other_images()
    assert [count for name, count in counts.items() if "main" in name or name == "nothing"] == [
        0
    ] * 3
    assert counts["three segments"] == 3

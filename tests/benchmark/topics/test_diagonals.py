"""What is compared is the same count; the times themselves are the benchmark's."""

import numpy as np
import pytest

from kerashw.benchmark.topics import diagonals
from kerashw.datasets.diagonals import generate
from kerashw.errors import BenchmarkError


def test_all_ways_count_the_same():
    images, labels, _ = generate(20, image_size=30)
    functions = diagonals.counting_functions()
    assert {"DiagonalCount, compiled", "DiagonalCount", "tf.nn.conv2d"} <= set(functions)
    for count in functions.values():
        np.testing.assert_array_equal(count(images), labels)


def test_every_peer_is_compared():
    compared = list(diagonals.compare_counting(images=20, image_size=20, rounds=2))
    assert [comparison.peer for comparison in compared] == list(diagonals.counting_functions())[1:]
    for comparison in compared:
        assert len(comparison.ours) == len(comparison.theirs) == 2


def test_a_wrong_count_is_not_timed(monkeypatch):
    functions = {"tf.nn.conv2d": lambda images: np.zeros(len(images))}
    monkeypatch.setattr(diagonals, "counting_functions", lambda: functions)
    with pytest.raises(BenchmarkError, match=r"tf\.nn\.conv2d does not count"):
        next(diagonals.compare_counting(images=5, image_size=20, density=0.9))

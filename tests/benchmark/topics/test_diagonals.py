"""The functions that are compared return the same counts."""

import numpy as np
import pytest

from kerashw.benchmark.topics import diagonals
from kerashw.datasets.diagonals import generate
from kerashw.errors import BenchmarkError


def test_all_functions_return_the_same_counts():
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


def test_a_function_with_wrong_counts_is_not_timed(monkeypatch):
    functions = {"tf.nn.conv2d": lambda images: np.zeros(len(images))}
    monkeypatch.setattr(diagonals, "counting_functions", lambda: functions)
    with pytest.raises(BenchmarkError, match=r"tf\.nn\.conv2d does not count"):
        next(diagonals.compare_counting(images=5, image_size=20, density=0.9))

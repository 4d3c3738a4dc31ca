"""What the cost compares is the same count; the times themselves are the benchmark's."""

import numpy as np
import pytest

from kerashw import diagonal_cost
from kerashw.datasets.diagonals import generate


def test_all_ways_count_the_same():
    images, labels, _ = generate(20, image_size=30)
    functions = diagonal_cost.counting_functions()
    assert {"DiagonalCount, XLA", "DiagonalCount", "tf.nn.conv2d"} <= set(functions)
    for count in functions.values():
        np.testing.assert_array_equal(count(images), labels)


def test_the_costs_are_ratios_to_the_peers():
    costs = diagonal_cost.counting_cost(images=20, image_size=20, rounds=2)
    assert costs["tf.nn.conv2d"].times_conv2d == 1
    assert min(cost.images_a_second for cost in costs.values()) > 0
    for cost in costs.values():
        assert (cost.times_filter2d is None) == ("cv2.filter2D" not in costs)


def test_a_wrong_count_is_not_timed(monkeypatch):
    functions = {"tf.nn.conv2d": lambda images: np.zeros(len(images))}
    monkeypatch.setattr(diagonal_cost, "counting_functions", lambda: functions)
    with pytest.raises(ArithmeticError, match=r"tf\.nn\.conv2d does not count"):
        diagonal_cost.counting_cost(images=5, image_size=20, density=0.9)

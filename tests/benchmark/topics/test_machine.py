import pytest

from kerashw.benchmark.topics.machine import least_times


def test_the_least_time_is_inversely_proportional_to_the_rate():
    slow = least_times({"float32": 1e9, "bfloat16": 1e9, "memory": 1e9}).rows
    fast = least_times({"float32": 2e9, "bfloat16": 4e9, "memory": 1e9}).rows
    for one, other in zip(slow, fast, strict=True):
        assert one[2] == pytest.approx(2 * other[2])
        assert one[3] == pytest.approx(4 * other[3])
        assert one[5] == other[5]

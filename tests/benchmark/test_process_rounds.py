"""Alternating rounds of small worker processes, which run this file."""

import sys
import time

import pytest

from kerashw.benchmark.process_rounds import run_rounds, run_worker

MODULE = "tests.benchmark.test_process_rounds"


def job(timed_round, options):
    """Run the rounds of a worker. The worker "failing" fails in its second round."""
    kind = sys.argv[1]
    for number in range(options["rounds"]):
        sys.stdout.write("noise\n")
        with timed_round() as report:
            if kind == "failing" and number == 1:
                raise ValueError("the second round is too much")
            report["began"] = time.monotonic()
            # Ones, because pages of zeros do not use memory before they are written.
            report["bytes"] = len(b"1" * (options["mebibytes"] * 2**20 if kind == "large" else 1))
            report["ended"] = time.monotonic()


if __name__ == "__main__":
    run_worker(job)


@pytest.fixture(scope="module")
def messages():
    return []


@pytest.fixture(scope="module")
def results(messages):
    workers = {name: f"{MODULE} {name}" for name in ("small", "large", "failing")}
    workers["missing"] = "kerashw.benchmark.nosuch"
    return run_rounds(workers, {"mebibytes": 64}, 3, messages.append)


def test_only_one_worker_runs_at_a_time(results):
    intervals = [
        (one["began"], one["ended"])
        for pair in zip(results["small"].rounds, results["large"].rounds, strict=True)
        for one in pair
    ]
    assert len(intervals) == 6
    moments = [moment for interval in intervals for moment in interval]
    assert moments == sorted(moments)


def test_the_time_of_a_round_is_measured_in_its_worker(results):
    for one in results["large"].rounds:
        assert one["seconds"] >= one["ended"] - one["began"]
    assert len(results["large"].seconds(warm_up=1)) == 2


def test_memory_is_measured_for_each_process(results):
    difference = results["large"].peak_bytes - results["small"].peak_bytes
    assert 0.9 * 64 * 2**20 < difference < 1.5 * 64 * 2**20


def test_a_failing_worker_does_not_affect_the_others(results, messages):
    assert results["failing"].failure == "ValueError: the second round is too much"
    assert len(results["failing"].rounds) == 1
    assert results["failing"].peak_bytes is None
    assert not results["small"].failure
    assert "round 3 of 3, failing" not in messages
    assert "round 3 of 3, large" in messages


def test_a_worker_that_cannot_start_is_reported(results):
    assert "No module named kerashw.benchmark.nosuch" in results["missing"].failure

"""Processes that take turns; here small ones, of this file itself."""

import sys
import time

import pytest

from kerashw.benchmark.process_rounds import contend, take_rounds

MODULE = "tests.benchmark.test_process_rounds"


def work(turn, options):
    """Work as told; "fails" fails in its second round."""
    way = sys.argv[1]
    for number in range(options["rounds"]):
        sys.stdout.write("noise\n")
        with turn() as report:
            if way == "fails" and number == 1:
                raise ValueError("the second round is too much")
            report["began"] = time.monotonic()
            # Ones, as the system hands out pages of zeros without giving any memory for them.
            report["bytes"] = len(b"1" * (options["mebibytes"] * 2**20 if way == "large" else 1))
            report["ended"] = time.monotonic()


if __name__ == "__main__":
    contend(work)


@pytest.fixture(scope="module")
def outcomes():
    modules = {name: f"{MODULE} {name}" for name in ("small", "large", "fails")}
    said = []
    outcomes = take_rounds(modules, {"mebibytes": 64}, 3, said.append)
    return outcomes | {"said": said}


def test_only_one_works_at_a_time_in_turn(outcomes):
    turns = [
        (one["began"], one["ended"])
        for pair in zip(outcomes["small"].rounds, outcomes["large"].rounds, strict=True)
        for one in pair
    ]
    assert len(turns) == 6
    flat = [moment for turn in turns for moment in turn]
    assert flat == sorted(flat)


def test_the_time_is_that_of_the_turn_alone(outcomes):
    for one in outcomes["large"].rounds:
        assert one["seconds"] >= one["ended"] - one["began"]
    assert len(outcomes["large"].seconds(warm_up=1)) == 2


def test_memory_is_that_of_each_process(outcomes):
    more = outcomes["large"].peak_bytes - outcomes["small"].peak_bytes
    assert 0.9 * 64 * 2**20 < more < 1.5 * 64 * 2**20


def test_one_that_fails_leaves_the_others_alone(outcomes):
    assert outcomes["fails"].failure == "ValueError: the second round is too much"
    assert len(outcomes["fails"].rounds) == 1
    assert outcomes["fails"].peak_bytes is None
    assert not outcomes["small"].failure
    assert "round 3 of 3, fails" not in outcomes["said"]
    assert "round 3 of 3, large" in outcomes["said"]


def test_one_that_cannot_start_is_said():
    (outcome,) = take_rounds({"nosuch": "kerashw.benchmark.nosuch"}, {}, 1).values()
    assert "No module named kerashw.benchmark.nosuch" in outcome.failure

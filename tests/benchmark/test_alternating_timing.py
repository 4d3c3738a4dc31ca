import threading

import pytest

from kerashw.benchmark.alternating_timing import Comparison, take_turns


def test_the_two_take_turns_and_are_never_at_it_together():
    seen, busy = [], threading.Lock()

    def worker(name, rounds):
        def run(turn):
            for _ in range(rounds):
                with turn():
                    assert busy.acquire(blocking=False)
                    seen.append(name)
                    busy.release()

        return run

    ours, theirs = take_turns(worker("a", 4), worker("b", 3), warm_up=1)
    assert seen == list("abababa")
    assert (len(ours), len(theirs)) == (3, 2)
    assert min(ours + theirs) > 0


def fine(turn):
    for _ in range(3):
        with turn():
            pass


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_ends_both(failing):
    def broken(turn):
        with turn():
            pass
        raise RuntimeError("broken")

    functions = [fine, fine]
    functions[failing] = broken
    with pytest.raises(RuntimeError, match="broken"):
        take_turns(*functions)


def test_an_error_within_a_round_ends_both():
    def broken(turn):
        with turn():
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        take_turns(broken, fine)


def test_the_ratio_is_that_of_pairs_not_of_medians():
    # A machine that is three times as slow in one round is so for both.
    comparison = Comparison("job", "peer", ours=[1, 3, 1], theirs=[2, 6, 4])
    assert comparison.ratios == [0.25, 0.5, 0.5]
    assert comparison.ratio == 0.5

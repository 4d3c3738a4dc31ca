import pytest

from kerashw.benchmark.alternating_timing import Comparison, time_alternately


def test_the_functions_are_called_alternately():
    calls = []
    ours, theirs = time_alternately(
        lambda: calls.append("a"), lambda: calls.append("b"), rounds=3, warm_up=1
    )
    assert calls == list("abababab")
    assert (len(ours), len(theirs)) == (3, 3)
    assert min(ours + theirs) > 0


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_ends_the_timing(failing):
    calls = []

    def fail():
        raise RuntimeError("broken")

    functions = [lambda: calls.append("a")] * 2
    functions[failing] = fail
    with pytest.raises(RuntimeError, match="broken"):
        time_alternately(*functions, rounds=3)
    assert len(calls) == failing


def test_the_ratio_is_the_median_of_the_ratios_of_rounds():
    # A machine that is three times as slow in one round is slow for both.
    comparison = Comparison("job", "peer", ours=[1, 3, 1], theirs=[2, 6, 4])
    assert comparison.ratios == [0.25, 0.5, 0.5]
    assert comparison.ratio == 0.5

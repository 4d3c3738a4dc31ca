"""Alternating timing: one round of kerashw, then one round of a peer, and so on.

The speed of a machine varies from minute to minute. Two rounds that follow each other see nearly
the same machine, so the ratio of their times varies less than the times themselves.
"""

import dataclasses
import statistics
import time


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The times of one job, done by kerashw and by a peer.

    Args:
        job: String, the name of the job.
        peer: String, the name of the library or function that kerashw is compared with.
        ours: List of seconds, one per round of kerashw.
        theirs: List of seconds, one per round of the peer. Round i ran right after `ours[i]`.
        quality: String, the evidence that both did the same job; may be empty.
    """

    job: str
    peer: str
    ours: list
    theirs: list
    quality: str = ""

    @property
    def ratios(self):
        """The time of kerashw divided by the time of the peer in each round, in rising order."""
        return sorted(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio(self):
        """The median of `ratios`.

        Example:
            >>> Comparison("adding", "NumPy", [1.0, 2.0, 3.0], [2.0, 2.0, 4.0]).ratio
            0.75
        """
        return statistics.median(self.ratios)


def time_alternately(first, second, rounds, warm_up=1):
    """Call two functions alternately, and time each call.

    Args:
        first: Function without arguments.
        second: Function without arguments.
        rounds: Integer, the number of calls of each function that are timed.
        warm_up: Integer, the number of calls of each function before these.

    Returns:
        Pair of lists of seconds, each of length `rounds`.

    Raises:
        Exception: The exception of a function that fails.

    Example:
        >>> ours, theirs = time_alternately(lambda: sum(range(9)), lambda: 36, rounds=2)
        >>> len(ours), len(theirs)
        (2, 2)
    """
    seconds = [], []
    for _ in range(warm_up + rounds):
        for function, times in zip((first, second), seconds, strict=True):
            started = time.perf_counter()
            function()
            times.append(time.perf_counter() - started)
    return tuple(times[warm_up:] for times in seconds)

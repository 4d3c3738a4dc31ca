"""Timing two ways of doing the same, turn by turn, so that a machine's moods meet both."""

import collections
import contextlib
import dataclasses
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How long one job took, ours and a peer's way.

    Args:
        job: String, what was done.
        peer: String, whose way it is compared with.
        ours: List of seconds, one a round.
        theirs: List of seconds, one a round; round i was timed right after `ours[i]`.
        quality: String, what shows that both did the same; empty where nothing needs to.
    """

    job: str
    peer: str
    ours: list
    theirs: list
    quality: str = ""

    @property
    def ratios(self):
        """Our time as a share of the peer's, round by round, smallest first."""
        return sorted(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio(self):
        """The median of `ratios`.

        Example:
            >>> Comparison("adding", "a friend", [1.0, 2.0, 3.0], [2.0, 2.0, 4.0]).ratio
            0.75
        """
        return statistics.median(self.ratios)


def take_turns(first, second, warm_up=1):
    """Run two functions side by side, one round of one, then one of the other, and so on.

    Args:
        first: Function that takes a context manager, and enters it for each of its rounds.
        second: The same.
        warm_up: Integer, the rounds of each that do not count.

    Returns:
        Pair of lists of seconds, one a counted round.

    Raises:
        Exception: What a function raises.

    Example:
        >>> def work(turn):
        ...     for _ in range(3):
        ...         with turn():
        ...             sum(range(1000))
        >>> ours, theirs = take_turns(work, work)
        >>> len(ours), len(theirs)
        (2, 2)
    """
    turns = _Turns()
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = [
            pool.submit(turns.run, number, function)
            for number, function in enumerate((first, second))
        ]
        for run in runs:
            run.result()
    return [seconds[warm_up:] for seconds in turns.seconds]


class _Turns:
    """Who is next of two threads, and how long each had the machine."""

    def __init__(self):
        self.seconds = [], []
        self.waiting = collections.deque([0, 1])
        self.changed = threading.Condition()

    def run(self, number, function):
        try:
            function(lambda: self.turn(number))
        finally:
            # The other goes on alone, also after an error.
            with self.changed:
                self.waiting.remove(number)
                self.changed.notify_all()

    @contextlib.contextmanager
    def turn(self, number):
        with self.changed:
            self.changed.wait_for(lambda: self.waiting[0] == number)
        started = time.perf_counter()
        yield
        self.seconds[number].append(time.perf_counter() - started)
        with self.changed:
            self.waiting.rotate(-1)
            self.changed.notify_all()

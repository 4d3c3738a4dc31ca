"""What a claim is: a sentence, a function that measures it, and the verdicts that we stand behind.

A further claim is one more function:

    @claim(14, "two and two make four")
    def sum_of_twos(lab):
        error = abs(2 + 2 - 4)
        return Evidence(
            how="one case", measured=f"error {error}", verdict=judged(error == 0), numbers={}
        )
"""

import dataclasses
import enum
import textwrap
import time
from collections.abc import Callable

from kerashw.errors import InputError


class Verdict(enum.StrEnum):
    """What the measurement says of a claim."""

    HOLDS = "holds"
    CORRECTED = "holds with a correction"
    FAILS = "does not hold"


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What a claim's test found.

    Args:
        how: String, what was tried: sizes, seeds, cases.
        measured: String, the numbers that decide, and what they are.
        verdict: `Verdict`.
        numbers: Dict of what was measured, raw, as JSON can hold it.
        note: String, what a reader should know besides; with `Verdict.CORRECTED`, the correction.
        pictures: Dict from a file's name without suffix to a function without arguments that
            draws the figure. Claims may name the same picture; it is drawn once, when all of them
            are tested.
    """

    how: str
    measured: str
    verdict: Verdict
    numbers: dict
    note: str = ""
    pictures: dict[str, Callable] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Claim:
    """One thing that the homework says.

    Args:
        number: Integer, as in the table of claims.
        sentence: String.
        expected: Tuple of the verdicts that are no surprise; two where the seeds decide.
        test: Function from a `Lab` to an `Evidence`.
    """

    number: int
    sentence: str
    expected: tuple[Verdict, ...]
    test: Callable

    def tested(self, lab):
        """Test the claim in a `Lab`; return a `Finding`."""
        started = time.perf_counter()
        evidence = self.test(lab)
        return Finding(self, evidence, round(time.perf_counter() - started, 3))


@dataclasses.dataclass(frozen=True)
class Finding:
    """A claim with the evidence that its test found, and the seconds that it took.

    Example:
        >>> from kerashw.verify.claims import CLAIMS
        >>> print(CLAIMS[8].tested(None))
        Claim 8. The worked example: 20×20, Class 2, 18×18 feature map, two peaks
            tried     the first image that seed 21 generates
            measured  18×18 feature map, 2 peaks, where the segments are
            verdict   holds
    """

    claim: Claim
    evidence: Evidence
    seconds: float

    @property
    def as_expected(self):
        """Whether the verdict is one of the expected ones."""
        return self.evidence.verdict in self.claim.expected

    def __str__(self):
        """Write claim, evidence and verdict as a few lines of at most 98 columns."""
        said = {
            "tried": self.evidence.how,
            "measured": self.evidence.measured,
            "verdict": self.evidence.verdict,
            "note": self.evidence.note,
        }
        lines = [f"Claim {self.claim.number}. {self.claim.sentence}"]
        for name, text in said.items():
            start = f"    {name:10}"
            lines += textwrap.wrap(text, 98, initial_indent=start, subsequent_indent=14 * " ")
        return "\n".join(lines)

    def row(self):
        """Return the claim's row of the table, and its raw numbers, as JSON can hold them."""
        return {
            "number": self.claim.number,
            "claim": self.claim.sentence,
            "how": self.evidence.how,
            "measured": self.evidence.measured,
            "verdict": self.evidence.verdict.value,
            "note": self.evidence.note,
            "expected": [verdict.value for verdict in self.claim.expected],
            "as_expected": self.as_expected,
            "seconds": self.seconds,
            "numbers": self.evidence.numbers,
        }


# The number → the claim, filled by the decorator below.
CLAIMS: dict[int, Claim] = {}


def claim(number, sentence, expected=(Verdict.HOLDS,)):
    """Register the decorated function as the test of a claim.

    Args:
        number: Integer, not taken yet.
        sentence: String, the claim in short.
        expected: Tuple of `Verdict`.

    Returns:
        A decorator that leaves the function as it is.
    """

    def register(test):
        if number in CLAIMS:
            raise InputError(f"a claim's number must not be taken. Received: {number}, twice")
        CLAIMS[number] = Claim(number, sentence, expected, test)
        return test

    return register


def chosen(numbers=None):
    """Return claims in the order of their numbers.

    Args:
        numbers: List of integers; `None` for all claims.

    Returns:
        List of `Claim`, each once.

    Raises:
        InputError: If there is no claim of a number.

    Example:
        >>> from kerashw.verify.claims import chosen
        >>> [claim.number for claim in chosen([3, 1, 3])]
        [1, 3]
    """
    known = ", ".join(map(str, sorted(CLAIMS)))
    for number in numbers or ():
        if number not in CLAIMS:
            raise InputError(f"claims have the numbers {known}. Received: {number}")
    return [CLAIMS[number] for number in sorted(CLAIMS) if not numbers or number in numbers]


def judged(right):
    """Return `Verdict.HOLDS` if the boolean is true, otherwise `Verdict.FAILS`."""
    return Verdict.HOLDS if right else Verdict.FAILS


def brief_error(error):
    """Write an error with the two digits that say something.

    Args:
        error: Float, not negative.

    Returns:
        String.

    Example:
        >>> brief_error(0.0), brief_error(4.03e-16)
        ('0', '4.0e-16')
    """
    return f"{error:.1e}" if error else "0"

"""Claims, their verdicts and results, and the registry of all claims.

A claim is a sentence and a function that measures whether it holds. The decorator `claim` registers
it:

    @claim(14, "two and two make four")
    def sum_of_twos(trained_models):
        error = abs(2 + 2 - 4)
        return Evidence(
            method="one case",
            measured=f"error {error}",
            verdict=Verdict.from_bool(error == 0),
            numbers={"error": error},
        )
"""

import dataclasses
import enum
import textwrap
import time
from collections.abc import Callable

from kerashw.errors import InputError


class Verdict(enum.StrEnum):
    """The outcome of a claim's test."""

    HOLDS = "holds"
    CORRECTED = "holds with a correction"
    FAILS = "does not hold"

    @classmethod
    def from_bool(cls, holds):
        """Return `HOLDS` if the boolean is true, otherwise `FAILS`."""
        return cls.HOLDS if holds else cls.FAILS


@dataclasses.dataclass(frozen=True)
class Evidence:
    """The measurements of a claim's test.

    Args:
        method: String, what was tested: sizes, seeds, cases.
        measured: String, the numbers that decide, with their meaning.
        verdict: `Verdict`.
        numbers: Dictionary of the raw measurements, as JSON accepts them.
        note: String, further information; with `Verdict.CORRECTED`, the correction.
        pictures: Dictionary from a file name without suffix to a function without arguments that
            draws the figure. It is called after all claims are tested, once for each name.
    """

    method: str
    measured: str
    verdict: Verdict
    numbers: dict
    note: str = ""
    pictures: dict[str, Callable] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement of the homework.

    Args:
        number: Integer, the number in the table of claims.
        sentence: String.
        expected: Tuple of the expected verdicts; more than one if they depend on the seeds.
        measure: Function from a `TrainedModels` to an `Evidence`.
    """

    number: int
    sentence: str
    expected: tuple[Verdict, ...]
    measure: Callable

    def test(self, trained_models):
        """Test the claim.

        Args:
            trained_models: `TrainedModels`; `None` if the claim needs no training.

        Returns:
            `ClaimResult`.
        """
        start = time.perf_counter()
        evidence = self.measure(trained_models)
        return ClaimResult(self, evidence, round(time.perf_counter() - start, 3))


@dataclasses.dataclass(frozen=True)
class ClaimResult:
    """A claim with the evidence from its test and the duration of the test in seconds.

    Example:
        >>> from kerashw.verify.claims import CLAIMS
        >>> print(CLAIMS[8].test(None))
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
        """Whether the verdict is an expected one."""
        return self.evidence.verdict in self.claim.expected

    def __str__(self):
        """Format claim, evidence and verdict in lines of at most 98 columns."""
        fields = {
            "tried": self.evidence.method,
            "measured": self.evidence.measured,
            "verdict": self.evidence.verdict,
            "note": self.evidence.note,
        }
        lines = [f"Claim {self.claim.number}. {self.claim.sentence}"]
        for name, text in fields.items():
            start = f"    {name:10}"
            lines += textwrap.wrap(text, 98, initial_indent=start, subsequent_indent=14 * " ")
        return "\n".join(lines)

    def row(self):
        """Return the claim's row of the table and its raw numbers, as JSON accepts them."""
        return {
            "number": self.claim.number,
            "claim": self.claim.sentence,
            "how": self.evidence.method,
            "measured": self.evidence.measured,
            "verdict": self.evidence.verdict.value,
            "note": self.evidence.note,
            "expected": [verdict.value for verdict in self.claim.expected],
            "as_expected": self.as_expected,
            "seconds": self.seconds,
            "numbers": self.evidence.numbers,
        }


# All claims by number; the decorator `claim` adds them.
CLAIMS: dict[int, Claim] = {}


def claim(number, sentence, expected=(Verdict.HOLDS,)):
    """Register the decorated function as the test of a claim.

    Args:
        number: Integer, not used by another claim.
        sentence: String, the claim in short.
        expected: Tuple of `Verdict`.

    Returns:
        Decorator that returns the function unchanged.

    Raises:
        InputError: If another claim has the number.
    """

    def register(measure):
        if number in CLAIMS:
            raise InputError(f"the number of a claim must be unique. Received: {number}, twice")
        CLAIMS[number] = Claim(number, sentence, expected, measure)
        return measure

    return register


def select_claims(numbers=None):
    """Return claims in the order of their numbers.

    Args:
        numbers: List of integers; `None` for all claims.

    Returns:
        List of `Claim` without duplicates.

    Raises:
        InputError: If no claim has one of the numbers.

    Example:
        >>> from kerashw.verify.claims import select_claims
        >>> [claim.number for claim in select_claims([3, 1, 3])]
        [1, 3]
    """
    known = ", ".join(map(str, sorted(CLAIMS)))
    for number in numbers or ():
        if number not in CLAIMS:
            raise InputError(f"claims have the numbers {known}. Received: {number}")
    return [CLAIMS[number] for number in sorted(CLAIMS) if not numbers or number in numbers]


def format_error(error):
    """Format a numerical error with two significant digits.

    Args:
        error: Float, not negative.

    Returns:
        String.

    Example:
        >>> format_error(0.0), format_error(4.03e-16)
        ('0', '4.0e-16')
    """
    return f"{error:.1e}" if error else "0"

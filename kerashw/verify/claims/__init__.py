"""The thirteen claims of the homework: one module for each question, one function for each claim.

    >>> from kerashw.verify.claims import CLAIMS, TrainedModels
    >>> result = CLAIMS[4].test(TrainedModels())
    >>> print(result.claim.sentence, "-", result.evidence.verdict)
    H1 ⊆ H2: every softmax(W x) is a softmax((A + B) C x) - holds

`python -m kerashw.verify` tests them and prints a table.
"""

from kerashw.verify.claim import CLAIMS, Claim, ClaimResult, Evidence, Verdict, select_claims
from kerashw.verify.claims import question1, question2, question3, question4  # noqa: F401 - registers them
from kerashw.verify.trained_models import TrainedModels

__all__ = [
    "CLAIMS",
    "Claim",
    "ClaimResult",
    "Evidence",
    "TrainedModels",
    "Verdict",
    "select_claims",
]

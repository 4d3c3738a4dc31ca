"""What the homework claims, each claim a function that measures and judges.

    >>> from kerashw.verify.claims import CLAIMS, Lab
    >>> evidence = CLAIMS[4].test(Lab())
    >>> print(CLAIMS[4].sentence, "-", evidence.verdict)
    H1 ⊆ H2: every softmax(W x) is a softmax((A + B) C x) - holds

`python -m kerashw.verify` shows them as a table.
"""

from kerashw.verify.claim import CLAIMS, Claim, Evidence, Finding, Verdict, chosen
from kerashw.verify.claims import question1, question2, question3, question4  # noqa: F401 - registers them
from kerashw.verify.trained_models import Lab

__all__ = ["CLAIMS", "Claim", "Evidence", "Finding", "Lab", "Verdict", "chosen"]

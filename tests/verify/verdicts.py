"""Functions that the tests of the claims share."""

from kerashw.verify.claims import CLAIMS, Verdict

HOLDS, CORRECTED, FAILS = Verdict


def verdict_of(number, trained_models=None):
    """Test a claim; return its verdict."""
    result = CLAIMS[number].test(trained_models)
    assert result.as_expected == (result.evidence.verdict in CLAIMS[number].expected)
    return result.evidence.verdict

import pytest

from kerashw.verify.claim import ClaimResult, Evidence
from kerashw.verify.claims import CLAIMS, Verdict
from kerashw.verify.verdict_table import VerdictTable
from tests.consoles import assert_shown_whole, recording_console

EVIDENCE = Evidence(
    "all 38,024 offsets that fit into 100×100; against tf.GradientTape, ForwardAccumulator",
    "largest relative error 1.1e-15; 1,000,000 images are classified correctly",
    Verdict.CORRECTED,
    {},
    "The formula ∂L/∂B = g_v xᵀ lacks an outer product; -0.09 points, 2.2e-06 served in float32.",
)
RESULTS = [ClaimResult(claim, EVIDENCE, 1.5) for claim in CLAIMS.values()]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [24, 40, 79, 80, 110, 150])
def test_every_word_is_shown_whole_in_every_width(width, encoding):
    console = recording_console(width, encoding)
    with VerdictTable(console) as table:
        for result in RESULTS:
            table.show_claim(result.claim)
            table.show_result(result)
        table.show_summary(RESULTS)
    texts = [EVIDENCE.method, EVIDENCE.measured, EVIDENCE.verdict, EVIDENCE.note]
    texts += [f"{result.claim.number} {result.claim.sentence}" for result in RESULTS]
    unexpected = ", ".join(str(one.claim.number) for one in RESULTS if not one.as_expected)
    assert_shown_whole(console, [*texts, "(expected: holds)", f"Not as expected: {unexpected}."])

"""The table of verdicts on the console: one row for each claim, printed after its test."""

from collections import Counter

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kerashw.models import TITLES
from kerashw.train.observer import Observer
from kerashw.train.progress_bar import TrainingBar, training_progress
from kerashw.verify.claim import Verdict

# The headings of the columns, and their shares of the width.
COLUMNS = {"claim": 27, "how it was tested": 25, "measured": 28, "verdict": 14}
WIDEST = 140
STYLES = {Verdict.HOLDS: "green", Verdict.CORRECTED: "yellow", Verdict.FAILS: "red"}
SINGULAR_AND_PLURAL = {
    Verdict.HOLDS: ("holds", "hold"),
    Verdict.CORRECTED: ("holds with a correction", "hold with a correction"),
    Verdict.FAILS: ("does not hold", "do not hold"),
}


class VerdictTable(Observer):
    """Prints the results of the claims, and in a terminal the progress of the tests.

    Args:
        console: `rich.console.Console`.
    """

    def __init__(self, console):
        self.console = console
        self.width = min(console.width, WIDEST)
        self.progress = training_progress(console)

    def __enter__(self):
        heading = self._table()
        heading.add_row("", *COLUMNS, style="bold")
        self.console.print(heading)
        self.console.print("─" * self.width + "\n", style="dim")
        self.progress.start()
        self.task = self.progress.add_task("", total=None, state="")
        return self

    def __exit__(self, *exception):
        self.progress.stop()

    def show_claim(self, claim):
        """Show the claim whose test starts, in a terminal."""
        self.progress.update(self.task, description=f"claim {claim.number}", state=claim.sentence)

    def on_data_load(self, dataset):
        """Show the data set that is loaded, in a terminal."""
        self.progress.update(self.task, state=f"reading {dataset}")

    def on_model_begin(self, model, history):
        """Return the progress bar of a model's training."""
        title = f"{TITLES[model.name]}, seed {history['seed']}, "
        return [TrainingBar(self.progress, title=title)]

    def show_result(self, result):
        """Print the row of a claim, and its note below."""
        evidence = result.evidence
        verdict = Text(evidence.verdict.value, STYLES[evidence.verdict])
        if not result.as_expected:
            verdict.append(f" (expected: {' or '.join(result.claim.expected)})", "bold")
        row = self._table()
        cells = (result.claim.sentence, evidence.method, evidence.measured)
        row.add_row(str(result.claim.number), *map(Text, cells), verdict)
        self.console.print(row)
        if evidence.note:
            corrected = evidence.verdict is Verdict.CORRECTED
            note = Text(("Correction: " if corrected else "") + evidence.note, "italic")
            self.console.print(Padding(note, (0, 0, 0, 4)), width=self.width)
        self.console.print()

    def show_pictures(self, paths):
        """Print the paths of the pictures."""
        if not paths:
            self.console.print("The claims chosen have no picture.")
        for path in paths:
            self.console.print(f"picture  {path}", soft_wrap=True, highlight=False)

    def show_summary(self, results):
        """Print the number of claims for each verdict, and the total time in seconds."""
        counts = Counter(result.evidence.verdict for result in results)
        verdicts = ", ".join(
            f"{counts[verdict]} {SINGULAR_AND_PLURAL[verdict][counts[verdict] > 1]}"
            for verdict in Verdict
            if counts[verdict]
        )
        seconds = sum(result.seconds for result in results)
        unexpected = [str(result.claim.number) for result in results if not result.as_expected]
        expected = f"Not as expected: {', '.join(unexpected)}" if unexpected else "All as expected"
        self.console.print(f"{verdicts}. {expected}. {seconds:.1f} seconds.", highlight=False)

    def _table(self):
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.width = self.width
        table.add_column(width=2, justify="right")
        for share in COLUMNS.values():
            table.add_column(ratio=share)
        return table

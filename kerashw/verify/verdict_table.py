"""The claims as one sees them in a terminal: a row as soon as a claim is judged, lined up."""

from collections import Counter

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kerashw.models import TITLES
from kerashw.train.observer import Observer
from kerashw.train.progress import TrainingBar, training_progress
from kerashw.verify.claim import Verdict

# The columns' headings and shares of the width.
COLUMNS = {"claim": 27, "how it was tested": 25, "measured": 28, "verdict": 14}
WIDEST = 140
STYLES = {Verdict.HOLDS: "green", Verdict.CORRECTED: "yellow", Verdict.FAILS: "red"}
COUNTED = {
    Verdict.HOLDS: ("holds", "hold"),
    Verdict.CORRECTED: ("holds with a correction", "hold with a correction"),
    Verdict.FAILS: ("does not hold", "do not hold"),
}


class ClaimDisplay(Observer):
    """Shows the claims on a console; what goes on, only where the console is a terminal.

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

    def testing(self, claim):
        """Say which claim is being tested."""
        self.progress.update(self.task, description=f"claim {claim.number}", state=claim.sentence)

    def preparing(self, dataset):
        """Say that the data set is being made ready."""
        self.progress.update(self.task, state=f"reading {dataset}")

    def training(self, model, history):
        """Put up a model's progress bar."""
        title = f"{TITLES[model.name]}, seed {history['seed']}, "
        return [TrainingBar(self.progress, title=title)]

    def tested(self, finding):
        """Add a claim's row, and below it what there is to say besides."""
        evidence = finding.evidence
        verdict = Text(evidence.verdict.value, STYLES[evidence.verdict])
        if not finding.as_expected:
            verdict.append(f" (expected: {' or '.join(finding.claim.expected)})", "bold")
        row = self._table()
        cells = (finding.claim.sentence, evidence.how, evidence.measured)
        row.add_row(str(finding.claim.number), *map(Text, cells), verdict)
        self.console.print(row)
        if evidence.note:
            corrected = evidence.verdict is Verdict.CORRECTED
            note = Text(("Correction: " if corrected else "") + evidence.note, "italic")
            self.console.print(Padding(note, (0, 0, 0, 4)), width=self.width)
        self.console.print()

    def drawn(self, paths):
        """Say where the pictures are."""
        if not paths:
            self.console.print("The claims chosen have no picture.")
        for path in paths:
            self.console.print(f"picture  {path}", soft_wrap=True, highlight=False)

    def summary(self, findings):
        """Count the verdicts."""
        counts = Counter(finding.evidence.verdict for finding in findings)
        found = ", ".join(
            f"{counts[verdict]} {COUNTED[verdict][counts[verdict] > 1]}"
            for verdict in Verdict
            if counts[verdict]
        )
        seconds = sum(finding.seconds for finding in findings)
        surprises = [str(finding.claim.number) for finding in findings if not finding.as_expected]
        expected = f"Not as expected: {', '.join(surprises)}" if surprises else "All as expected"
        self.console.print(f"{found}. {expected}. {seconds:.1f} seconds.", highlight=False)

    def _table(self):
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.width = self.width
        table.add_column(width=2, justify="right")
        for share in COLUMNS.values():
            table.add_column(ratio=share)
        return table

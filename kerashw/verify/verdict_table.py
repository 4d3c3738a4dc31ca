"""The table of verdicts on the console: one row for each claim, printed after its test."""

from collections import Counter

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kerashw.model_names import TITLES
from kerashw.tables import escape
from kerashw.train.observer import Observer
from kerashw.train.progress_bar import TrainingBar, training_progress
from kerashw.verify.claim import Verdict

# The headings of the columns, and their shares of the width.
COLUMNS = {"claim": 27, "how it was tested": 25, "measured": 28, "verdict": 14}
NARROWEST, WIDEST = 80, 140
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
        self.progress = training_progress(console, len("softmax regression, seed 0, "))

    def __enter__(self):
        if self.width >= NARROWEST:
            heading = self._table(COLUMNS.values())
            heading.add_row("", *COLUMNS, style="bold")
            self.console.print(heading)
        line = "─" if self.console.encoding.startswith("utf") else "-"
        self.console.print(line * self.width + "\n", style="dim")
        self.progress.start()
        self.task = self.progress.add_task("", total=None, state="")
        return self

    def __exit__(self, *exception):
        # Before version 14.3, rich's `progress.stop()` prints an empty line without a terminal.
        self.progress.live.stop()

    def show_claim(self, claim):
        """Show the claim whose test starts, in a terminal."""
        sentence = escape(claim.sentence, self.console.encoding)
        self.progress.update(self.task, description=f"claim {claim.number}", state=sentence)

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
        cells = (result.claim.sentence, evidence.method, evidence.measured)
        self._print_row(str(result.claim.number), [*map(self._text, cells), verdict])
        if evidence.note:
            corrected = evidence.verdict is Verdict.CORRECTED
            note = self._text(("Correction: " if corrected else "") + evidence.note, "italic")
            self.console.print(Padding(note, (0, 0, 0, 4)), width=self.width)
        self.console.print()

    def _print_row(self, number, cells):
        if self.width >= NARROWEST:
            row = self._table(COLUMNS.values())
            row.add_row(number, *cells)
        else:
            row = self._table([1])
            for name, cell in zip(COLUMNS, cells, strict=True):
                label = "" if number else f"{name}: "
                row.add_row(number, Text.assemble(label, cell))
                number = ""
        self.console.print(row)

    def _text(self, text, style=""):
        return Text(escape(text, self.console.encoding), style)

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

    def _table(self, shares):
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.width = self.width
        table.add_column(width=2, justify="right")
        for share in shares:
            table.add_column(ratio=share, overflow="fold")
        return table

"""The progress of a run in a terminal: a line an epoch, a progress bar, a table at the end."""

from kerashw.model_names import TITLES
from kerashw.train.observer import Observer
from kerashw.train.progress_bar import TrainingBar, training_progress
from kerashw.train.results import is_homework_run
from kerashw.train.summary_table import percent, summary_table

WIDE = 106  # columns from which the summary table has room for the homework's results
# The headings of the lines of epochs, and the widths of their columns; for a narrow terminal, too.
WIDTHS = (7, 13, 12, 16, 11)
HEADING = "  epoch   train loss   test loss   test accuracy      time"
VALIDATION_HEADING = "  epoch   train loss   val. loss   val. accuracy      time"
NARROW_WIDTHS = (7, 8, 8, 9, 8)
NARROW_HEADING = """\
          train    test     test
  epoch    loss    loss accuracy    time"""


class ConsoleProgress(Observer):
    """Prints the progress of a run; the progress bar appears in a terminal only.

    Args:
        console: `rich.console.Console`.
        settings: `kerashw.train.settings.Settings`.
    """

    def __init__(self, console, settings):
        self.console = console
        self.settings = settings
        wide = console.width >= sum(WIDTHS)
        self.widths = WIDTHS if wide else NARROW_WIDTHS
        self.heading = HEADING if wide else NARROW_HEADING
        self.examples = "test"
        if settings.validation_share:
            self.examples = "validation"
            self.heading = VALIDATION_HEADING if wide else NARROW_HEADING.replace("test", "val.")
        self.progress = training_progress(console)

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *exception):
        # Before version 14.3, rich's `progress.stop()` prints an empty line without a terminal.
        self.progress.live.stop()

    def on_workers_wait(self, choice, timeout):
        """Print how many workers the run waits for."""
        self._print(_waiting(choice, timeout))

    def on_data_load(self, dataset):
        """Print the name of the data set, and show a moving bar until it is loaded."""
        is_mnist = dataset.partition(":")[0] == "mnist"
        first = " (the first time, ten seconds)" if is_mnist else ""
        self.console.print(f"Loading {dataset}{first}")
        self.data_task = self.progress.add_task(f"loading {dataset}", total=None, state="")

    def on_model_begin(self, model, history):
        """Print the heading of a model's table of epochs, and add its progress bar."""
        self.progress.update(self.data_task, visible=False)
        self.console.print(f"\n{_title(history)}, {history['parameters']:,} parameters")
        self.console.print(self.heading, soft_wrap=True)
        for entry in history["epochs"]:
            self.console.print(self._line(entry), style="dim", soft_wrap=True)
        return [TrainingBar(self.progress, len(history["epochs"]))]

    def on_epoch_end(self, model, entry):
        """Print the epoch's line."""
        self.console.print(self._line(entry), soft_wrap=True)

    def on_export(self, name):
        """Print the model's name."""
        self._print(f"\n{name}, exported: there is nothing to train")

    def on_run_end(self, run_folder, results):
        """Print the summary table and the paths of the results."""
        self.console.print()
        if results:
            self._print_results(run_folder, results)
        self._print(f"{'models':8}{run_folder.exports / 'models.config'}")

    def _print_results(self, run_folder, results):
        homework = is_homework_run(run_folder.manifest["configuration"])
        # A narrow terminal has room for the numbers alone; the homework's results follow as text.
        wide = self.console.width >= WIDE
        self.console.print(summary_table(results, homework=homework and wide))
        if homework and not wide:
            for result in filter(lambda result: result.homework, results):
                self.console.print(f"The homework's {result.title}: {result.homework}")
            self.console.print()
        for label, path in (
            ("report", run_folder.path / "report.html"),
            ("curves", run_folder.path / "comparison.png"),
        ):
            self._print(f"{label:8}{path}")

    def _line(self, entry):
        cells = (
            f"{entry['epoch']}/{self.settings.epochs}",
            f"{entry['train_loss']:.4f}",
            f"{entry[f'{self.examples}_loss']:.4f}",
            percent(entry[f"{self.examples}_accuracy"]),
            f"{entry['seconds']:.2f} s",
        )
        # A space keeps a number that is wider than its column apart from the one before.
        return "".join(
            f" {cell:>{width - 1}}" for cell, width in zip(cells, self.widths, strict=True)
        )

    def _print(self, text):
        self.console.print(text, soft_wrap=True, highlight=False)


class WorkerProgress(ConsoleProgress):
    """Prints one line for each event of a run, on a worker that is not the chief.

    Args:
        console: `rich.console.Console`.
        settings: `kerashw.train.settings.Settings`.
    """

    def on_workers_wait(self, choice, timeout):
        """Print how many workers the run waits for."""
        self.name = f"worker {choice.index + 1} of {choice.workers}"
        super().on_workers_wait(choice, timeout)

    def on_data_load(self, dataset):
        """Print the name of the data set."""
        self._print(f"loading {dataset}")

    def on_model_begin(self, model, history):
        """Print the model's name and its finished epochs."""
        done, epochs = len(history["epochs"]), self.settings.epochs
        self.title = _title(history)
        self._print(f"{self.title}, {done} of {epochs} epochs done")
        return []

    def on_epoch_end(self, model, entry):
        """Print the epoch's test accuracy."""
        self._print(
            f"{self.title}, epoch {entry['epoch']}/{self.settings.epochs}, {self.examples} "
            f"accuracy {percent(entry[f'{self.examples}_accuracy'])}, {entry['seconds']:.2f} s"
        )

    def on_run_end(self, run_folder, results):
        """Print which worker has the results."""
        self._print("done; worker 1, the chief, has written the run")

    def _print(self, text):
        text = text if text.startswith(self.name) else f"{self.name}: {text}"
        super()._print(text)


def _title(history):
    return TITLES.get(history["model"], history["model"])


def _waiting(choice, timeout):
    role = ", the chief" if choice.is_chief else ""
    worker = f"worker {choice.index + 1} of {choice.workers}{role}"
    return f"{worker}: meeting the others within {timeout:g} s"

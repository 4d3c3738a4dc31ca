"""A run as one sees it in a terminal: lines that line up, a progress bar, a table at the end."""

import keras
from rich import box
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from kerashw.datasets import diagonals
from kerashw.results import TITLES
from kerashw.training import Observer

HEADING = "  epoch   train loss   test loss   test accuracy      time"


class RunDisplay(Observer):
    """Shows a run on a console; the progress bar only where the console is a terminal.

    Args:
        console: `rich.console.Console`.
        settings: `kerashw.training.Settings`.
    """

    def __init__(self, console, settings):
        self.console = console
        self.settings = settings
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TextColumn("time left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *exception):
        self.progress.stop()

    def preparing(self, dataset):
        """Say which data set is made ready."""
        again = "" if dataset == diagonals.NAME else "; the first time takes some ten seconds"
        self.console.print(f"Preparing {dataset}{again}")

    def training(self, model, history):
        """Head a model's table of epochs, and put up its progress bar."""
        self.console.print(f"\n{TITLES[model.name]}, {history['parameters']:,} parameters")
        self.console.print(HEADING)
        for entry in history["epochs"]:
            self.console.print(self._line(entry), style="dim")
        return [_Bar(self.progress, self.settings.epochs, len(history["epochs"]))]

    def epoch(self, model, entry):
        """Add a line to the table of epochs."""
        self.console.print(self._line(entry))

    def finished(self, run_folder, results):
        """Show the models' results beside the homework's, and where everything is."""
        self.console.print()
        # What the homework says, it says of MNIST.
        on_mnist = run_folder.manifest["data"]["name"].startswith("mnist:")
        self.console.print(results_table(results, homework=on_mnist))
        for label, path in (
            ("report", run_folder.path / "report.html"),
            ("curves", run_folder.path / "comparison.png"),
            ("models", run_folder.exports / "models.config"),
        ):
            self.console.print(f"{label:8}{path}", soft_wrap=True, highlight=False)

    def _line(self, entry):
        epoch = f"{entry['epoch']}/{self.settings.epochs}"
        return (
            f"{epoch:>7}{entry['train_loss']:>13.4f}{entry['test_loss']:>12.4f}"
            f"{_percent(entry['test_accuracy']):>16}{entry['seconds']:>9.2f} s"
        )


def results_table(results, homework=True):
    """Return the models' results, beside the homework's if asked, as a `rich.table.Table`."""
    last = max(result.last["epoch"] for result in results)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("model", no_wrap=True)
    headings = ["parameters", "test\nloss", "accuracy\nepoch 1", f"accuracy\nepoch {last}"]
    for heading in [*headings, "seconds\nan epoch"]:
        table.add_column(heading, justify="right", no_wrap=True)
    if homework:
        table.add_column("accuracy\nin the homework")
    for result in results:
        table.add_row(
            result.title,
            f"{result.history['parameters']:,}",
            f"{result.last['test_loss']:.4f}",
            _percent(result.first["test_accuracy"]),
            _percent(result.last["test_accuracy"]),
            f"{result.seconds_an_epoch:.2f}",
            *([result.homework] if homework else []),
        )
    return table


def _percent(share):
    return f"{100 * share:.2f} %"


class _Bar(keras.callbacks.Callback):
    """The progress bar of one model."""

    def __init__(self, progress, epochs, done):
        super().__init__()
        self.progress, self.epochs, self.done = progress, epochs, done

    def on_train_begin(self, logs=None):
        steps = self.params["steps"]
        self.task = self.progress.add_task(
            "", total=self.epochs * steps, completed=self.done * steps, state=""
        )

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        description = f"epoch {epoch + 1}/{self.epochs}"
        self.progress.update(self.task, description=description)

    def on_train_batch_end(self, batch, logs=None):
        self.progress.update(
            self.task,
            completed=self.epoch * self.params["steps"] + batch + 1,
            state=f"loss {logs['loss']:.4f}  accuracy {_percent(logs['accuracy'])}",
        )

    def on_train_end(self, logs=None):
        self.progress.remove_task(self.task)

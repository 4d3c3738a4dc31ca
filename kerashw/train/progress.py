"""A run as one sees it in a terminal: lines that line up, a progress bar, a table at the end."""

import keras
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from kerashw.datasets import diagonals
from kerashw.models import TITLES
from kerashw.train.observer import Observer
from kerashw.train.results import is_homeworks
from kerashw.train.summary_table import percent, results_table

WIDE = 106
HEADING = "  epoch   train loss   test loss   test accuracy      time"


class RunDisplay(Observer):
    """Shows a run on a console; the progress bar only where the console is a terminal.

    Args:
        console: `rich.console.Console`.
        settings: `kerashw.train.settings.Settings`.
    """

    def __init__(self, console, settings):
        self.console = console
        self.settings = settings
        self.progress = training_progress(console)

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *exception):
        self.progress.stop()

    def meeting(self, plan, timeout):
        """Say who is waited for."""
        self.console.print(_waiting(plan, timeout), highlight=False)

    def preparing(self, dataset):
        """Say which data set is made ready; a bar moves until it is."""
        first = "" if dataset in diagonals.NOISE else " (the first time, ten seconds)"
        self.console.print(f"Loading {dataset}{first}")
        self.preparation = self.progress.add_task(f"loading {dataset}", total=None, state="")

    def training(self, model, history):
        """Head a model's table of epochs, and put up its progress bar."""
        self.progress.update(self.preparation, visible=False)
        self.console.print(f"\n{TITLES[model.name]}, {history['parameters']:,} parameters")
        self.console.print(HEADING)
        for entry in history["epochs"]:
            self.console.print(self._line(entry), style="dim")
        return [TrainingBar(self.progress, len(history["epochs"]))]

    def epoch(self, model, entry):
        """Add a line to the table of epochs."""
        self.console.print(self._line(entry))

    def finished(self, run_folder, results):
        """Show the models' results beside the homework's, and where everything is."""
        self.console.print()
        homework = is_homeworks(run_folder.manifest["configuration"])
        # In a narrow terminal the table keeps its numbers, and the words stand under it.
        wide = self.console.width >= WIDE
        self.console.print(results_table(results, homework=homework and wide))
        if homework and not wide:
            for result in filter(lambda result: result.homework, results):
                self.console.print(f"The homework's {result.title}: {result.homework}")
            self.console.print()
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
            f"{percent(entry['test_accuracy']):>16}{entry['seconds']:>9.2f} s"
        )


class WorkerDisplay(Observer):
    """A run on a worker that is not the chief: a line for whatever it does.

    Args:
        console: `rich.console.Console`.
        settings: `kerashw.train.settings.Settings`.
    """

    def __init__(self, console, settings):
        self.console = console
        self.settings = settings

    def meeting(self, plan, timeout):
        """Say who is waited for."""
        self.name = f"worker {plan.index + 1} of {plan.workers}"
        self.console.print(_waiting(plan, timeout), highlight=False)

    def preparing(self, dataset):
        """Say which data set is made ready."""
        self._say(f"loading {dataset}")

    def training(self, model, history):
        """Say which model is trained from where on."""
        done, epochs = len(history["epochs"]), self.settings.epochs
        self._say(f"{TITLES[model.name]}, {done} of {epochs} epochs done")
        return []

    def epoch(self, model, entry):
        """Say what an epoch achieved."""
        self._say(
            f"{TITLES[model.name]}, epoch {entry['epoch']}/{self.settings.epochs}, "
            f"test accuracy {percent(entry['test_accuracy'])}, {entry['seconds']:.2f} s"
        )

    def finished(self, run_folder, results):
        """Say where the results are."""
        self._say("done; worker 1, the chief, has written the run")

    def _say(self, text):
        self.console.print(f"{self.name}: {text}", soft_wrap=True, highlight=False)


def _waiting(plan, timeout):
    role = ", the chief" if plan.is_chief else ""
    return (
        f"worker {plan.index + 1} of {plan.workers}{role}: meeting the others within {timeout:g} s"
    )


def training_progress(console):
    """Return a `rich.progress.Progress` for `TrainingBar`s, shown only where there is a terminal.

    Args:
        console: `rich.console.Console`.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class TrainingBar(keras.callbacks.Callback):
    """The progress bar of one model.

    Args:
        progress: What `training_progress` gives.
        done: Integer, the epochs that are behind the model already.
        title: String to stand before the bar.
    """

    def __init__(self, progress, done=0, title=""):
        super().__init__()
        self.progress, self.done, self.title = progress, done, title

    def on_train_begin(self, logs=None):
        """Put the bar up."""
        self.epochs, steps = self.params["epochs"], self.params["steps"]
        self.task = self.progress.add_task(
            "", total=self.epochs * steps, completed=self.done * steps, state=""
        )

    def on_epoch_begin(self, epoch, logs=None):
        """Name the epoch."""
        self.epoch = epoch
        description = f"{self.title}epoch {epoch + 1}/{self.epochs}"
        self.progress.update(self.task, description=description)

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar, and show loss and accuracy."""
        self.progress.update(
            self.task,
            completed=self.epoch * self.params["steps"] + batch + 1,
            state=f"loss {logs['loss']:.4f}  accuracy {percent(logs['accuracy'])}  time left",
        )

    def on_train_end(self, logs=None):
        """Take the bar down."""
        self.progress.remove_task(self.task)

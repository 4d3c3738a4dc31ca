"""The progress bar of a model's training, for the commands that train."""

import keras
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from kerashw.train.summary_table import percent


def training_progress(console):
    """Return the `rich.progress.Progress` that `TrainingBar` draws in.

    Args:
        console: `rich.console.Console`. Nothing is shown unless it is a terminal.
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
        progress: `rich.progress.Progress` from `training_progress`.
        initial_epoch: Integer, the number of epochs that are finished already.
        title: String to show before the epoch.
    """

    def __init__(self, progress, initial_epoch=0, title=""):
        super().__init__()
        self.progress, self.initial_epoch, self.title = progress, initial_epoch, title

    def on_train_begin(self, logs=None):
        """Add the bar."""
        self.epochs, steps = self.params["epochs"], self.params["steps"]
        self.task = self.progress.add_task(
            "", total=self.epochs * steps, completed=self.initial_epoch * steps, state=""
        )

    def on_epoch_begin(self, epoch, logs=None):
        """Show the epoch's number."""
        self.epoch = epoch
        description = f"{self.title}epoch {epoch + 1}/{self.epochs}"
        self.progress.update(self.task, description=description)

    def on_train_batch_end(self, batch, logs=None):
        """Advance the bar, and show loss and accuracy."""
        self.progress.update(
            self.task,
            completed=self.epoch * self.params["steps"] + batch + 1,
            state=f"loss {logs['loss']:.4f}  accuracy {percent(logs['accuracy'])}  time left",
        )

    def on_train_end(self, logs=None):
        """Remove the bar."""
        self.progress.remove_task(self.task)

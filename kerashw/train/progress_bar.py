"""The progress bar of a model's training, for the commands that train."""

import keras
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from kerashw.train.summary_table import percent

TEXT_WIDTH = 62  # the columns of the texts beside the bar, without a title


def training_progress(console, title_width=0):
    """Return the `rich.progress.Progress` that `TrainingBar` draws in.

    Args:
        console: `rich.console.Console`. Nothing is shown unless it is a terminal.
        title_width: Integer, the number of columns of the longest title.
    """
    return Progress(
        _text_column("{task.description}"),
        BarColumn(max(4, min(40, console.width - title_width - TEXT_WIDTH))),
        _text_column("{task.fields[state]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _text_column(template):
    """Return a column that a narrow terminal breaks between words; none of its numbers is cut."""
    return TextColumn(template, markup=False, table_column=Column(overflow="fold"))


class TrainingBar(keras.callbacks.Callback):
    """The progress bar of one model.

    Args:
        progress: `rich.progress.Progress` from `training_progress`.
        initial_epoch: Integer, the number of epochs that are finished already.
        title: String to show before the epoch.
    """

    batch_interval = 0  # it shows what there is when it is called

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
        # Keras counts as if the last call of an epoch ran as many steps as the others.
        steps = self.params["steps"]
        self.progress.update(
            self.task,
            completed=self.epoch * steps + min(batch + 1, steps),
            state=f"loss {logs['loss']:.4f}  accuracy {percent(logs['accuracy'])}  time left",
        )

    def on_train_end(self, logs=None):
        """Remove the bar."""
        self.progress.remove_task(self.task)

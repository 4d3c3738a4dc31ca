"""The folder of one model in a run: its history, its checkpoint and the trained model."""

import csv
import json
import shutil
import zipfile

import keras
import numpy as np

from kerashw.errors import InputError, RunError
from kerashw.files import atomic_write, delay_signals, write_json


class ModelFolder:
    """The folder of one model's training.

    Args:
        path: `Path`; created when a file is written to it.
        remedy: String, what to do if a file is damaged or missing.
    """

    def __init__(self, path, remedy):
        self.path = path
        self.remedy = remedy
        self.checkpoints = path / "checkpoint"
        self.kept_epochs = path / "epochs"

    @property
    def complete(self):
        """Whether the model is trained."""
        return (self.path / "model.keras").exists()

    @property
    def has_kept_epochs(self):
        """Whether the weights of all epochs are kept."""
        return self.kept_epochs.exists()

    def check_trained(self):
        """Check the model and the history of a complete run.

        Raises:
            RunError: If one of them is missing or damaged.
        """
        if not self.complete:
            raise RunError(f"{self.path / 'model.keras'} is missing. {self.remedy}")
        self.find_saved()

    def load(self, read=None):
        """Load the model as it was after its last finished epoch.

        Args:
            read: Function of the `Path` that returns the model; by default
                `keras.saving.load_model`.

        Returns:
            Pair of the compiled `keras.Model` and its history; `None` before the first epoch.

        Raises:
            RunError: If a file is damaged.
        """
        saved = self.find_saved()
        if saved is None:
            return None
        path, history = saved
        try:
            return (read or keras.saving.load_model)(path), history
        except InputError:
            raise
        except (ValueError, OSError, KeyError, EOFError) as error:
            raise self._damaged(path) from error

    def find_saved(self):
        """Find the file of the model as it was after its last finished epoch.

        Returns:
            Pair of its `Path` and its history; `None` before the first epoch.

        Raises:
            RunError: If a file is damaged.
        """
        saved = [self.path / "model.keras"] if self.complete else sorted(self._saved_epochs())[-1:]
        if not saved:
            return None
        keys = ("model", "parameters", "epochs")
        history = read_json(self.path / "history.json", *keys, remedy=self.remedy)
        done = int(saved[0].stem.removeprefix("epoch-")) if not self.complete else None
        if len(history["epochs"]) < (done or 1):
            raise self._damaged(self.path / "history.json")
        history["epochs"] = history["epochs"][:done]
        self._check_whole(saved[0])
        return saved[0], history

    def save_epoch(self, model, history, keep=False):
        """Save a checkpoint after an epoch, and delete the one of the epoch before.

        Args:
            model: Compiled `keras.Model`.
            history: Dict as in `history.json`, with this epoch as its last.
            keep: Boolean, whether to keep the weights until all epochs are exported.
        """
        name = f"epoch-{len(history['epochs']):04d}.keras"
        # A signal in between must not lose the finished epoch.
        with delay_signals():
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            self.write_history(history)
            self.write_table(history)
            if keep:  # before the checkpoint, so that a resumed run has all epochs before its first
                self.keep_epoch(model, len(history["epochs"]))
            earlier = list(self._saved_epochs())
            with atomic_write(self.checkpoints / name) as path:
                _save(model, path)
            for path in earlier:
                path.unlink()

    def save_model(self, model):
        """Save the trained model with its optimizer, and delete the checkpoint."""
        with atomic_write(self.path / "model.keras") as path:
            _save(model, path)
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def keep_epoch(self, model, epoch):
        """Save the weights after an epoch until they are exported; 0 is the untrained model."""
        self.kept_epochs.mkdir(parents=True, exist_ok=True)
        with atomic_write(self._kept_epoch(epoch)) as path:
            np.savez(path, *model.get_weights())

    def load_kept_epochs(self, count):
        """Yield the weights of the epochs 0 to `count` - 1.

        Yields:
            List of arrays, as of `model.get_weights()`.

        Raises:
            RunError: If a file is missing or damaged.
        """
        for epoch in range(count):
            path = self._kept_epoch(epoch)
            if not path.exists():
                raise RunError(f"{path} is missing. {self.remedy}")
            self._check_whole(path)
            with np.load(path) as arrays:
                yield [arrays[name] for name in arrays.files]

    def delete_kept_epochs(self):
        """Delete the weights of all epochs, if there are any."""
        shutil.rmtree(self.kept_epochs, ignore_errors=True)

    def _kept_epoch(self, epoch):
        return self.kept_epochs / f"epoch-{epoch:04d}.npz"

    def tensorboard_callbacks(self):
        """Return a list with the callback that writes TensorBoard logs into this folder."""
        return [keras.callbacks.TensorBoard(self.path / "tensorboard")]

    def _saved_epochs(self):
        return self.checkpoints.glob("epoch-*.keras")

    def write_history(self, history):
        """Write a history as `history.json`."""
        write_json(self.path / "history.json", history)

    def write_table(self, history):
        """Write the epochs of a history as `history.csv`."""
        epochs = history["epochs"]
        with (
            atomic_write(self.path / "history.csv") as path,
            path.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, epochs[0])
            writer.writeheader()
            writer.writerows(epochs)

    def _check_whole(self, path):
        try:
            with zipfile.ZipFile(path) as archive:
                if archive.testzip() is None:
                    return
        except PermissionError:
            raise
        except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
            raise self._damaged(path) from error
        raise self._damaged(path)

    def _damaged(self, path):
        return RunError(
            f"{path} is damaged: it was changed or cut short after it was written. {self.remedy}"
        )


def _save(model, path):
    """Save a model; of one whose layers have no configuration, what `load_weights` needs."""
    try:
        model.save(path)
    except (NotImplementedError, TypeError):  # from `get_config`, which an own layer may lack
        weights = path.with_name("model.weights.h5")
        model.save_weights(weights)
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(weights, weights.name)
        weights.unlink()


class DiscardedModelFolder:
    """The folder of a worker that writes no files, with the interface of `ModelFolder`."""

    complete = False

    def load(self, read=None):
        """Return `None`: nothing is saved."""

    find_saved = load

    def save_epoch(self, model, history, keep=False):
        """Do nothing."""

    def save_model(self, model):
        """Do nothing."""

    def keep_epoch(self, model, epoch):
        """Do nothing."""

    def tensorboard_callbacks(self):
        """Return an empty list."""
        return []


def read_json(path, *keys, remedy):
    """Read a JSON file of a run: an object with these keys.

    Args:
        path: `Path` of the file.
        *keys: Strings, the keys that the object must have.
        remedy: String, what to do if the file is damaged or missing.

    Returns:
        Dict.

    Raises:
        RunError: If it is missing or damaged.
        OSError: If it cannot be read for another reason.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not content.keys() >= set(keys):
            raise ValueError(f"expected an object with {', '.join(keys)}")
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing. {remedy}") from error
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}. {remedy}") from error
    return content

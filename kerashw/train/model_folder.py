"""The folder of one model in a run: its history, its checkpoint and the trained model."""

import csv
import json
import shutil
import zipfile

import keras

from kerashw.errors import RunError
from kerashw.files import uninterrupted, write_json, written_whole


class ModelFolder:
    """The folder of one model's training.

    Args:
        path: `Path`; made when something is written to it.
        name: String, the model's name on the command line.
    """

    def __init__(self, path, name):
        self.path = path
        self.name = name
        self.checkpoints = path / "checkpoint"

    @property
    def complete(self):
        """Whether the model is trained."""
        return (self.path / "model.keras").exists()

    def load(self):
        """Load the model as it was after its last finished epoch.

        Returns:
            Pair of the compiled `keras.Model` and its history; `None` before the first epoch.

        Raises:
            RunError: If a file is damaged.
        """
        found = self.find()
        if found is None:
            return None
        path, history = found
        try:
            return keras.saving.load_model(path), history
        except (ValueError, OSError, KeyError, EOFError) as error:
            raise self._damaged(path) from error

    def find(self):
        """Find the file of the model as it was after its last finished epoch.

        Returns:
            Pair of its `Path` and its history; `None` before the first epoch.

        Raises:
            RunError: If a file is damaged.
        """
        saved = [self.path / "model.keras"] if self.complete else sorted(self._saved_epochs())[-1:]
        if not saved:
            return None
        history = read_json(self.path / "history.json", "model", "parameters", "epochs")
        if not self.complete:
            done = int(saved[0].stem.removeprefix("epoch-"))
            if len(history["epochs"]) < done:
                raise self._damaged(self.path / "history.json")
            history["epochs"] = history["epochs"][:done]
        self._check_whole(saved[0])
        return saved[0], history

    def save_epoch(self, model, history):
        """Save the model after an epoch, and forget the epoch before.

        Args:
            model: Compiled `keras.Model`.
            history: Dict as in `history.json`, this epoch the last in it.
        """
        name = f"epoch-{len(history['epochs']):04d}.keras"
        # An interruption that comes now takes nothing away that is finished.
        with uninterrupted():
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            self._write_history(history)
            earlier = list(self._saved_epochs())
            with written_whole(self.checkpoints / name) as path:
                model.save(path)
            for path in earlier:
                path.unlink()

    def save_model(self, model):
        """Save the trained model with its optimizer; its checkpoint is not needed any more."""
        with written_whole(self.path / "model.keras") as path:
            model.save(path)
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def _saved_epochs(self):
        return self.checkpoints.glob("epoch-*.keras")

    def _write_history(self, history):
        write_json(self.path / "history.json", history)
        epochs = history["epochs"]
        with (
            written_whole(self.path / "history.csv") as path,
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
        except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
            raise self._damaged(path) from error
        raise self._damaged(path)

    def _damaged(self, path):
        return RunError(
            f"{path} is damaged: it was changed or cut short after it was written. "
            f"Delete {self.path} to train {self.name} from its start"
        )


def read_json(path, *keys):
    """Read a JSON file that a run wrote: an object with these keys.

    Raises:
        RunError: If it is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not content.keys() >= set(keys):
            raise ValueError(f"expected an object with {', '.join(keys)}")
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path} is damaged or missing: {error}. Delete {path.parent} to start it again"
        ) from error
    return content

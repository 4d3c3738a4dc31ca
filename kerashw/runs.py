"""The folder that a run leaves: what is in it, when it is complete, where to go on.

```
OUTPUT/manifest.json      written first, with the configuration; "finished" is set last
OUTPUT/NAME/history.json  after every epoch
OUTPUT/NAME/checkpoint/   epoch-0003.keras after the third epoch; gone when the model is trained
OUTPUT/NAME/model.keras   when the model is trained
```

What is made of the trained models, the pictures, the report and the exports, is made again by the
next run if it is missing.

Each file is written whole or not at all, so that a process killed at any moment leaves a folder
from which the next one goes on.
"""

import contextlib
import csv
import json
import shutil
import tempfile
import zipfile
from pathlib import Path

import keras

from kerashw.errors import RunError
from kerashw.files import locked, remove_scratch, uninterrupted, write_json, written_whole

MANIFEST = "manifest.json"
# What is made of trained models.
MADE = ("comparison.png", "report.html", "exports/models.config")
EXPORTED = ("saved_model.pb", "variables/variables.index")


class RunFolder:
    """The folder of one run.

    Args:
        path: String or `Path`; made where it is not there.
        manifest: Dict to write when the run is a new one. Its `configuration` must equal that of
            the run that is in the folder already.

    Attributes:
        path: `Path` of the folder.
        manifest: Dict, of this run or of the one that it goes on with.

    Raises:
        RunError: If the folder cannot be used, or holds something else.
    """

    def __init__(self, path, manifest):
        self.path = Path(path)
        found = self._read_manifest()
        if found and found["configuration"] != manifest["configuration"]:
            raise _other_configuration(self.path, found["configuration"], manifest["configuration"])
        self.manifest = found or manifest
        if not self.complete:
            _check_writable(self.path)

    @contextlib.contextmanager
    def started(self):
        """Work in the folder: made where it is not there, and this process' alone.

        Writes the manifest, and removes what a killed process left half-written.

        Raises:
            RunError: If another process is at work in the folder.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self.path, wait=False))
            except BlockingIOError as error:
                raise RunError(
                    f"another process is at work in {self.path}. "
                    "Wait for it, or choose another --output"
                ) from error
            for folder in (self.path, *self.path.glob("*/"), *self.path.glob("*/*/")):
                remove_scratch(folder)
            self.write_manifest()
            yield

    @property
    def complete(self):
        """Whether the run came to its end, and nothing is missing that can be made again."""
        models = self.manifest["configuration"].get("models", ())
        if self.manifest.get("finished") is None:
            return False
        if not all(self.model(name).complete for name in models):
            return True  # To train again is for those who delete the folder.
        made = [*MADE, *(f"{name}/curves.png" for name in models)]
        return all((self.path / file).exists() for file in made) and all(map(self.exported, models))

    def exported(self, name):
        """Return whether a model's newest export is there, as far as its files are."""
        versions = [path for path in (self.exports / name).glob("*") if path.name.isdecimal()]
        newest = max(versions, key=lambda path: int(path.name), default=self.exports / name)
        return all((newest / file).exists() for file in EXPORTED)

    @property
    def exports(self):
        """`Path` of the folder for SavedModels."""
        return self.path / "exports"

    def model(self, name):
        """Return the `ModelFolder` of one model."""
        return ModelFolder(self.path / name, name)

    def write_manifest(self):
        """Write `manifest.json` as it stands."""
        write_json(self.path / MANIFEST, self.manifest)

    def _read_manifest(self):
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"--output {self.path} is a file. Expected a folder, or a new name")
        path = self.path / MANIFEST
        if not path.exists():
            if any(not file.name.startswith(".") for file in self.path.glob("*")):
                raise RunError(
                    f"the folder {self.path} holds something else: it is not empty and has no "
                    f"{MANIFEST}. Choose another --output"
                )
            return None
        return read_json(path, "configuration", "finished", "seconds")


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


def _check_writable(path):
    """Find out now, not after the first epoch, that nothing can be written there."""
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        raise RunError(
            f"--output {path} cannot be written: {error.strerror}. Choose another --output"
        ) from error


def _said(value):
    """Write a setting as one would say it."""
    if isinstance(value, list):
        return " ".join(value)
    return "all" if value is None else value


def _other_configuration(path, found, wanted):
    differences = ", ".join(
        f"{key} {_said(found.get(key))} there, {_said(wanted.get(key))} here"
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    )
    return RunError(
        f"the folder {path} holds a run of another configuration ({differences}). "
        "Choose another --output, or delete the folder"
    )

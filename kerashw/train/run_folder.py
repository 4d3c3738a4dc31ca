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
import tempfile
from pathlib import Path

from kerashw.errors import RunError
from kerashw.files import locked, remove_scratch, write_json
from kerashw.train.model_folder import ModelFolder, read_json

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

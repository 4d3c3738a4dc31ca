"""The folder of a run: its files, whether it is complete, and where to resume.

```
OUTPUT/manifest.json      written first, with the configuration; "finished" is set last
OUTPUT/NAME/history.json  written after every epoch
OUTPUT/NAME/checkpoint/   epoch-0003.keras after the third epoch; removed when the model is trained
OUTPUT/NAME/epochs/       epoch-0003.npz, the weights after the third epoch, until they are exported
OUTPUT/NAME/model.keras   written when the model is trained
```

The next run writes a picture, a report, an export or `history.csv` again if it is missing. A model
or a `history.json` that is missing from a complete run is an error. Each file is written whole or
not at all, so that the next run can resume after a process was killed at any moment.
"""

import contextlib
import datetime
import tempfile

from kerashw.errors import RunError
from kerashw.files import local_path, lock_folder, remove_temporary_folders, write_json
from kerashw.model_names import QUESTION_MODELS, folder_name
from kerashw.train.model_folder import DiscardedModelFolder, ModelFolder, read_json

MANIFEST = "manifest.json"
# The files that are derived from trained models.
DERIVED = ("comparison.png", "report.html")
DERIVED_OF_MODEL = ("curves.png", "history.csv")
EXPORTED = (
    "saved_model.pb",
    "variables/variables.index",
    "variables/variables.data-00000-of-00001",
)


class RunFolder:
    """The folder of one run.

    Args:
        path: String or `Path`; created if it does not exist.
        manifest: Dict to write if the run is new. Its `configuration` must equal that of a run
            that is in the folder already.

    Attributes:
        path: `Path` of the folder.
        manifest: Dict, of this run or of the run that it resumes.

    Raises:
        InputError: If `path` is not a path of this machine, or its home folder is not known.
        RunError: If the folder cannot be used, holds something else, or holds a complete run whose
            models are missing or damaged.
    """

    def __init__(self, path, manifest):
        self.path = local_path("--output", path)
        try:
            found = self._read_manifest()
            if found and found["configuration"] != manifest["configuration"]:
                raise _other_configuration(
                    self.path, found["configuration"], manifest["configuration"]
                )
            self.manifest = found or manifest
            if self.finished:
                for name in self.classifiers:
                    self.model(name).check_trained()
            if not self.complete:
                _check_writable(self.path)
        except PermissionError as error:
            raise RunError(
                f"--output {path} cannot be read: {error.filename}: {error.strerror}. "
                "Ask its owner for permission to read it, or choose another --output"
            ) from error

    @contextlib.contextmanager
    def opened(self):
        """Create the folder, lock it for this process, write the manifest, remove partial files.

        Raises:
            RunError: If another process has locked the folder.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(lock_folder(self.path, wait=False))
            except BlockingIOError as error:
                raise RunError(
                    f"another process is at work in {self.path}. "
                    "Wait for it, or choose another --output"
                ) from error
            for folder in (self.path, *self.path.glob("*/"), *self.path.glob("*/*/")):
                remove_temporary_folders(folder)
            self.write_manifest()
            yield

    @property
    def models(self):
        """The names of the folders of the run's models."""
        return [folder_name(name) for name in self.manifest["configuration"].get("models", ())]

    @property
    def classifiers(self):
        """The names of the run's models that are trained or tested, and not only exported."""
        return [name for name in self.models if name not in QUESTION_MODELS]

    @property
    def finished(self):
        """Whether the run has ended."""
        return self.manifest.get("finished") is not None

    @property
    def complete(self):
        """Whether the run has ended, and no file that is derived from its models is missing."""
        names = self.classifiers
        files = [f"{name}/{file}" for name in names for file in DERIVED_OF_MODEL]
        files += ["exports/models.config", *(DERIVED if names else ())]
        return (
            self.finished
            and all((self.path / file).exists() for file in files)
            and all(map(self.exported, self.models))
        )

    def exported(self, name):
        """Return whether the files of a model's newest export exist."""
        versions = [path for path in (self.exports / name).glob("*") if path.name.isdecimal()]
        newest = max(versions, key=lambda path: int(path.name), default=self.exports / name)
        return all((newest / file).exists() for file in EXPORTED)

    @property
    def exports(self):
        """`Path` of the folder for SavedModels."""
        return self.path / "exports"

    def model(self, name):
        """Return the `ModelFolder` of one model."""
        path = self.path / name
        if self.finished:
            remedy = f"Restore it, or delete {self.path} to train its models again"
        else:
            remedy = f"Delete {path} to train {name} from its start"
        return ModelFolder(path, remedy)

    def record_origin(self, data, seconds, distribution, environment):
        """Add to the manifest where the results come from; a finished run keeps what it has.

        Args:
            data: `kerashw.datasets.image_dataset.ImageDataset`; `None` if no model needs it.
            seconds: Float, the time to load it.
            distribution: Dict from `kerashw.distribution.describe`.
            environment: Dict from `kerashw.environment.environment`.
        """
        if not self.manifest["finished"]:
            if data:
                self.manifest["data"] = {"name": data.name, "checksums": data.checksums}
            self.manifest["seconds"]["data"] = seconds
            self.manifest["distribution"] = distribution
        for key, value in environment.items():
            self.manifest.setdefault(key, value)

    def write_manifest(self):
        """Write `manifest.json`."""
        write_json(self.path / MANIFEST, self.manifest)

    def _read_manifest(self):
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"--output {self.path} is a file. Expected a folder, or a new name")
        path = self.path / MANIFEST
        if not path.exists():
            if any(self.path.glob(f"seed-*/{MANIFEST}")):
                raise RunError(
                    f"the folder {self.path} holds the runs of several seeds. Choose another "
                    "--output, or give the same --seeds"
                )
            if any(not file.name.startswith(".") for file in self.path.glob("*")):
                raise RunError(
                    f"the folder {self.path} holds something else: it is not empty and has no "
                    f"{MANIFEST}. Choose another --output"
                )
            return None
        keys = ("configuration", "finished", "seconds")
        return read_json(path, *keys, remedy=f"Delete {self.path} to start it again")


class DiscardedFolder:
    """The folder of a worker that writes no files, with the interface of `RunFolder`.

    Args:
        manifest: Dict, as for `RunFolder`.
    """

    complete = False

    def __init__(self, manifest):
        self.manifest = manifest

    def opened(self):
        """Return a context manager that does nothing."""
        return contextlib.nullcontext()

    def model(self, name):
        """Return the `DiscardedModelFolder` of one model."""
        return DiscardedModelFolder()

    def record_origin(self, *origin):
        """Do nothing: the chief records it."""


def new_manifest(settings, command, choice):
    """Return the manifest of a run that starts now.

    Args:
        settings: `kerashw.train.settings.Settings`.
        command: String, the command line.
        choice: `kerashw.distribution.StrategyChoice`.

    Returns:
        Dict as in `manifest.json`.
    """
    configuration = settings.configuration()
    if settings.deterministic:
        # Another number of replicas adds in another order, which changes the last bits.
        configuration["replicas"] = choice.replicas
    return {
        "command": command,
        "configuration": configuration,
        "started": now(),
        "finished": None,
        "data": None,
        "seconds": {},
    }


def now():
    """Return the present time in UTC, to the second, in ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _check_writable(path):
    """Raise before the first epoch, rather than after it, if nothing can be written."""
    folders = (path, *path.absolute().parents)
    nearest = next(folder for folder in folders if folder.exists() or folder.is_symlink())
    try:
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        reason = error.strerror
        if not nearest.exists():
            reason = f"{nearest} is a link to {nearest.readlink()}, which does not exist"
        raise RunError(
            f"--output {path} cannot be written: {reason}. Choose another --output"
        ) from error


def _as_text(key, value):
    """Return a setting as it stands in an error message."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    if value is None:
        return "all" if key.endswith("_examples") else "none"
    return value


def _other_configuration(path, found, wanted):
    found, wanted = ({"keep_epochs": False} | each for each in (found, wanted))
    differences = ", ".join(
        f"{key} {_as_text(key, found.get(key))} there, {_as_text(key, wanted.get(key))} here"
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    )
    return RunError(
        f"the folder {path} holds a run of another configuration ({differences}). "
        "Choose another --output, or delete the folder"
    )

"""Where the SavedModel of a run or of a folder is. This imports neither TensorFlow nor Keras."""

import dataclasses
import json
from pathlib import Path

from kerashw.errors import InputError
from kerashw.files import local_path

SAVED_MODEL = "saved_model.pb"


@dataclasses.dataclass(frozen=True)
class FoundModel:
    """A SavedModel on disk.

    Args:
        name: String, the model's name.
        version: `Path` of the folder of the version.
        configuration: Dict, the settings of the run that wrote it, as in its `manifest.json`; empty
            if the model does not lie in a run.
    """

    name: str
    version: Path
    configuration: dict


def find_model(path):
    """Find the SavedModel of a trained model.

    Args:
        path: String: the folder of a model in a run, its `model.keras`, the folder of a run with
            one model, the base folder of a SavedModel, whose newest version is taken, or the folder
            of a version.

    Returns:
        `FoundModel`.

    Raises:
        InputError: If there is none.
    """
    given, path = path, local_path("MODEL", path)
    if not path.exists():
        raise InputError(f"there is no model {given}. Check the path")
    folder = path.parent if path.is_file() else path
    if (folder / "manifest.json").exists():
        exports = sorted(file.parent for file in folder.glob("exports/*/*/saved_model.pb"))
        names = sorted({version.parent.name for version in exports})
        if len(names) != 1:
            raise InputError(
                f"{given} is a run with {len(names)} exported models. Expected the folder of one. "
                f"Choose {' or '.join(str(folder / name) for name in names) or 'another run'}"
            )
        folder = folder / "exports" / names[0]
    elif (folder / "history.json").exists() or path.suffix == ".keras":
        folder = folder.parent / "exports" / folder.name
        if not _newest(folder):
            raise InputError(
                f"{given} has no export in {folder}. Expected that of a run that has ended. Start "
                "the run again with its command, which writes what is missing"
            )
    version = folder if (folder / SAVED_MODEL).exists() else _newest(folder)
    if version is None:
        raise InputError(
            f"{given} is no model. Expected the folder of a model in a run, its model.keras, or "
            "the folder of a SavedModel. Check the path"
        )
    name = version.parent.name if version.name.isdecimal() else version.name
    return FoundModel(name, version, _configuration(version))


def _newest(folder):
    versions = [path for path in folder.glob("*") if path.name.isdecimal()]
    versions = [path for path in versions if (path / SAVED_MODEL).exists()]
    return max(versions, key=lambda path: int(path.name), default=None)


def _configuration(version):
    manifest = version.parent.parent.parent / "manifest.json"
    try:
        return json.loads(manifest.read_text(encoding="utf-8"))["configuration"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}

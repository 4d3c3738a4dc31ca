"""`models.config`, the file that lists exported models for TensorFlow Serving."""

import json
from pathlib import Path

from kerashw.files import atomic_write

# In a version that is the model of an epoch: the number of the epoch.
EPOCH_FILE = "assets.extra/epoch.txt"


def versions(directory):
    """Return the version numbers in the base folder of a model.

    Args:
        directory: String or `Path`; need not exist.

    Returns:
        List of integers, sorted.
    """
    names = (path.name for path in Path(directory).glob("*") if path.is_dir())
    return sorted(int(name) for name in names if name.isdecimal())


def write_models_config(directory):
    """Write `models.config`, which lists the models in a folder.

    Args:
        directory: String or `Path` of a folder with a base folder for each model.

    Returns:
        `Path` of the file. Its base paths are absolute, as TensorFlow Serving requires. A server
        serves the newest version of each model, and all versions if they are those of epochs.
    """
    directory = Path(directory).resolve()
    models = [path for path in sorted(directory.iterdir()) if path.is_dir() and versions(path)]
    entries = "".join(_config_entry(model) for model in models)
    with atomic_write(directory / "models.config") as path:
        path.write_text(f"model_config_list {{\n{entries}}}\n", encoding="utf-8")
    return directory / "models.config"


def _config_entry(base_path):
    # A JSON string is a valid string of the protobuf text format.
    name, path = json.dumps(base_path.name), json.dumps(str(base_path), ensure_ascii=False)
    has_epochs = any(base_path.glob(f"*/{EPOCH_FILE}"))
    policy = "    model_version_policy { all {} }\n" if has_epochs else ""
    return (
        f'  config {{\n    name: {name}\n    base_path: {path}\n    model_platform: "tensorflow"\n'
        f"{policy}  }}\n"
    )

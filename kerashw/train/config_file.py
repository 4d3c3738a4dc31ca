"""`--config`: the options of a run from a file, as the arguments of the command.

A TOML file has the options' names and values:

    model = ["convnet", "models.py:build"]
    epochs = 5
    validation-share = 0.1
    deterministic = true

A `manifest.json` has those of its run. Importing this module does not import Keras.
"""

import json
import tomllib
from pathlib import Path

from kerashw.errors import InputError

# The settings in a manifest that are no options, and those with another name.
NO_OPTIONS = ("replicas",)
RENAMED = {"models": "model"}


def config_arguments(path, defaults):
    """Return the options in a file as arguments of the command line.

    Args:
        path: String, the path of a TOML file, or of a `manifest.json`.
        defaults: Dict of the values of all options without any argument. That of a flag is false.

    Returns:
        List of strings.

    Raises:
        InputError: If the file cannot be read, or has another option.
    """
    is_manifest = Path(path).suffix == ".json"
    values = _read(path, is_manifest)
    known = [name.replace("_", "-") for name in defaults if name != "config"]
    arguments = []
    for key, value in values.items():
        name = RENAMED.get(key, key).replace("_", "-")
        if is_manifest and (key in NO_OPTIONS or value in (None, [], False)):
            continue
        if name not in known:
            raise InputError(
                f"--config {path} must have options of this command: {', '.join(known)}. "
                f"Correct the name. Received: {key}"
            )
        is_flag = defaults[name.replace("-", "_")] is False
        arguments += _arguments(path, name, value, is_flag)
    return arguments


def _read(path, is_manifest):
    try:
        text = Path(path).read_text(encoding="utf-8")
        values = json.loads(text) if is_manifest else tomllib.loads(text)
        return values["configuration"] if is_manifest else values
    except OSError as error:
        raise InputError(
            f"--config {path} cannot be read: {error.strerror}. Give a TOML file, or the "
            "manifest.json of a run"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        kind = "the manifest.json of a run" if is_manifest else "a TOML file"
        raise InputError(f"--config {path} must be {kind}. Received: {error!r}") from error


def _arguments(path, name, value, is_flag):
    if is_flag:
        if not isinstance(value, bool):
            raise InputError(f"--config {path}: {name} must be true or false. Received: {value!r}")
        return [f"--{name}"] if value else []
    if isinstance(value, list):
        words = [str(word) for word in value]
        # As they are written on the command line.
        separator = {"image-size": "x", "augment": ","}.get(name)
        return [f"--{name}", *([separator.join(words)] if separator else words)]
    if isinstance(value, (bool, dict)):
        raise InputError(
            f"--config {path}: {name} must be a number, a text or a list of these. "
            f"Received: {value!r}"
        )
    return [f"--{name}", str(value)]

"""The numbered versions in the base folder of a model.

A server serves the greatest one. The folder of a version appears complete or not at all, and never
changes afterwards.
"""

import contextlib
from pathlib import Path

import tensorflow as tf

from kerashw.export.models_config_writer import versions
from kerashw.files import temporary_folder


def write_version(directory, write):
    """Write the next version of a model.

    Args:
        directory: String or `Path`, the model's base folder; created if it does not exist.
        write: Function that writes a SavedModel to the `Path` that it is called with.

    Returns:
        `Path` of the version's folder: `directory`/1, then /2, …

    Raises:
        OSError: If the folder cannot be written. No incomplete version remains.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with temporary_folder(directory) as folder, _tensorflow_errors_as_os_errors(directory):
        write(folder / "model")
        return _move_to_next_version(folder / "model", directory)


def write_versions(directory, write):
    """Write several versions of a model. If it has no versions yet, they appear together.

    Args:
        directory: String or `Path`, the model's base folder; created if it does not exist.
        write: Function that writes SavedModels to the folders 1, 2, … in the `Path` that it is
            called with.

    Returns:
        `Path` of the newest version's folder.

    Raises:
        OSError: If a folder cannot be written. No incomplete version remains.
    """
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (
        temporary_folder(directory.parent) as folder,
        _tensorflow_errors_as_os_errors(directory),
    ):
        written = folder / directory.name
        written.mkdir()
        write(written)
        try:
            written.rename(directory)
        except OSError:  # It is not empty.
            for number in versions(written):
                newest = _move_to_next_version(written / str(number), directory)
            return newest
        return directory / str(versions(directory)[-1])


@contextlib.contextmanager
def _tensorflow_errors_as_os_errors(directory):
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(f"{directory} cannot be written: {error.message}") from error


def _move_to_next_version(folder, directory):
    """Rename a complete folder to the next free version, also while other processes export."""
    while True:
        version = directory / str(max(versions(directory), default=0) + 1)
        try:
            folder.rename(version)
        except OSError:
            if not version.exists():
                raise
        else:
            return version

"""A cache of decoded arrays beside a prepared data set.

Decoding 70,000 PNG images takes seconds. Reading the cached arrays takes a fraction of one second.
The cache is one file, `kerashw.npz`, in the folder that tensorflow-datasets prepared, so deleting
the folder also deletes the cache. It stores the SHA-256 of every other file in that folder, so a
single changed byte in the prepared data set is detected. The checksums of the zip format protect
the arrays themselves.
"""

import hashlib
import json
import logging
import zipfile

import numpy as np

from kerashw.errors import DataError
from kerashw.files import atomic_write

FILE_NAME = "kerashw.npz"


def read(folder):
    """Read the cache of a prepared data set.

    Args:
        folder: `Path` of the folder that tensorflow-datasets prepared.

    Returns:
        Pair of the arrays, as a dict by name, and the metadata that was written with them; `None`
        if there is no cache, or this user may not read it or the data set.

    Raises:
        DataError: If a file of the prepared data set changed after the cache was written.
    """
    try:
        with np.load(folder / FILE_NAME, allow_pickle=False) as file:
            metadata = json.loads(str(file["metadata"]))
            _compare(folder, metadata["checksums"])
            return {name: file[name] for name in file.files if name != "metadata"}, metadata
    except (FileNotFoundError, PermissionError):
        return None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        logging.getLogger(__name__).warning("%s is written again: %s", folder / FILE_NAME, error)
        return None


def write(folder, arrays, **metadata):
    """Write the cache of a prepared data set. A read-only folder gets no cache.

    Args:
        folder: `Path` of the folder that tensorflow-datasets prepared.
        arrays: Dict of `numpy.ndarray` by name.
        **metadata: Values that JSON can represent. `read` returns them.

    Returns:
        The metadata with the checksums of the folder's files added, as `read` returns them.
    """
    metadata["checksums"] = checksums(folder)
    try:
        with atomic_write(folder / FILE_NAME) as path:
            np.savez(path, metadata=json.dumps(metadata), **arrays)
    except OSError as error:
        logging.getLogger(__name__).info("no cache in %s: %s", folder, error)
    return metadata


def checksums(folder):
    """Return the SHA-256, in hexadecimal, of each file of a prepared data set, by file name."""
    return {path.name: _sha256(path) for path in sorted(_prepared_files(folder))}


def damaged_error(folder, reason):
    """Return the `DataError` for a damaged prepared data set."""
    return DataError(
        f"the prepared data set in {folder} is damaged: {reason}. "
        "Delete that folder; the next start prepares it again"
    )


def _prepared_files(folder):
    return (path for path in folder.iterdir() if path.is_file() and path.name != FILE_NAME)


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(folder, expected):
    found = checksums(folder)
    for name in sorted(expected.keys() - found.keys()):
        raise damaged_error(folder, f"{name} is missing")
    for name in sorted(name for name in expected if found[name] != expected[name]):
        raise damaged_error(folder, f"{name} changed since it was prepared")

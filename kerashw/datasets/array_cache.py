"""Decoded arrays beside a prepared data set, trusted only as long as that set is unchanged.

Decoding 70,000 PNG images takes seconds, reading the arrays back a fraction of one. The cache is
one file, `kerashw.npz`, in the folder that tensorflow-datasets prepared, so that deleting the
folder deletes both. It keeps the SHA-256 of every other file there: one changed byte in the
prepared set is noticed. The arrays themselves are guarded by the zip format's own checksums.
"""

import hashlib
import json
import logging
import zipfile

import numpy as np

from kerashw.errors import DataError
from kerashw.files import written_whole

FILE_NAME = "kerashw.npz"


def read(folder):
    """Read the cache of a prepared data set.

    Args:
        folder: `Path` of the folder that tensorflow-datasets prepared.

    Returns:
        Pair of the arrays, by name, and the data written with them; `None` where there is no
        cache that can be read.

    Raises:
        DataError: If a file of the prepared set changed since the cache was written.
    """
    try:
        with np.load(folder / FILE_NAME, allow_pickle=False) as file:
            metadata = json.loads(str(file["metadata"]))
            _compare(folder, metadata["checksums"])
            return {name: file[name] for name in file.files if name != "metadata"}, metadata
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        logging.getLogger(__name__).warning("%s is made anew: %s", folder / FILE_NAME, error)
        return None


def write(folder, arrays, **metadata):
    """Write the cache of a prepared data set; where the folder is read-only, do without.

    Args:
        folder: `Path` of the folder that tensorflow-datasets prepared.
        arrays: Dict of `numpy.ndarray` by name.
        **metadata: What JSON can hold, to be given back by `read`.

    Returns:
        The metadata with the checksums of the folder's files added: what `read` will give.
    """
    metadata["checksums"] = checksums(folder)
    try:
        with written_whole(folder / FILE_NAME) as path:
            np.savez(path, metadata=json.dumps(metadata), **arrays)
    except OSError as error:
        logging.getLogger(__name__).info("no cache in %s: %s", folder, error)
    return metadata


def checksums(folder):
    """Return the SHA-256, in hexadecimal, of each of a prepared set's files, by name."""
    return {path.name: _sha256(path) for path in sorted(_prepared_files(folder))}


def _prepared_files(folder):
    return (path for path in folder.iterdir() if path.is_file() and path.name != FILE_NAME)


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(folder, expected):
    found = checksums(folder)
    for name in sorted(expected.keys() - found.keys()):
        raise damaged(folder, f"{name} is missing")
    for name in sorted(name for name in expected if found[name] != expected[name]):
        raise damaged(folder, f"{name} changed since it was prepared")


def damaged(folder, reason):
    """Return the error that says what is wrong with a prepared set, and what to do."""
    return DataError(
        f"the prepared data set in {folder} is damaged: {reason}. "
        "Delete that folder; the next start prepares it again"
    )

"""A cache of decoded arrays beside a prepared data set.

Decoding 70,000 PNG images takes seconds. Reading the cached arrays takes a fraction of one second.
The cache is one file, `kerashw.npz`, in the folder that tensorflow-datasets prepared, so deleting
the folder also deletes the cache. It stores the SHA-256 of every other file in that folder, so a
single changed byte in the prepared data set is detected. The checksums of the zip format protect
the arrays themselves. Images of another size than in the data set have a cache of their own, such
as `kerashw-64x48.npz`.

Arrays that are larger than the memory are written piece by piece, and stay in the file.
"""

import hashlib
import itertools
import json
import logging
import math
import zipfile

import numpy as np

from kerashw.datasets.stored_array import Pieces, read_stored, write_npz
from kerashw.errors import DataError
from kerashw.files import atomic_write

NAME = "kerashw"


def file_name(image_size=None):
    """Return the name of the cache of images of a size, (height, width); `None` for their own.

    Example:
        >>> file_name(), file_name((64, 48))
        ('kerashw.npz', 'kerashw-64x48.npz')
    """
    return f"{NAME}-{image_size[0]}x{image_size[1]}.npz" if image_size else f"{NAME}.npz"


def is_cache(name):
    """Return whether a file of this name is a cache."""
    return name.startswith(NAME) and name.endswith(".npz")


def read(folder, image_size=None, memory=math.inf):
    """Read the cache of a prepared data set.

    Args:
        folder: `Path` of the folder that tensorflow-datasets prepared.
        image_size: Pair of integers, as for `file_name`.
        memory: Number of bytes. If all images are larger, they stay in the file.

    Returns:
        Pair of the arrays, as a dict by name, and the metadata that was written with them; `None`
        if there is no cache, or this user may not read it or the data set. Arrays of images that
        are larger than `memory` are `kerashw.datasets.stored_array.StoredArray`s.

    Raises:
        DataError: If a file of the prepared data set changed after the cache was written.
    """
    path = folder / file_name(image_size)
    try:
        with np.load(path, allow_pickle=False) as file:
            metadata = json.loads(str(file["metadata"]))
            _compare(folder, metadata["checksums"])
            names = [name for name in file.files if name != "metadata"]
            stored = {}
            if _size(path) > memory:
                if damaged := file.zip.testzip():
                    raise zipfile.BadZipFile(f"{damaged} has another checksum")
                stored = {name: x for name, x in read_stored(path).items() if x.ndim > 1}
            arrays = {name: stored[name] if name in stored else file[name] for name in names}
            return arrays, metadata
    except (FileNotFoundError, PermissionError):
        return None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        logging.getLogger(__name__).warning("%s is written again: %s", path, error)
        return None


def write(folder, arrays, image_size=None, **metadata):
    """Write the cache of a prepared data set. A read-only folder gets no cache.

    Args:
        folder: `Path` of the folder that tensorflow-datasets prepared.
        arrays: Dict of `numpy.ndarray` by name.
        image_size: As for `file_name`.
        **metadata: Values that JSON can represent. `read` returns them.

    Returns:
        The metadata with the checksums of the folder's files added, as `read` returns them.
    """
    metadata["checksums"] = checksums(folder)
    members = ((name, Pieces(x.shape, x.dtype.str, [x])) for name, x in arrays.items())
    try:
        write_pieces(folder, members, image_size, metadata)
    except OSError as error:
        logging.getLogger(__name__).info("no cache in %s: %s", folder, error)
    return metadata


def write_pieces(folder, members, image_size, metadata):
    """Write the cache of a prepared data set that may be larger than the memory.

    Args:
        folder: `Path` of the folder.
        members: Iterable of pairs of a name and `Pieces`.
        image_size: As for `file_name`.
        metadata: Dict that JSON can represent. It is written after the arrays.

    Raises:
        OSError: If the file cannot be written.
    """
    with atomic_write(folder / file_name(image_size)) as path:
        write_npz(path, itertools.chain(members, _metadata_member(metadata)))


def _metadata_member(metadata):
    text = np.array(json.dumps(metadata))
    yield "metadata", Pieces(text.shape, text.dtype.str, [text])


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
    paths = folder.iterdir() if folder.is_dir() else ()
    return (path for path in paths if path.is_file() and not is_cache(path.name))


def _size(path):
    """Return the size of the arrays with more than one axis, the images."""
    return sum(x.nbytes for x in read_stored(path).values() if x.ndim > 1)


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(folder, expected):
    found = checksums(folder)
    for name in sorted(expected.keys() - found.keys()):
        raise damaged_error(folder, f"{name} is missing")
    for name in sorted(name for name in expected if found[name] != expected[name]):
        raise damaged_error(folder, f"{name} changed since it was prepared")

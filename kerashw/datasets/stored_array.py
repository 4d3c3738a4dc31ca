"""Arrays that are larger than the memory, in .npz files: written in pieces, read row by row."""

import math
import struct
import zipfile
from typing import NamedTuple

import numpy as np

from kerashw.errors import DataError

# Neighbouring rows are read together, with gaps between them of up to this size.
MOST_GAP_BYTES = 2**16
MOST_READ_BYTES = 2**22
LOCAL_HEADER = struct.Struct("<26xHH")  # the end of a zip file's header: the lengths of two fields


class Pieces(NamedTuple):
    """An array that is written piece by piece.

    Args:
        shape: Tuple of integers, the shape of the whole array.
        dtype: String.
        pieces: Iterable of arrays that follow each other along the first axis.
    """

    shape: tuple
    dtype: str
    pieces: object


def write_npz(path, members):
    """Write arrays that may be larger than the memory, as `numpy.savez` does.

    Args:
        path: `Path` of the file.
        members: Iterable of pairs of a name and `Pieces`.

    Raises:
        OSError: If the file cannot be written.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in members:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                header = {"descr": member.dtype, "fortran_order": False, "shape": member.shape}
                np.lib.format.write_array_header_1_0(file, header)
                for piece in member.pieces:
                    file.write(np.ascontiguousarray(piece).reshape(-1).view(np.uint8).data)


class StoredArray:
    """An array in a file. Only the rows that are asked for are read into memory.

    Args:
        path: `Path` of the file.
        offset: Integer, the position of the first byte of the array.
        shape: Tuple of integers, the shape of the array.
        dtype: `numpy.dtype`.
        rows: Increasing integer array, the rows of the file that belong to this array; by default
            all.

    Raises:
        DataError: If the file was deleted or cut short, when rows are read.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "data.npz"
        >>> np.savez(path, x=np.arange(12).reshape(4, 3))
        >>> x = read_stored(path)["x"]
        >>> x.shape, x[np.array([3, 0])].tolist(), x[1:3].shape
        ((4, 3), [[9, 10, 11], [0, 1, 2]], (2, 3))
    """

    def __init__(self, path, offset, shape, dtype, rows=None):
        self.path, self.dtype = path, dtype
        self._offset, self._shape, self._rows = offset, tuple(shape), rows

    @property
    def shape(self):
        """The shape, a tuple of integers."""
        return (len(self), *self._shape[1:])

    @property
    def ndim(self):
        """The number of axes."""
        return len(self._shape)

    @property
    def nbytes(self):
        """The size in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self):
        return self._shape[0] if self._rows is None else len(self._rows)

    def __getitem__(self, key):
        """Return rows: of a slice as a `StoredArray`, of an integer array (n,) as an array."""
        if isinstance(key, slice):
            return self.select(np.arange(*key.indices(len(self))))
        wanted = np.asarray(key) if self._rows is None else self._rows[key]
        result = np.empty((len(wanted), *self._shape[1:]), self.dtype)
        if not result.size:
            return result
        by_position = np.argsort(wanted, kind="stable")
        sizes = result[0].nbytes
        gaps = np.diff(wanted[by_position]) * sizes > MOST_GAP_BYTES
        try:
            with self.path.open("rb") as file:
                for group in np.split(by_position, np.flatnonzero(gaps) + 1):
                    count = max(MOST_READ_BYTES // sizes, 1)
                    for start in range(0, len(group), count):
                        places = group[start : start + count]
                        first, last = wanted[places[0]], wanted[places[-1]]
                        result[places] = self._read(file, first, last)[wanted[places] - first]
        except (OSError, EOFError) as error:
            raise DataError(
                f"{self.path} cannot be read: it was deleted or cut short after the start. "
                f"Delete it, and start again. Received: {error}"
            ) from error
        return result

    def select(self, rows):
        """Return these rows, an increasing integer array (n,), as a `StoredArray`."""
        rows = rows if self._rows is None else self._rows[rows]
        return StoredArray(self.path, self._offset, self._shape, self.dtype, rows)

    def reshape(self, shape):
        """Return the array with another shape of the same number of rows."""
        return StoredArray(
            self.path, self._offset, (self._shape[0], *shape[1:]), self.dtype, self._rows
        )

    def _read(self, file, first, last):
        """Read the rows `first` to `last` of the file."""
        block = np.empty((int(last - first) + 1, *self._shape[1:]), self.dtype)
        file.seek(self._offset + int(first) * block[0].nbytes)
        if file.readinto(block.reshape(-1).view(np.uint8)) < block.nbytes:
            raise EOFError("the file ends too early")
        return block


def read_stored(path):
    """Return the arrays of an .npz file by name, without reading them.

    Args:
        path: `Path` of the file.

    Returns:
        Dict of `StoredArray` by name.

    Raises:
        ValueError: If the arrays are compressed, or their rows do not follow each other.
        OSError: If the file cannot be read.
        zipfile.BadZipFile: If it is no zip file.
    """
    arrays = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError("its arrays are compressed")
            with archive.open(member) as content:
                shape, is_fortran, dtype = _read_header(content)
                header_length = content.tell()
            if is_fortran:
                raise ValueError("its arrays are in Fortran's order")
            file.seek(member.header_offset)
            name_length, extra_length = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
            offset = member.header_offset + LOCAL_HEADER.size + name_length + extra_length
            name = member.filename.removesuffix(".npy")
            arrays[name] = StoredArray(path, offset + header_length, shape, dtype)
    return arrays


def _read_header(content):
    version = np.lib.format.read_magic(content)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(content)
    return np.lib.format.read_array_header_2_0(content)

"""The splits of a data set while it is prepared: decoded, scaled, and written to the cache."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from kerashw.datasets import array_cache
from kerashw.datasets.stored_array import Pieces
from kerashw.errors import DataError

BATCH_SIZE = 256


@dataclasses.dataclass
class Split:
    """The images of a split, which are decoded when they are needed.

    Args:
        length: Integer, the number of images.
        image_shape: Tuple (height, width), or (height, width, 3) of colour images.
        batches: Function without arguments that returns an iterator of pairs: images, uint8
            (n, *image_shape), and labels, int64 (n,). Together they have `length` examples, or
            fewer if damaged ones are left out.
    """

    length: int
    image_shape: tuple
    batches: Callable

    @property
    def nbytes(self):
        """The size of the images in bytes."""
        return self.length * math.prod(self.image_shape)

    def in_memory(self):
        """Return all images and all labels, as arrays."""
        images = np.empty((self.length, *self.image_shape), np.uint8)
        labels = np.empty(self.length, np.int64)
        start = 0
        for some_images, some_labels in self.batches():
            stop = start + len(some_labels)
            images[start:stop], labels[start:stop] = some_images, some_labels
            start = stop
        return images[:start], labels[:start]


def prepare(folder, splits, memory, image_size, metadata):
    """Decode all splits, and write them to the cache in a folder.

    Args:
        folder: `Path` of the folder.
        splits: Dict of `Split` by name.
        memory: Number of bytes. If all images are larger, they stay on disk.
        image_size: As in `kerashw.datasets.array_cache.file_name`.
        metadata: Dict for the cache.

    Returns:
        Pair of arrays and metadata, as `array_cache.read`.

    Raises:
        DataError: If images that are larger than the memory cannot be written.
    """
    if sum(split.nbytes for split in splits.values()) <= memory:
        arrays = {}
        for name, split in splits.items():
            arrays[f"{name}_images"], arrays[f"{name}_labels"] = split.in_memory()
        return arrays, array_cache.write(folder, arrays, image_size, **metadata)
    metadata = metadata | {"checksums": array_cache.checksums(folder)}
    try:
        array_cache.write_pieces(folder, _members(splits), image_size, metadata)
    except OSError as error:
        raise DataError(
            f"the data set is larger than --memory, so it must be written to {folder}, which "
            f"fails: {error.strerror or error}. Choose another folder with --data-dir"
        ) from error
    return array_cache.read(folder, image_size, memory)


def _members(splits):
    for name, split in splits.items():
        labels = []
        shape = (split.length, *split.image_shape)
        yield f"{name}_images", Pieces(shape, "|u1", _images(split, labels))
        yield f"{name}_labels", Pieces((split.length,), "<i8", labels)


def _images(split, all_labels):
    """Yield the images of a split, and append its labels to a list."""
    for images, labels in split.batches():
        all_labels.append(labels)
        yield images


def several_sizes_error(name, size, other):
    """Return the `DataError` for images of several sizes.

    Args:
        name: String or `Path`, the data set.
        size: Pair of integers, the height and the width of an image.
        other: Pair of integers, those of another image.
    """
    return DataError(
        f"the images of {name} have several sizes, such as {size[0]}×{size[1]} and "
        f"{other[0]}×{other[1]}. Choose one for all with --image-size, as in --image-size 64"
    )

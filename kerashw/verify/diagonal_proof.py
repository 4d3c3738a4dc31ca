"""Question 3's claims about counting, tried on everything there is: no sample where all will do.

Each function counts with the layer itself and gives back numbers; what they say of the homework's
claims is for the reader to judge.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerashw.datasets import diagonals
from kerashw.layers import DiagonalCount

__all__ = [
    "OffsetCounts",
    "WorkedExample",
    "count_every_offset",
    "count_every_placement",
    "count_other_images",
    "count_random_images",
    "worked_example",
]

# Images at a time: as many as stay in the processor's caches, or nearly so.
AT_ONCE = 1024


class OffsetCounts(NamedTuple):
    """The peaks of two segments, by the offset from one to the other.

    Args:
        distances: Float array (2m - 1, 2m - 1), as `kerashw.datasets.diagonals.distances` gives.
        counts: Integer array (2m - 1, 2m - 1), the peaks; 1 in the middle, where both segments are
            the same.
        bound: Float, the smallest distance that the homework allows.
    """

    distances: np.ndarray
    counts: np.ndarray
    bound: float

    @property
    def legal(self):
        """The number of offsets at or beyond the bound."""
        return int(np.sum(self.distances >= self.bound))

    @property
    def wrong_and_legal(self):
        """The number of offsets at or beyond the bound where the count is not two."""
        return int(np.sum((self.distances >= self.bound) & (self.counts != 2)))

    @property
    def exceptions(self):
        """The offsets below the bound where the count is not two: dict (row, column) → count."""
        reach = len(self.counts) // 2
        wrong = np.argwhere((self.distances < self.bound) & (self.counts != 2))
        found = {tuple(int(n) - reach for n in at): int(self.counts[tuple(at)]) for at in wrong}
        return {offset: count for offset, count in found.items() if offset != (0, 0)}


class WorkedExample(NamedTuple):
    """An image of Class 2 and what the layer makes of it, step by step.

    Args:
        image: Integer array (H, W).
        feature_map: Integer array (H - 2, W - 2).
        peaks: Boolean array (H - 2, W - 2).
        segments: Integer array (2, 2), row and column of each segment's place.
    """

    image: np.ndarray
    feature_map: np.ndarray
    peaks: np.ndarray
    segments: np.ndarray


def count_every_placement(image_size=100):
    """Count the peaks of one segment, wherever it fits.

    Args:
        image_size: Integer, at least 3, height and width of the image.

    Returns:
        Integer array (m, m), m = image_size - 2: the peaks, by the row and column of the segment's
        place.

    Example:
        >>> counts = count_every_placement()
        >>> counts.size, int(counts.min()), int(counts.max())
        (9604, 1, 1)

    Reference:
        The homework, Question 3; claim 6.
    """
    m = image_size - 2
    places = np.stack(np.mgrid[:m, :m], axis=-1).reshape(-1, 1, 2)
    return _count_painted(places, image_size).reshape(m, m)


def count_every_offset(image_size=100, bound=3.0):
    """Count the peaks of two segments for every offset between them that fits into the image.

    That is all: a pair of segments that is moved within the image moves its feature map along, so
    the count depends on the offset alone.

    Args:
        image_size: Integer, at least 3, height and width of the image.
        bound: Float, the smallest distance that the homework allows.

    Returns:
        `OffsetCounts`.

    Example:
        >>> counted = count_every_offset()
        >>> counted.counts.size - 1, counted.legal, counted.wrong_and_legal
        (38024, 37964, 0)
        >>> counted.exceptions  # on one line: together a run of five or of six pixels
        {(-3, 3): 4, (-2, 2): 3, (2, -2): 3, (3, -3): 4}

    Reference:
        The homework, Question 3; claim 7.
    """
    reach = image_size - 3
    offsets = np.stack(np.mgrid[-reach : reach + 1, -reach : reach + 1], axis=-1).reshape(-1, 2)
    first = np.maximum(-offsets, 0)
    counts = _count_painted(np.stack([first, first + offsets], axis=1), image_size)
    side = 2 * reach + 1
    return OffsetCounts(diagonals.distances(image_size), counts.reshape(side, side), bound)


def count_random_images(n=1_000_000, image_size=100, seed=0):
    """Count the peaks of generated images of both classes, and compare with their labels.

    Args:
        n: Positive integer, the number of images.
        image_size: Integer, their height and width.
        seed: Non-negative integer.

    Returns:
        Integer array (2, 3): the images by class (row 0: Class 1) and peaks (one, two, another
        number).

    Example:
        >>> confusion = count_random_images(2000)
        >>> int(confusion.sum()), int(confusion[0, 0] + confusion[1, 1])
        (2000, 2000)
    """
    count = _counter()
    confusion = np.zeros((2, 3), int)
    for number, start in enumerate(range(0, n, AT_ONCE)):
        size = min(AT_ONCE, n - start)
        drawn = diagonals.generate(size, image_size, seed=seed * 2**32 + number)
        counts = count(drawn.images)
        column = np.where((counts == 1) | (counts == 2), counts - 1, 2)
        np.add.at(confusion, (drawn.labels - 1, column), 1)
    return confusion


def count_other_images(image_size=100):
    """Count the peaks of images that are in neither class, of which the rule says something too.

    Args:
        image_size: Integer, at least 10, height and width of the images.

    Returns:
        Dict, what is in the image → its peaks. The rule says Class 1 where there is one, otherwise
        Class 2.

    Example:
        >>> for name, count in count_other_images().items():
        ...     print(f"{name}: {count}")
        nothing: 0
        one segment along the main diagonal: 0
        two segments along the main diagonal: 0
        three segments: 3
        one segment of four pixels: 2
    """
    one, two, three = (
        diagonals.paint(np.array([[[0, 0], [0, 5], [6, 0]][:n]]), image_size) for n in (1, 2, 3)
    )
    # Two places that follow each other: the square of three pixels, one row and column on.
    long = diagonals.paint(np.array([[[0, 1], [1, 0]]]), image_size)
    images = {
        "nothing": 0 * one,
        "one segment along the main diagonal": one[:, ::-1],
        "two segments along the main diagonal": two[:, ::-1],
        "three segments": three,
        "one segment of four pixels": long,
    }
    counts = _counter()(np.concatenate(list(images.values())))
    return dict(zip(images, counts.tolist(), strict=True))


def worked_example(image_size=20, seed=21):
    """Take the first image of Class 2 through the layer, step by step.

    Args:
        image_size: Integer, its height and width.
        seed: Non-negative integer.

    Returns:
        `WorkedExample`.

    Example:
        >>> example = worked_example()
        >>> example.feature_map.shape, int(example.feature_map.max()), int(example.peaks.sum())
        ((18, 18), 3, 2)
        >>> (np.argwhere(example.peaks) == example.segments).all()
        np.True_

    Reference:
        The homework, Question 3; claim 8.
    """
    drawn = diagonals.generate(1, image_size, class_balance=1.0, seed=seed)
    layer = DiagonalCount()
    feature_map = layer.feature_map(drawn.images).numpy()[0, ..., 0]
    peaks = layer.peaks(drawn.images).numpy()[0, ..., 0]
    return WorkedExample(drawn.images[0, ..., 0], feature_map, peaks, drawn.segments[0])


def _counter():
    """Return the layer, compiled, as a function of arrays."""
    function = tf.function(DiagonalCount(), jit_compile=True)
    return lambda images: function(images).numpy()


def _count_painted(segments, image_size):
    """Count the peaks of images with these segments, (N, M, 2) → (N,), a few images at a time."""
    count = _counter()
    parts = [segments[start : start + AT_ONCE] for start in range(0, len(segments), AT_ONCE)]
    return np.concatenate([count(diagonals.paint(part, image_size)) for part in parts])

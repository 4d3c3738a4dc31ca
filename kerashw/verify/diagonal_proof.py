"""Question 3's claims about counting, tested at every position and for every offset of segments.

Each function counts peaks with `kerashw.layers.DiagonalCount` and returns the numbers.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerashw.datasets import diagonal_positions, diagonals
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

# Larger batches do not fit into the caches of the processor.
BATCH_SIZE = 1024


class OffsetCounts(NamedTuple):
    """The number of peaks of two segments, for each offset from one to the other.

    Args:
        distances: Float array (2m - 1, 2m - 1), from `diagonal_positions.distances`.
        counts: Integer array (2m - 1, 2m - 1), the peaks; 1 in the middle, where the segments
            coincide.
        bound: Float, the least distance that the homework allows.
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
        """The offsets below the bound where the count is not two: a dict (row, column) → count."""
        reach = len(self.counts) // 2
        wrong = np.argwhere((self.distances < self.bound) & (self.counts != 2))
        found = {tuple(int(n) - reach for n in at): int(self.counts[tuple(at)]) for at in wrong}
        return {offset: count for offset, count in found.items() if offset != (0, 0)}


class WorkedExample(NamedTuple):
    """An image of Class 2 with its feature map and its peaks.

    Args:
        image: Integer array (H, W).
        feature_map: Integer array (H - 2, W - 2).
        peaks: Boolean array (H - 2, W - 2).
        segments: Integer array (2, 2), the row and the column of each segment.
    """

    image: np.ndarray
    feature_map: np.ndarray
    peaks: np.ndarray
    segments: np.ndarray


def count_every_placement(image_size=100):
    """Count the peaks of one segment at every position.

    Args:
        image_size: Integer, at least 3, the height and width of the image.

    Returns:
        Integer array (m, m), m = image_size - 2: the peaks for each row and column of the segment.

    Example:
        >>> counts = count_every_placement()
        >>> counts.size, int(counts.min()), int(counts.max())
        (9604, 1, 1)

    Reference:
        The homework, Question 3; claim 6.
    """
    m = image_size - 2
    positions = np.stack(np.mgrid[:m, :m], axis=-1).reshape(-1, 1, 2)
    return _count_segments(positions, image_size).reshape(m, m)


def count_every_offset(image_size=100, bound=3.0):
    """Count the peaks of two segments for every offset that fits into the image.

    These are all pairs of segments, because the count depends only on the offset: when both
    segments move, the feature map moves with them.

    Args:
        image_size: Integer, at least 3, the height and width of the image.
        bound: Float, the least distance that the homework allows.

    Returns:
        `OffsetCounts`.

    Example:
        >>> counted = count_every_offset()
        >>> counted.counts.size - 1, counted.legal, counted.wrong_and_legal
        (38024, 37964, 0)
        >>> counted.exceptions  # the segments form one line of five or six pixels
        {(-3, 3): 4, (-2, 2): 3, (2, -2): 3, (3, -3): 4}

    Reference:
        The homework, Question 3; claim 7.
    """
    reach = image_size - 3
    offsets = np.stack(np.mgrid[-reach : reach + 1, -reach : reach + 1], axis=-1).reshape(-1, 2)
    first = np.maximum(-offsets, 0)
    counts = _count_segments(np.stack([first, first + offsets], axis=1), image_size)
    side = 2 * reach + 1
    return OffsetCounts(diagonal_positions.distances(image_size), counts.reshape(side, side), bound)


def count_random_images(n=1_000_000, image_size=100, seed=0):
    """Count the peaks of generated images of both classes, as a confusion matrix.

    Args:
        n: Positive integer, the number of images.
        image_size: Integer, the height and width of the images.
        seed: Non-negative integer.

    Returns:
        Integer array (2, 3), the numbers of images; a row for each class (row 0: Class 1), and a
        column for one peak, two peaks, and any other number.

    Example:
        >>> confusion = count_random_images(2000)
        >>> int(confusion.sum()), int(confusion[0, 0] + confusion[1, 1])
        (2000, 2000)
    """
    count = _compile_layer()
    confusion = np.zeros((2, 3), int)
    for number, start in enumerate(range(0, n, BATCH_SIZE)):
        size = min(BATCH_SIZE, n - start)
        generated = diagonals.generate(size, image_size, seed=seed * 2**32 + number)
        counts = count(generated.images)
        column = np.where((counts == 1) | (counts == 2), counts - 1, 2)
        np.add.at(confusion, (generated.labels - 1, column), 1)
    return confusion


def count_other_images(image_size=100):
    """Count the peaks of images that are in neither class.

    The homework's rule classifies them too: one peak is Class 1, any other number Class 2.

    Args:
        image_size: Integer, at least 10, the height and width of the images.

    Returns:
        Dict, the content of an image → the number of its peaks.

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
    # Two segments that overlap in two pixels.
    long = diagonals.paint(np.array([[[0, 1], [1, 0]]]), image_size)
    images = {
        "nothing": 0 * one,
        "one segment along the main diagonal": one[:, ::-1],
        "two segments along the main diagonal": two[:, ::-1],
        "three segments": three,
        "one segment of four pixels": long,
    }
    counts = _compile_layer()(np.concatenate(list(images.values())))
    return dict(zip(images, counts.tolist(), strict=True))


def worked_example(image_size=20, seed=21):
    """Compute the feature map and the peaks of a generated image of Class 2.

    Args:
        image_size: Integer, the height and width of the image.
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
    generated = diagonals.generate(1, image_size, class_balance=1.0, seed=seed)
    layer = DiagonalCount()
    feature_map = layer.feature_map(generated.images).numpy()[0, ..., 0]
    peaks = layer.peaks(generated.images).numpy()[0, ..., 0]
    return WorkedExample(generated.images[0, ..., 0], feature_map, peaks, generated.segments[0])


def _compile_layer():
    """Return the layer as a compiled function of arrays."""
    function = tf.function(DiagonalCount(), jit_compile=True)
    return lambda images: function(images).numpy()


def _count_segments(segments, image_size):
    """Count the peaks of images with these segments, (N, M, 2) → (N,), in batches."""
    count = _compile_layer()
    batches = [
        segments[start : start + BATCH_SIZE] for start in range(0, len(segments), BATCH_SIZE)
    ]
    return np.concatenate([count(diagonals.paint(batch, image_size)) for batch in batches])

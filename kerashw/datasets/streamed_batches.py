"""Batches of images that stay on disk, for data sets that are larger than the memory."""

from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

from kerashw.datasets.epoch_order import window_length
from kerashw.datasets.pipeline import Batches, Piece
from kerashw.datasets.stored_array import StoredArray


def image_batches(images, labels, batch_size, seed=None):
    """Return the batches of images in memory or on disk, with the same examples in the same order.

    Args:
        images: As for `Batches`, or a `kerashw.datasets.stored_array.StoredArray`.
        labels: As for `Batches`.
        batch_size: As for `Batches`.
        seed: As for `Batches`.

    Returns:
        `Batches`, or `StreamedBatches` of a `StoredArray`.

    Raises:
        InputError: As `Batches`.
    """
    kind = StreamedBatches if isinstance(images, StoredArray) else Batches
    return kind(images, labels, batch_size, seed)


class StreamedBatches(Batches):
    """Batches of labelled images on disk, with the order of `Batches`.

    An epoch is divided into pieces of one window of its order (`kerashw.datasets.epoch_order`), of
    at most 128 MiB. While a piece is used, a thread reads the next one. So three pieces are in
    memory at a time, whatever the number of examples.

    Args:
        images: `kerashw.datasets.stored_array.StoredArray` of shape (N, height, width) or
            (N, height, width, channels).
        labels: As for `Batches`.
        batch_size: As for `Batches`.
        seed: As for `Batches`.

    Raises:
        InputError: If the batch size is not a positive integer.
    """

    def __init__(self, images, labels, batch_size, seed=None):
        # The arrays in memory are those of one example, which has the types of all.
        super().__init__(images[[0]], labels[:1], batch_size, seed)
        self.batch_size, self._length = min(int(batch_size), len(images)), len(images)
        self._images, self._labels = images, labels

    def pieces(self, order):
        """Yield the pieces of an epoch; read each while the one before is used."""
        order = order.numpy()
        steps = max(window_length(self.example_bytes) // self.batch_size, 1)
        bounds = [(start, min(start + steps, self.steps)) for start in range(0, self.steps, steps)]
        with ThreadPoolExecutor(1) as executor:
            following = executor.submit(self._read, order, *bounds[0])
            for next_bounds in [*bounds[1:], None]:
                piece = following.result()
                if next_bounds:
                    following = executor.submit(self._read, order, *next_bounds)
                yield piece
                piece = None  # The memory is free before the one after next is read.

    def batch(self, order, step):
        """Return one batch of an epoch, as `Batches.batch`."""
        piece = self._read(order.numpy(), step, step + 1)
        return self.gather(piece.arrays, piece.order)

    def _read(self, order, start, stop):
        """Return the steps from `start` to `stop` of an order, an array (N,), as a `Piece`."""
        rows = order[start * self.batch_size : stop * self.batch_size]
        arrays = self.as_tensors(self._images[rows], self._labels[rows])
        return Piece(arrays, tf.range(len(rows)), start, stop)

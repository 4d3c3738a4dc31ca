"""Batches of examples that a TensorFlow graph gathers from memory.

Images stay uint8, which needs a quarter of the memory of floats. The graph gathers and scales each
batch, so an epoch needs no Python code and no copy of the data.

`Batches` and `ArrayBatches` have the same interface:

- `order(epoch)` starts an epoch and returns the order of its examples.
- `pieces(order)` yields the examples of an epoch; those in memory are one `Piece`.
- `rows(order, step)` returns the rows of a full batch: the indices of its examples.
- `last_rows(order)` returns the rows of the last batch of an epoch if it is smaller.
- `gather(arrays, rows)` returns the examples in these rows, or in a part of them, as the model's
  input. The arrays are an argument, so that a graph serves other data of the same types.
- `example_batch()` returns a batch to build a model with.

`kerashw.datasets.dataset_batches.DatasetBatches` has `next_batch(order)` instead of `rows` and
`last_rows`, because nobody knows where its epoch ends.
"""

import numbers
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kerashw.datasets.epoch_order import epoch_order
from kerashw.errors import InputError


class Piece(NamedTuple):
    """A part of an epoch whose examples are in memory.

    Args:
        arrays: Structure of tensors (n, …).
        order: int32 tensor, the order of these examples.
        start: Integer, the step of the epoch that the piece begins with.
        stop: Integer, the step after its last.
    """

    arrays: Any
    order: tf.Tensor
    start: int
    stop: int


class _InMemoryBatches:
    """Base class of `Batches` and `ArrayBatches`, which can load any example at any time."""

    prefetchable = True  # A batch can be loaded before its step starts.
    example_bytes = 0  # The examples are shuffled completely.

    def __init__(self, arrays, length, batch_size, seed):
        if not isinstance(batch_size, numbers.Integral) or batch_size < 1:
            raise InputError(f"batch_size must be at least 1. Received: batch_size={batch_size!r}")
        self.batch_size = min(int(batch_size), length)
        self.seed = seed
        self.arrays = arrays
        self._length = length

    def __len__(self):
        """Return the number of examples."""
        return self._length

    @property
    def steps(self):
        """The number of batches in an epoch."""
        return -(-len(self) // self.batch_size)

    @property
    def full_steps(self):
        """The number of batches of the full size in an epoch."""
        return len(self) // self.batch_size

    @property
    def batch_sizes(self):
        """The sizes of the batches, as a set of one or two integers."""
        return {self.batch_size, len(self) % self.batch_size} - {0}

    @property
    def order_spec(self):
        """The type of what `order` returns, as `tf.TensorSpec`."""
        return tf.TensorSpec((None,), tf.int32)

    @property
    def array_specs(self):
        """The types of `arrays`, as `tf.TensorSpec`s of any number of examples."""
        return keras.tree.map_structure(
            lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), self.arrays
        )

    def signature(self, with_last_size=False):
        """Return what data have in common that one graph serves.

        Args:
            with_last_size: Boolean; whether the size of the last batch counts.
        """
        last_size = len(self) % self.batch_size
        size = last_size if with_last_size else bool(last_size)
        return type(self), repr(self.array_specs), self.batch_size, size

    def order(self, epoch):
        """Return the order of the examples in an epoch, an int32 tensor (N,)."""
        return tf.constant(epoch_order(len(self), self.seed, epoch, self.example_bytes))

    def pieces(self, order):
        """Yield the parts of an epoch that are in memory at a time: here, one with everything."""
        yield Piece(self.arrays, order, 0, self.steps)

    def rows(self, order, step):
        """Return the rows of a full batch, an int32 tensor (batch size,).

        The graph knows this shape, so TensorFlow computes everything that only depends on it once.
        """
        return tf.slice(order, [step * self.batch_size], [self.batch_size])

    def last_rows(self, order):
        """Return the rows of the last batch if it is smaller than the others."""
        return order[-(len(self) % self.batch_size) :]

    def load(self, rows):
        """Return the examples in these rows."""
        return self.gather(self.arrays, rows)

    def example_batch(self):
        """Return a batch of one example."""
        return self.load(tf.range(1))


class Batches(_InMemoryBatches):
    """Batches of labelled images in memory. Their order depends only on the seed and the epoch.

    Args:
        images: Array (N, height, width) or (N, height, width, channels). uint8 pixels are scaled
            to [0, 1]; floats are used unchanged.
        labels: Integer array (N,).
        batch_size: Positive integer. Values above N mean N. The last batch of an epoch has the
            remaining examples.
        seed: Non-negative integer to shuffle the examples in every epoch, or `None` to keep their
            order.

    Raises:
        InputError: If the shapes do not match, there are no examples, or the batch size is not a
            positive integer.

    Example:
        >>> import numpy as np
        >>> batches = Batches(np.full((5, 28, 28), 255, "uint8"), np.arange(5), batch_size=2)
        >>> batches.steps
        3
        >>> images, labels = batches.batch(batches.order(epoch=0), step=2)
        >>> images.shape, float(images[0, 0, 0, 0]), labels.numpy().tolist()
        (TensorShape([1, 28, 28, 1]), 1.0, [4])
    """

    def __init__(self, images, labels, batch_size, seed=None):
        images, labels = np.asarray(images), np.asarray(labels)
        if images.ndim not in (3, 4) or labels.shape != images.shape[:1] or not len(images):
            raise InputError(
                "images must be (N, height, width) or (N, height, width, channels), labels (N,), "
                f"N at least 1. Received: shapes {images.shape} and {labels.shape}"
            )
        super().__init__(self.as_tensors(images, labels), len(images), batch_size, seed)
        self.example_bytes = images[0].nbytes

    @staticmethod
    def as_tensors(images, labels):
        """Return the images (N, height, width, channels) and the labels as tensors."""
        if images.ndim == 3:
            images = images[..., np.newaxis]
        return tf.constant(images), tf.constant(labels)

    def batch(self, order, step):
        """Return one batch of an epoch.

        Args:
            order: int32 tensor (N,), from `order`.
            step: Integer in [0, steps).

        Returns:
            Pair of images, floats (B, height, width, channels), and labels (B,).
        """
        full = step < self.full_steps
        return self.load(self.rows(order, step) if full else self.last_rows(order))

    @staticmethod
    def gather(arrays, rows):
        """Return the images and the labels in these rows."""
        images, labels = (tf.gather(array, rows) for array in arrays)
        if images.dtype == tf.uint8:
            images = tf.cast(images, tf.float32) / 255
        return images, labels


class ArrayBatches(_InMemoryBatches):
    """Batches of arrays in memory for any model.

    Args:
        arrays: Structure of tensors (N, …), such as a tuple (x, y) or (x, y, sample_weight).
        batch_size: Positive integer. Values above N mean N. The last batch of an epoch has the
            remaining examples.
        seed: Non-negative integer to shuffle the examples in every epoch, or `None` to keep their
            order.

    Example:
        >>> arrays = tf.range(5.0), tf.range(5)
        >>> batches = ArrayBatches(arrays, batch_size=2)
        >>> x, y = batches.load(batches.rows(batches.order(epoch=0), step=1))
        >>> x.numpy().tolist(), y.numpy().tolist()
        ([2.0, 3.0], [2, 3])
    """

    def __init__(self, arrays, batch_size, seed=None):
        super().__init__(arrays, len(keras.tree.flatten(arrays)[0]), batch_size, seed)

    @staticmethod
    def gather(arrays, rows):
        """Return the examples in these rows, in the structure of the arrays."""
        return keras.tree.map_structure(lambda array: tf.gather(array, rows), arrays)

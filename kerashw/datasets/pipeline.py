"""Batches of examples that a TensorFlow graph gathers from memory.

Images stay uint8, which needs a quarter of the memory of floats. The graph gathers and scales each
batch, so an epoch needs no Python code and no copy of the data.

`Batches` and `ArrayBatches` have the same interface:

- `order(epoch)` starts an epoch and returns the order of its examples.
- `rows(order, step)` returns the rows of a full batch: the indices of its examples.
- `last_rows(order)` returns the rows of the last batch of an epoch if it is smaller.
- `load(rows)` returns the examples in these rows, or in a part of them, as the model's input.
- `example_batch()` returns a batch to build a model with.

`kerashw.datasets.dataset_batches.DatasetBatches` has `next_batch(order)` instead of `rows` and
`last_rows`, because nobody knows where its epoch ends.
"""

import numbers

import keras
import numpy as np
import tensorflow as tf

from kerashw.datasets.dataset_batches import DatasetBatches
from kerashw.errors import InputError


class _InMemoryBatches:
    """Base class of `Batches` and `ArrayBatches`, which can load any example at any time."""

    prefetchable = True  # A batch can be loaded before its step starts.

    def __init__(self, length, batch_size, seed):
        if not isinstance(batch_size, numbers.Integral) or batch_size < 1:
            raise InputError(f"batch_size must be at least 1. Received: batch_size={batch_size!r}")
        self.batch_size = min(int(batch_size), length)
        self.seed = seed
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
        return tf.TensorSpec((len(self),), tf.int32)

    def order(self, epoch):
        """Return the order of the examples in an epoch, an int32 tensor (N,)."""
        indices = np.arange(len(self), dtype=np.int32)
        if self.seed is not None:
            np.random.default_rng((self.seed, epoch)).shuffle(indices)
        return tf.constant(indices)

    def rows(self, order, step):
        """Return the rows of a full batch, an int32 tensor (batch size,).

        The graph knows this shape, so TensorFlow computes everything that only depends on it once.
        """
        return tf.slice(order, [step * self.batch_size], [self.batch_size])

    def last_rows(self, order):
        """Return the rows of the last batch if it is smaller than the others."""
        return order[self.full_steps * self.batch_size :]

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
        super().__init__(len(images), batch_size, seed)
        if images.ndim == 3:
            images = images[..., np.newaxis]
        self._images = tf.constant(images)
        self._labels = tf.constant(labels)

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

    def load(self, rows):
        """Return the images and the labels in these rows."""
        images = tf.gather(self._images, rows)
        if images.dtype == tf.uint8:
            images = tf.cast(images, tf.float32) / 255
        return images, tf.gather(self._labels, rows)


class ArrayBatches(_InMemoryBatches):
    """Batches of arrays in memory for any model, as `Model.fit` accepts arrays.

    Args:
        arrays: Tuple (x, y) or (x, y, sample_weight) of arrays (N, …), or of dicts or lists of
            such arrays. Floats are converted to `keras.config.floatx()`.
        batch_size: Positive integer. Values above N mean N. The last batch of an epoch has the
            remaining examples.
        seed: Non-negative integer to shuffle the examples in every epoch, or `None` to keep their
            order.

    Raises:
        InputError: If the arrays have different lengths or no examples, if there are lists of
            numbers or labels that are strings, or if the batch size is not a positive integer.

    Example:
        >>> import numpy as np
        >>> batches = ArrayBatches((np.arange(5.0), np.arange(5)), batch_size=2)
        >>> x, y = batches.load(batches.rows(batches.order(epoch=0), step=1))
        >>> x.numpy().tolist(), y.numpy().tolist()
        ([2.0, 3.0], [2, 3])
    """

    def __init__(self, arrays, batch_size, seed=None):
        _check_arrays(arrays)
        self._arrays = keras.tree.map_structure(_as_tensor, tuple(arrays))
        lengths = {len(array) for array in keras.tree.flatten(self._arrays)}
        if len(lengths) != 1 or 0 in lengths:
            raise InputError(
                "all arrays must have equally many examples, at least one. "
                f"Received: {', '.join(map(str, sorted(lengths)))}"
            )
        super().__init__(lengths.pop(), batch_size, seed)

    def load(self, rows):
        """Return the examples in these rows, in the structure of the arrays."""
        return keras.tree.map_structure(lambda array: tf.gather(array, rows), self._arrays)


def as_batches(data, batch_size=32, seed=None):
    """Convert any data that `Model.fit` accepts to batches.

    Args:
        data: `Batches`, which are returned unchanged; a tuple (x, y) or (x, y, sample_weight) of
            arrays; or a batched `tf.data.Dataset` of such tuples.
        batch_size: Positive integer, for arrays.
        seed: As in `ArrayBatches`, for arrays.

    Returns:
        `Batches`, `ArrayBatches` or `DatasetBatches`.

    Raises:
        InputError: If the data have another type.
    """
    if isinstance(data, (Batches, ArrayBatches, DatasetBatches)):
        return data
    if isinstance(data, tf.data.Dataset):
        return DatasetBatches(data)
    if isinstance(data, tuple) and len(data) in (2, 3):
        return ArrayBatches(data[: 2 if data[-1] is None else 3], batch_size, seed)
    raise InputError(
        "data must be kerashw.datasets.pipeline.Batches, a tuple of arrays (x, y) or "
        f"(x, y, sample_weight), or a batched tf.data.Dataset. Received: {type(data).__name__}"
    )


def _check_arrays(arrays):
    """Check what TensorFlow would report only from inside its graph, or not by name."""
    for value in keras.tree.flatten(tuple(arrays)):
        if not np.ndim(value):
            raise InputError(
                "data must be arrays, or dicts or lists of arrays. Convert lists of numbers with "
                f"numpy.asarray. Received: a list or dict of {type(value).__name__}"
            )
    for value in keras.tree.flatten(tuple(arrays[1:])):
        if np.asarray(value).dtype.kind in "OSU":
            raise InputError(
                "labels and weights must be numbers. Number the classes from 0, for example with "
                "numpy.unique(labels, return_inverse=True)[1]. "
                f"Received: {np.asarray(value).flat[0]!r}"
            )


def _as_tensor(array):
    array = np.asarray(array)
    floats = np.issubdtype(array.dtype, np.floating)
    return tf.constant(array, keras.config.floatx() if floats else None)

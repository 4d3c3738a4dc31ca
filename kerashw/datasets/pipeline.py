"""Examples, drawn in batches by the TensorFlow graph that trains on them.

The images stay uint8, a quarter of their size as floats; a batch is gathered and scaled inside the
graph, so that a whole epoch needs no Python and no copy of the data.

`Batches`, `ArrayBatches` and `DatasetBatches` are alike to who trains on them: `order` begins an
epoch, `rows` gives the rows of one whole batch, `rest` those that are left after the last, `load`
turns rows, or a part of them, into what a model takes, and `sample` is one example of that.
"""

import contextlib
import numbers

import keras
import numpy as np
import tensorflow as tf

from kerashw.errors import InputError


class _InMemory:
    """Examples of which any can be had at any time: what `Batches` and `ArrayBatches` share."""

    ahead = True  # A batch can be drawn before its turn.

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
    def whole_steps(self):
        """The number of batches that are of the full size: all but, perhaps, the last."""
        return len(self) // self.batch_size

    @property
    def sizes(self):
        """The sizes that batches have: set of one or two integers."""
        return {self.batch_size, len(self) % self.batch_size} - {0}

    @property
    def order_spec(self):
        """What `order` returns, for those who trace a graph of it."""
        return tf.TensorSpec((len(self),), tf.int32)

    def order(self, epoch):
        """Return the examples' order in an epoch: int32 tensor (N,)."""
        indices = np.arange(len(self), dtype=np.int32)
        if self.seed is not None:
            np.random.default_rng((self.seed, epoch)).shuffle(indices)
        return tf.constant(indices)

    def rows(self, order, step):
        """Return the places of one whole batch's examples: int32 tensor (batch size,).

        Its shape is known when the graph is made, so that what only depends on it costs nothing.
        """
        return tf.slice(order, [step * self.batch_size], [self.batch_size])

    def rest(self, order):
        """Return the places of the last batch's examples where it is not a whole one."""
        return order[self.whole_steps * self.batch_size :]

    def sample(self):
        """Return a batch of one example."""
        return self.load(tf.range(1))

    def read(self):
        """Return a context manager to read batches in."""
        return contextlib.nullcontext()


class Batches(_InMemory):
    """Labelled images in memory, in batches whose order depends on the seed and the epoch alone.

    Args:
        images: Array (N, height, width) or (N, height, width, channels); uint8 pixels are scaled
            to [0, 1], floats are taken as they are.
        labels: Integer array (N,).
        batch_size: Positive integer, at most N or taken for it; the last batch of an epoch holds
            what is left.
        seed: Non-negative integer to shuffle anew in every epoch, or `None` to keep the order.

    Raises:
        InputError: If the arguments are not as above.

    Example:
        >>> import numpy as np
        >>> batches = Batches(np.full((5, 28, 28), 255, "uint8"), np.arange(5), batch_size=2)
        >>> batches.steps
        3
        >>> images, labels = batches.draw(batches.order(epoch=0), step=2)
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

    def draw(self, order, step):
        """Return one batch of an epoch.

        Args:
            order: int32 tensor (N,), from `order`.
            step: Integer in [0, steps).

        Returns:
            Pair of images, floats (B, height, width, channels), and labels (B,).
        """
        return self.load(self.rows(order, step) if step < self.whole_steps else self.rest(order))

    def load(self, rows):
        """Return the images and the labels in these places."""
        images = tf.gather(self._images, rows)
        if images.dtype == tf.uint8:
            images = tf.cast(images, tf.float32) / 255
        return images, tf.gather(self._labels, rows)


class ArrayBatches(_InMemory):
    """Examples of any model, as `Model.fit` takes arrays, in batches inside the graph.

    Args:
        arrays: Tuple (x, y) or (x, y, sample_weight) of arrays (N, …), or dicts or lists of such;
            floats become Keras' float type.
        batch_size: Positive integer, at most N or taken for it; the last batch of an epoch holds
            what is left.
        seed: Non-negative integer to shuffle anew in every epoch, or `None` to keep the order.

    Raises:
        InputError: If the arrays do not have equally many examples, or none.

    Example:
        >>> import numpy as np
        >>> batches = ArrayBatches((np.arange(5.0), np.arange(5)), batch_size=2)
        >>> x, y = batches.load(batches.rows(batches.order(epoch=0), step=1))
        >>> x.numpy().tolist(), y.numpy().tolist()
        ([2.0, 3.0], [2, 3])
    """

    def __init__(self, arrays, batch_size, seed=None):
        self._arrays = keras.tree.map_structure(_as_tensor, tuple(arrays))
        lengths = {len(array) for array in keras.tree.flatten(self._arrays)}
        if len(lengths) != 1 or 0 in lengths:
            raise InputError(
                "all arrays must have equally many examples, at least one. "
                f"Received: {', '.join(map(str, sorted(lengths)))}"
            )
        super().__init__(lengths.pop(), batch_size, seed)

    def load(self, rows):
        """Return the examples in these places, in the arrays' own structure."""
        return keras.tree.map_structure(lambda array: tf.gather(array, rows), self._arrays)


class DatasetBatches:
    """The batches of a `tf.data.Dataset`, as `Model.fit` takes one.

    Args:
        dataset: `tf.data.Dataset` of batches: tuples (x, y) or (x, y, sample_weight). Where its
            length is not known, it is counted, which costs one pass.

    Raises:
        InputError: If the dataset has no end, or no batch.

    Example:
        >>> import tensorflow as tf
        >>> batches = DatasetBatches(tf.data.Dataset.range(5).batch(2))
        >>> batches.steps
        3
        >>> batches.load(batches.rows(batches.order(epoch=0), step=0)).numpy().tolist()
        [0, 1]
    """

    ahead = False  # It may itself work ahead; what it is asked for is gone.

    def __init__(self, dataset):
        self._dataset = dataset
        steps = int(dataset.cardinality())
        if steps == tf.data.UNKNOWN_CARDINALITY:
            steps = int(dataset.reduce(np.int64(0), lambda count, *batch: count + 1))
        if steps < 1:
            raise InputError(
                "the dataset must have an end, and a batch before it. Received: one "
                f"{'without a batch' if steps == 0 else 'without an end: call its take(…)'}"
            )
        self.steps = self.whole_steps = steps

    @property
    def sizes(self):
        """The size that batches have, a set of one; `None` in it where that is not known."""
        shape = tf.nest.flatten(self._dataset.element_spec)[0].shape
        return {shape[0] if shape.rank else None}

    @property
    def order_spec(self):
        """What `order` returns; an iterator made to find out would be an epoch to the dataset."""
        return tf.data.IteratorSpec(self._dataset.element_spec)

    def order(self, epoch):
        """Begin to iterate anew; the dataset itself decides the order."""
        return iter(self._dataset)

    def sample(self):
        """Return a batch of zeros of the dataset's shapes, 1 where they are not known."""
        return tf.nest.map_structure(
            lambda spec: tf.zeros([size or 1 for size in spec.shape], spec.dtype),
            self._dataset.element_spec,
        )

    @contextlib.contextmanager
    def read(self):
        """Turn what TensorFlow says at a dataset's early end into one clear error."""
        try:
            yield
        except tf.errors.OutOfRangeError as error:
            raise InputError(
                f"the dataset must have as many batches in every epoch as at first, {self.steps}. "
                "Received: fewer"
            ) from error

    def rows(self, order, step):
        """Return the next batch."""
        return order.get_next()

    def load(self, rows):
        """Return the rows as they are."""
        return rows


def as_batches(data, batch_size=32, seed=None):
    """Return data of any kind that `Model.fit` takes, or `Batches`, as batches inside the graph.

    Args:
        data: `Batches`, a tuple (x, y) or (x, y, sample_weight) of arrays, or a batched
            `tf.data.Dataset` of such.
        batch_size: Positive integer, for arrays.
        seed: As in `ArrayBatches`, for arrays.

    Returns:
        `Batches`, `ArrayBatches` or `DatasetBatches`.

    Raises:
        InputError: If it is none of these.
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


def _as_tensor(array):
    array = np.asarray(array)
    floats = np.issubdtype(array.dtype, np.floating)
    return tf.constant(array, keras.config.floatx() if floats else None)

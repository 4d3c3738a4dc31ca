"""Batches of a `tf.data.Dataset`, with the interface of the batches in memory."""

import contextlib

import numpy as np
import tensorflow as tf

from kerashw.errors import InputError


class DatasetBatches:
    """Batches of a `tf.data.Dataset`, as `Model.fit` accepts one.

    The interface is that of `kerashw.datasets.pipeline.ArrayBatches`. The order of an epoch is an
    iterator, and the rows of a batch are the batch itself.

    Args:
        dataset: `tf.data.Dataset` of batches: tuples (x, y) or (x, y, sample_weight). If its
            length is unknown, the batches are counted, which costs one pass over the data.

    Raises:
        InputError: If the dataset is infinite or empty.

    Example:
        >>> import tensorflow as tf
        >>> batches = DatasetBatches(tf.data.Dataset.range(5).batch(2))
        >>> batches.steps
        3
        >>> batches.load(batches.rows(batches.order(epoch=0), step=0)).numpy().tolist()
        [0, 1]
    """

    prefetchable = False  # The dataset may prefetch. A batch that the iterator returned is gone.

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
        self.steps = self.full_steps = steps

    @property
    def batch_sizes(self):
        """The size of the batches, as a set of one; `None` stands for an unknown size."""
        shape = tf.nest.flatten(self._dataset.element_spec)[0].shape
        return {shape[0] if shape.rank else None}

    @property
    def order_spec(self):
        """The type of what `order` returns, as `tf.data.IteratorSpec`."""
        # It is not read from an iterator, because a new iterator starts an epoch of the dataset.
        return tf.data.IteratorSpec(self._dataset.element_spec)

    def order(self, epoch):
        """Return a new iterator. The dataset itself determines the order."""
        return iter(self._dataset)

    def rows(self, order, step):
        """Return the next batch."""
        return order.get_next()

    def load(self, rows):
        """Return the rows unchanged."""
        return rows

    def example_batch(self):
        """Return a batch of zeros with the dataset's shapes, 1 for each unknown size."""
        return tf.nest.map_structure(
            lambda spec: tf.zeros([size or 1 for size in spec.shape], spec.dtype),
            self._dataset.element_spec,
        )

    @contextlib.contextmanager
    def early_end_as_error(self):
        """Raise an `InputError` in the block if the dataset has too few batches in an epoch."""
        try:
            yield
        except tf.errors.OutOfRangeError as error:
            raise InputError(
                f"the dataset must have as many batches in every epoch as at first, {self.steps}. "
                "Received: fewer"
            ) from error

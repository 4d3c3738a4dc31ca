"""Batches of a `tf.data.Dataset`, with the interface of the batches in memory."""

import tensorflow as tf


class DatasetBatches:
    """Batches of a `tf.data.Dataset`, as `Model.fit` accepts one.

    The order of an epoch is an iterator, and the rows of a batch are the batch itself. An epoch
    ends where the dataset ends, so each epoch may have another number of batches.

    Args:
        dataset: `tf.data.Dataset` of batches: tuples (x, y) or (x, y, sample_weight).
        source: Object with the number of batches, `num_batches`, and methods `on_epoch_begin` and
            `on_epoch_end`, which are called for each epoch: Keras' adapter of data that Python
            reads. `None` for a dataset alone.

    Example:
        >>> import tensorflow as tf
        >>> batches = DatasetBatches(tf.data.Dataset.range(5).batch(2))
        >>> batches.steps
        3
        >>> first = batches.next_batch(batches.order(epoch=0))
        >>> first.get_value().numpy().tolist()
        [0, 1]
    """

    arrays = array_specs = ()
    prefetchable = False  # The dataset may prefetch. A batch that the iterator returned is gone.

    def __init__(self, dataset, source=None):
        self._dataset, self.source = dataset, source
        steps = int(dataset.cardinality())
        # As in Keras, `None` stands for an unknown number, or for no end.
        self.steps = steps if steps >= 0 else getattr(source, "num_batches", None)

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

    @property
    def batch_spec(self):
        """The type of what `next_batch` returns, as `tf.OptionalSpec`."""
        return tf.OptionalSpec(self._dataset.element_spec)

    def order(self, epoch):
        """Return a new iterator. The dataset itself determines the order."""
        return iter(self._dataset)

    def next_batch(self, order):
        """Return the next batch as `tf.experimental.Optional`, without a value at the end."""
        return order.get_next_as_optional()

    def signature(self, with_last_size=False):
        """Return what data have in common that one graph serves, as `ArrayBatches` do."""
        return type(self), repr(self._dataset.element_spec)

    @staticmethod
    def gather(arrays, rows):
        """Return the rows, which are the batch, unchanged."""
        return rows

    def example_batch(self):
        """Return a batch of zeros with the dataset's shapes, 1 for each unknown size."""
        return tf.nest.map_structure(
            lambda spec: tf.zeros([size or 1 for size in spec.shape], spec.dtype),
            self._dataset.element_spec,
        )

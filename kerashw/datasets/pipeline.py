"""Examples in memory, drawn in batches by the TensorFlow graph that trains on them.

The images stay uint8, a quarter of their size as floats; a batch is gathered and scaled inside the
graph, so that a whole epoch needs no Python and no copy of the data.
"""

import numpy as np
import tensorflow as tf

from kerashw.errors import InputError


class Batches:
    """Labelled images in memory, in batches whose order depends on the seed and the epoch alone.

    Args:
        images: Array (N, height, width) or (N, height, width, channels); uint8 pixels are scaled
            to [0, 1], floats are taken as they are.
        labels: Integer array (N,).
        batch_size: Positive integer; the last batch of an epoch holds what is left.
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
        if not isinstance(batch_size, int) or batch_size < 1:
            raise InputError(f"batch_size must be at least 1. Received: batch_size={batch_size!r}")
        if images.ndim == 3:
            images = images[..., np.newaxis]
        self.batch_size = batch_size
        self.seed = seed
        self._images = tf.constant(images)
        self._labels = tf.constant(labels)

    def __len__(self):
        """Return the number of examples."""
        return len(self._images)

    @property
    def steps(self):
        """The number of batches in an epoch."""
        return -(-len(self) // self.batch_size)

    def order(self, epoch):
        """Return the examples' order in an epoch: int32 tensor (N,)."""
        indices = np.arange(len(self), dtype=np.int32)
        if self.seed is not None:
            np.random.default_rng((self.seed, epoch)).shuffle(indices)
        return tf.constant(indices)

    def draw(self, order, step):
        """Return one batch of an epoch.

        Args:
            order: int32 tensor (N,), from `order`.
            step: Integer or scalar tensor in [0, steps).

        Returns:
            Pair of images, floats (B, height, width, channels), and labels (B,).
        """
        indices = order[step * self.batch_size : (step + 1) * self.batch_size]
        images = tf.gather(self._images, indices)
        if images.dtype == tf.uint8:
            images = tf.cast(images, tf.float32) / 255
        return images, tf.gather(self._labels, indices)

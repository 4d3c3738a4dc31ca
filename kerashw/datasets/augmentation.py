"""Batches for training whose images are changed at random, or whose classes are weighted.

The changes are those of Keras' own layers. The random numbers of an example depend only on the
seed, the epoch and the example: not on its batch, the number of replicas, or whether the data set
is in memory. So a training that resumes sees the same images as one without an interruption.
"""

import keras
import numpy as np
import tensorflow as tf

from kerashw.datasets.pipeline import Batches
from kerashw.errors import InputError
from kerashw.keras_private import draws_of_examples

# The name of a change → the layer that makes it.
LAYERS = {
    "flip": lambda: keras.layers.RandomFlip("horizontal", dtype="float32"),
    "shift": lambda: keras.layers.RandomTranslation(0.1, 0.1, dtype="float32"),
    "rotate": lambda: keras.layers.RandomRotation(15 / 360, dtype="float32"),
    "zoom": lambda: keras.layers.RandomZoom(0.1, dtype="float32"),
    "contrast": lambda: keras.layers.RandomContrast(0.2, value_range=(0, 1), dtype="float32"),
}
DRAWS = 2  # random numbers for each change of an example, the most that a layer uses


class TrainingBatches(Batches):
    """Batches of labelled images, augmented and weighted.

    Args:
        batches: `Batches` of images (N, height, width, channels).
        augment: Sequence of keys of `LAYERS`, the changes in their order: "flip" left to right;
            "shift" by up to 10 % of the height and the width; "rotate" by up to 15°; "zoom" by up
            to 10 %; "contrast" by up to 20 %. What is outside of an image is its reflection.
        class_weights: Float array (classes,), the weights of the examples of each class in the
            loss, as of `balanced_weights`; `None` for no weights.

    Raises:
        InputError: If a name is not as above.

    Example:
        >>> images, labels = np.zeros((3, 28, 28), "uint8"), np.array([0, 0, 1])
        >>> batches = Batches(images, labels, 3)
        >>> batches = TrainingBatches(batches, ["flip"], balanced_weights(labels))
        >>> images, labels, weights = batches.example_batch()
        >>> images.shape, weights.numpy().tolist()
        (TensorShape([1, 28, 28, 1]), [0.75])
    """

    def __init__(self, batches, augment=(), class_weights=None):
        if any(name not in LAYERS for name in augment):
            raise InputError(
                f"augment must be of {', '.join(LAYERS)}. Received: augment={list(augment)!r}"
            )
        # Not `super().__init__`: everything but the content of a batch is that of `batches`.
        vars(self).update(vars(batches))
        self._batches, self._epoch = batches, 0
        self._layers = [LAYERS[name]() for name in augment]
        self._weights = class_weights
        self.arrays = (*batches.arrays, tf.zeros((1, DRAWS * len(self._layers))))

    def signature(self, with_last_size=False):
        """Return what data have in common that one graph serves: here, nothing with others."""
        return *super().signature(with_last_size), id(self)

    def order(self, epoch):
        """Return the order of the examples in an epoch, and remember the epoch."""
        self._epoch = epoch
        return self._batches.order(epoch)

    def pieces(self, order):
        """Yield the parts of an epoch that are in memory at a time, with random numbers."""
        for piece in self._batches.pieces(order):
            if piece.order is order:
                examples = np.arange(len(self))
            else:  # the rows of a piece from disk are in the order of the epoch
                size = self.batch_size
                examples = order.numpy()[piece.start * size : piece.stop * size]
            draws = uniform(self.seed, self._epoch, examples, DRAWS * len(self._layers))
            yield piece._replace(arrays=(*piece.arrays, tf.constant(draws)))

    def gather(self, arrays, rows):
        """Return the images, the labels and, with class weights, the weights in these rows."""
        *arrays, draws = arrays
        images, labels = self._batches.gather(arrays, rows)
        if self._layers:
            draws = tf.gather(draws, rows)
        for number, layer in enumerate(self._layers):
            with draws_of_examples(layer, draws[:, DRAWS * number : DRAWS * (number + 1)]):
                images = tf.ensure_shape(layer(images, training=True), images.shape)
        if self._weights is None:
            return images, labels
        return images, labels, tf.gather(self._weights, labels)


def balanced_weights(labels):
    """Return weights N / (C Nᶜ), with which all C classes have the same weight in the loss.

    Args:
        labels: Integer array (N,), of which Nᶜ are of class c.

    Returns:
        float32 array (classes,); 0 for a class without examples.

    Example:
        >>> balanced_weights(np.array([0, 0, 1])).tolist()
        [0.75, 1.5]
    """
    counts = np.bincount(labels)
    with np.errstate(divide="ignore"):
        weights = len(labels) / (np.count_nonzero(counts) * counts)
    return np.where(counts, weights, 0).astype("float32")


def uniform(seed, epoch, examples, count):
    """Return random numbers that depend only on the seed, the epoch and the example.

    Args:
        seed: Non-negative integer.
        epoch: Non-negative integer.
        examples: Integer array (N,), the numbers of the examples.
        count: Integer, the random numbers of an example.

    Returns:
        float32 array (N, count) in [0, 1).

    Example:
        >>> both = uniform(0, 1, np.array([5, 7]), 3)
        >>> (both[1] == uniform(0, 1, np.array([7]), 3)[0]).all()
        np.True_

    Reference:
        SplitMix64, from G. L. Steele, D. Lea, C. H. Flood, *Fast splittable pseudorandom number
        generators*, OOPSLA 2014.
    """
    key = np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)
    number = np.asarray(examples, np.uint64)[:, np.newaxis] * np.uint64(max(count, 1))
    number = key + (number + np.arange(count, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    number = number ^ (number >> np.uint64(31))
    return (number >> np.uint64(40)).astype("float32") / np.float32(2**24)

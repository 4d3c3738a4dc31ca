"""Accuracy that is computed from logits, without the softmax."""

import keras
import numpy as np

from kerashw.errors import InputError
from kerashw.keras_private import logits_behind


@keras.saving.register_keras_serializable(package="kerashw")
class Accuracy(keras.metrics.SparseCategoricalAccuracy):
    """The share of examples whose label has the largest probability.

    The class with the largest probability also has the largest logit. So the metric reads the
    logits behind a softmax, as Keras' cross-entropy does. In training, nothing else needs the
    probabilities, and TensorFlow then removes the softmax from the graph. This saves time on CPUs:
    oneDNN splits the softmax of even a small batch among threads, which then wait for one another.

    Args:
        name: String.
        dtype: The dtype of the metric's variables, as in every Keras metric.

    Raises:
        InputError: When the metric is updated, if the labels are one-hot, or if there are fewer
            than two classes. `keras.metrics.BinaryAccuracy` and
            `CategoricalAccuracy` are for those cases.

    Example:
        >>> accuracy = Accuracy()
        >>> accuracy.update_state([1, 0], [[0.3, 0.7], [0.4, 0.6]])
        >>> float(accuracy.result())
        0.5
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch: labels (N,), probabilities (N, classes), and optional weights (N,)."""
        logits = logits_behind(y_pred)
        label_shape, output_shape = _shape(y_true), _shape(logits)
        is_one_hot = (
            label_shape == output_shape and len(output_shape) > 1 and output_shape[-1] is not None
        )
        if is_one_hot or output_shape[-1:] == (1,):
            raise InputError(
                "kerashw.metrics.Accuracy needs integer labels (N,) and at least two classes. "
                f"Received: labels {label_shape}, outputs {output_shape}"
            )
        return super().update_state(y_true, logits, sample_weight)


def _shape(array):
    """Return the static shape of a tensor, an array or nested lists."""
    return tuple(array.shape if hasattr(array, "shape") else np.shape(array))

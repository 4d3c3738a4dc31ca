"""Accuracy without computing the probabilities it is not interested in."""

import keras
import numpy as np

from kerashw.errors import InputError
from kerashw.keras_private import logits_behind


@keras.saving.register_keras_serializable(package="kerashw")
class Accuracy(keras.metrics.SparseCategoricalAccuracy):
    """The share of examples whose label has the largest probability.

    The largest logit has it; so this reads the logits behind a softmax, as Keras' cross-entropy
    does. Where nothing else needs the probabilities, in training, TensorFlow leaves the softmax
    out. oneDNN's splits even a small batch among the threads, and they wait for one another.

    Args:
        name: String.
        dtype: As in every Keras metric.

    Raises:
        InputError: When it is updated, if the labels are not integers (N,) or (N, 1), or there are
            not two classes at least; `keras.metrics.BinaryAccuracy` and `CategoricalAccuracy` are
            for these.

    Example:
        >>> accuracy = Accuracy()
        >>> accuracy.update_state([1, 0], [[0.3, 0.7], [0.4, 0.6]])
        >>> float(accuracy.result())
        0.5
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch: labels (N,), probabilities (N, classes), weights (N,) if there are any."""
        logits = logits_behind(y_pred)
        given, found = _shape(y_true), _shape(logits)
        alike = given == found and len(found) > 1 and found[-1] is not None
        if alike or found[-1:] == (1,):
            raise InputError(
                "kerashw.metrics.Accuracy needs labels (N,), integers, and at least two classes. "
                f"Received: labels {given}, outputs {found}"
            )
        return super().update_state(y_true, logits, sample_weight)


def _shape(array):
    """Return a shape as far as it is known, also of lists."""
    return tuple(array.shape if hasattr(array, "shape") else np.shape(array))

"""Accuracy without computing the probabilities it is not interested in."""

import keras


@keras.saving.register_keras_serializable(package="kerashw")
class Accuracy(keras.metrics.SparseCategoricalAccuracy):
    """The share of examples whose label has the largest probability.

    The largest logit has it; so this reads the logits behind a softmax, as Keras' cross-entropy
    does. Where nothing else needs the probabilities, in training, TensorFlow leaves the softmax
    out. oneDNN's splits even a small batch among the threads, and they wait for one another.

    Args:
        name: String.
        dtype: As in every Keras metric.

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
        logits = getattr(y_pred, "_keras_logits", y_pred)
        return super().update_state(y_true, logits, sample_weight)

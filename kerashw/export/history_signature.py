"""The signature that tells how a model was trained."""

import numpy as np
import tensorflow as tf

from kerashw.histories import evaluated_on


def history_function(epochs, current_epoch):
    """Build the function of the signature `history`.

    Args:
        epochs: List of dictionaries, the epochs as in `history.json`.
        current_epoch: int32 `tf.Variable`, the epoch of the exported model.

    Returns:
        Function from numbers of epochs, int32 (N,), to a dictionary of tensors (N,):
        `train_loss`, and `test_loss` and `test_accuracy`, or `validation_loss` and
        `validation_accuracy`, as the epochs have, float32, -1 where an epoch has none, because JSON
        has no NaN; `epochs`, the number of epochs, and `current_epoch`, int32.

    Example:
        >>> epochs = [{"epoch": 1, "train_loss": 0.5, "test_loss": 0.4, "test_accuracy": 0.75}]
        >>> answer = history_function(epochs, tf.Variable(1))(tf.constant([0, 1, 2]))
        >>> answer["test_accuracy"].numpy().tolist(), answer["epochs"].numpy().tolist()
        ([-1.0, 0.75, -1.0], [1, 1, 1])
    """
    count = epochs[-1]["epoch"]
    examples = evaluated_on({"epochs": epochs})
    measures = ("train_loss", f"{examples}_loss", f"{examples}_accuracy")
    # The last row is that of all epochs without measures.
    table = np.full((count + 2, len(measures)), -1, np.float32)
    for entry in epochs:
        table[entry["epoch"]] = [entry[measure] for measure in measures]
    table[~np.isfinite(table)] = -1

    def history(epoch):
        row = tf.where((epoch >= 0) & (epoch <= count), epoch, count + 1)
        rows = tf.gather(table, row)
        numbers = {"epochs": count, "current_epoch": current_epoch}
        return dict(zip(measures, tf.unstack(rows, axis=1), strict=True)) | {
            name: tf.fill(tf.shape(epoch), number) for name, number in numbers.items()
        }

    return history

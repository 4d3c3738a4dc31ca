"""How many steps run in one call, so that each callback runs at every batch that it looks at."""

import itertools
import math

import keras

from kerashw import keras_private

STEPS_PER_CALL = 32


def choose_steps_per_call(model, callbacks, steps=None, lengths=()):
    """Return the number of steps in one call of the model's fused steps.

    It is the value that the model was compiled with if that is not 1. Else it is the greatest
    number up to 32 that divides the interval of every callback that looks at batches.

    Args:
        model: Compiled `keras.Model`.
        callbacks: List of `keras.callbacks.Callback`, or `None`.
        steps: Integer, the number of steps in an epoch; `None` if it is not known.
        lengths: Integers that the number must divide too, such as `steps_per_epoch`.

    Returns:
        Positive integer.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> choose_steps_per_call(model, [keras.callbacks.EarlyStopping()])
        32
        >>> callback = keras.callbacks.ModelCheckpoint("m.keras", save_freq=20)
        >>> choose_steps_per_call(model, [callback], steps=100)
        20
    """
    if model.steps_per_execution != 1:
        return model.steps_per_execution
    intervals = [_interval(each, steps) for each in keras.tree.flatten(callbacks or [])]
    common = math.gcd(*lengths, *intervals)  # 0 if there are none
    return max(n for n in range(1, STEPS_PER_CALL + 1) if common % n == 0)


def _interval(callback, steps):
    """Return every how many batches a callback must run; 0 if it looks at epochs alone."""
    interval = getattr(callback, "batch_interval", None)
    if interval is not None:
        return interval
    kind = type(callback)
    if kind in (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore):
        # They count on from one epoch to the next.
        is_by_epoch = callback.save_freq == "epoch"
        return 0 if is_by_epoch else math.gcd(int(callback.save_freq), steps or 1)
    if kind is keras.callbacks.TensorBoard:
        # It counts its calls, not the batches.
        return 0 if keras_private.looks_at_epochs_alone(callback) else 1
    if kind is keras.callbacks.ProgbarLogger:
        return 0
    hooks = itertools.product(("", "train_", "test_"), ("begin", "end"))
    names = (f"on_{kind}batch_{end}" for kind, end in hooks)
    return int(any(keras_private.is_overridden(getattr(callback, name)) for name in names))

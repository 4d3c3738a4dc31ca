"""Keras' own optimizers in fused steps: Adam in one kernel, and a warning about repeated rows."""

import contextlib
import logging
import weakref

import keras
import tensorflow as tf

from kerashw import keras_private, optimizers

log = logging.getLogger(__name__)
_warned = weakref.WeakSet()  # optimizers
# Their updates are right with several slices of a row, unless they clip.
RIGHT_WITH_SLICES = ("Lion", "SGD")


def optimizers_of(model):
    """Return the optimizer that a model was compiled with, and those of its own attributes."""
    found = [model.optimizer, *vars(model).values()]
    found = {id(one): one for one in found if isinstance(one, keras.optimizers.Optimizer)}
    return list(found.values())


@contextlib.contextmanager
def faster_updates(model):
    """Let Keras' Adam and AdamW update large variables in one kernel, while steps are traced.

    The result equals Keras' to rounding. A warning names optimizers of Keras that do not add the
    gradients of a repeated row.

    Args:
        model: Compiled `keras.Model`.
    """
    replaced = []
    for found in optimizers_of(model):
        optimizer = getattr(found, "inner_optimizer", found)  # of a LossScaleOptimizer
        if type(optimizer) in (keras.optimizers.Adam, keras.optimizers.AdamW):
            replaced.append((optimizer, "update_step", _fused_update_step(optimizer)))
        if _is_wrong_with_slices(optimizer):
            replaced.append((optimizer, "apply", _warning_apply(optimizer)))
    with keras_private.replaced(replaced):
        yield


def _fused_update_step(optimizer):
    update_step = optimizer.update_step

    def fused(gradient, variable, learning_rate):
        if isinstance(gradient, tf.IndexedSlices) or not optimizers.fused_adam_step(
            optimizer, gradient, variable, learning_rate
        ):
            update_step(gradient, variable, learning_rate)

    return fused


def _is_wrong_with_slices(optimizer):
    name = type(optimizer).__name__
    if type(optimizer) is not getattr(keras.optimizers, name, None):
        return False
    # Accumulation adds all gradients first.
    clips = optimizer.clipnorm or optimizer.global_clipnorm or optimizer.clipvalue
    return (
        bool(clips or name not in RIGHT_WITH_SLICES) and not optimizer.gradient_accumulation_steps
    )


def _warning_apply(optimizer):
    apply = optimizer.apply

    def apply_with_warning(grads, trainable_variables=None):
        if any(isinstance(gradient, tf.IndexedSlices) for gradient in grads):
            name = type(optimizer).__name__
            if optimizer not in _warned:
                _warned.add(optimizer)
                log.warning(
                    "Warning: on TensorFlow, keras.optimizers.%s does not add the gradients of a "
                    "row that occurs several times in a batch, as words do in an Embedding. The "
                    "training is that of Model.fit. To add them, compile the model with "
                    "kerashw.optimizers.%s",
                    name,
                    name,
                )
        return apply(grads, trainable_variables)

    return apply_with_warning

"""The private names of Keras that this package uses, each behind one function.

Keras has no public equivalent of them. If a new release of Keras removes one, the tests of this
module fail with its name.
"""

import contextlib


def initial_epoch(model):
    """Return the epoch from which `BackupAndRestore` resumes the training, or `None`."""
    return model._initial_epoch


def flatten_layers(layer):
    """Return the list of a layer and all layers inside it, at any depth."""
    return layer._flatten_layers()


def call_has_training_argument(layer):
    """Return whether a layer's `call` has the argument `training`."""
    return layer._call_has_training_arg


def compiled_loss_and_metrics(model):
    """Return the objects that compute a compiled model's loss and metrics; either may be `None`."""
    return model._compile_loss, model._compile_metrics


def logits_behind(outputs):
    """Return the logits that Keras attaches to the outputs of a softmax, or else the outputs."""
    return getattr(outputs, "_keras_logits", outputs)


def slot_variable(optimizer, slots, variable):
    """Return an optimizer's state for one model variable.

    Args:
        optimizer: Built `keras.optimizers.Optimizer`.
        slots: String, the attribute that lists this kind of state, with one entry per variable.
        variable: `keras.Variable` or `tf.Variable` that the optimizer trains.
    """
    return getattr(optimizer, slots)[optimizer._get_variable_index(variable)]


@contextlib.contextmanager
def gradients_already_summed(optimizer):
    """Disable Keras' sum of the gradients over replicas while a step is traced.

    Use this when the gradients are already sums. Under a `tf.distribute` strategy, Keras otherwise
    clips the gradients of each replica and then sums them.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
    """
    optimizer._all_reduce_sum_gradients = list
    try:
        yield
    finally:
        del optimizer._all_reduce_sum_gradients

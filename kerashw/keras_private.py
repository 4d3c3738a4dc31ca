"""The private names of Keras that this package uses, each behind one function.

Keras has no public equivalent of them. If a new release of Keras removes one, the tests of this
module fail with its name.
"""

import contextlib

import keras
from keras.src.trainers import data_adapters
from keras.src.trainers.data_adapters import array_data_adapter, array_slicing
from keras.src.trainers.data_adapters.data_adapter import DataAdapter  # noqa: F401 - a base class


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


def make_step_function(model, step):
    """Return the compiled function from a batch iterator to logs that Keras makes of a step."""
    return model._make_function(step)


def build_symbolically(model, batch):
    """Build a model, its metrics and its optimizer for a batch, without running the model."""
    model._symbolic_build(data_batch=batch)


def array_inputs(x, y, sample_weight, class_weight, batch_size, steps):
    """Return the arrays that `Model.fit` would slice into batches, and the batch size.

    Returns:
        Pair of the packed structure of arrays, whose floats have the dtype of
        `keras.config.floatx()`, and an integer; `None` if the data are not arrays.

    Raises:
        ValueError: As `Model.fit`, if the arguments contradict each other.
    """
    if not array_data_adapter.can_convert_arrays((x, y, sample_weight)):
        return None
    adapter = array_data_adapter.ArrayDataAdapter(
        x, y, sample_weight, batch_size, steps, class_weight=class_weight
    )
    arrays = array_slicing.convert_to_sliceable(adapter._inputs, target_backend="tensorflow")
    return arrays, adapter._batch_size


def tf_dataset(x, y, sample_weight, class_weight, batch_size, steps):
    """Return any data that `Model.fit` accepts as a `tf.data.Dataset` of batches."""
    adapter = data_adapters.get_data_adapter(
        x, y, sample_weight, batch_size, steps, class_weight=class_weight
    )
    return adapter.get_tf_dataset()


def makes_its_own_functions(model):
    """Return whether a model's class overrides how Keras compiles its steps."""
    names = "make_train_function", "make_test_function"
    return any(getattr(type(model), name) is not getattr(keras.Model, name) for name in names)


def train_validation_split(arrays, validation_split):
    """Split (x, y, sample_weight) as `Model.fit` does."""
    return array_slicing.train_validation_split(arrays, validation_split)


def is_overridden(hook):
    """Return whether a method of a callback, such as `on_train_batch_end`, does anything."""
    return not getattr(hook, "_is_default", False)


def looks_at_epochs_alone(tensorboard):
    """Return whether a `keras.callbacks.TensorBoard` writes and traces nothing at batches."""
    return (
        tensorboard.update_freq == "epoch"
        and not tensorboard.write_steps_per_second
        and not tensorboard._should_trace
    )

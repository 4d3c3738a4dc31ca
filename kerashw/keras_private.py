"""The private names of Keras that this package uses, each behind one function.

Keras has no public equivalent of them. If a new release of Keras removes one, the tests of this
module fail with its name.
"""

import contextlib
import types

import keras
from keras.src.losses import loss as losses
from keras.src.optimizers.base_optimizer import BaseOptimizer
from keras.src.trainers import data_adapters
from keras.src.trainers.data_adapters import array_data_adapter, array_slicing
from keras.src.trainers.data_adapters.data_adapter import DataAdapter  # noqa: F401 - a base class

# Of Keras, as in (3, 15).
VERSION = tuple(int(number) for number in keras.__version__.split(".")[:2])


def initial_epoch(model):
    """Return the epoch from which `BackupAndRestore` resumes the training, or `None`."""
    return model._initial_epoch


def flatten_layers(layer):
    """Return the list of a layer and all layers inside it, at any depth."""
    return layer._flatten_layers()


def compiled_loss_and_metrics(model):
    """Return the objects that compute a compiled model's loss and metrics; either may be `None`."""
    return model._compile_loss, model._compile_metrics


def steps_done(optimizer):
    """Return the number of steps of an optimizer, an integer."""
    return int(getattr(optimizer, "inner_optimizer", optimizer)._iterations.value.numpy())


def loss_tracker(model):
    """Return the metric in which a compiled model's steps average the loss, or `None`."""
    return model._loss_tracker


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
def update_on_each_replica(optimizer, reduce_gradients):
    """Let an optimizer update each replica's variables where it runs, while a step is traced.

    Keras sums the gradients over replicas only after it has clipped and accumulated them, and it
    cannot accumulate gradients or average weights where replicas meet inside a condition. Here
    all replicas sum first, and each then computes the same update.

    Args:
        optimizer: Built `keras.optimizers.Optimizer`.
        reduce_gradients: Function from the list of a replica's gradients, with `None` for variables
            without one, to the list of their sums over all replicas.
    """
    apply_sums = optimizer.apply
    inner = getattr(optimizer, "inner_optimizer", None)  # of a LossScaleOptimizer
    updating = inner or optimizer
    iterations = updating._iterations.value

    def apply(grads, trainable_variables=None):
        apply_sums(reduce_gradients(grads), trainable_variables)

    def update(gradients, variables, learning_rate):
        for gradient, variable in zip(gradients, variables, strict=True):
            updating.update_step(gradient, getattr(variable, "value", variable), learning_rate)

    attributes = [
        (optimizer, "apply", apply),
        (updating, "_backend_update_step", update),
        # Each replica counts its own steps.
        (iterations, "_aggregation", type(iterations.aggregation).NONE),
    ]
    # What Keras overrides for TensorFlow, so that replicas meet in each of them.
    for name in (
        "_apply_weight_decay",
        "_backend_increment_gradient_accumulators",
        "_overwrite_model_variables_with_average_value",
    ):
        attributes.append(
            (updating, name, types.MethodType(getattr(BaseOptimizer, name), updating))
        )
    if inner:
        attributes.append((optimizer, "_tf_apply", optimizer._common_apply))
    with replaced(attributes):
        yield


@contextlib.contextmanager
def losses_of_parts(model, scale, global_share):
    """Let losses be those of a replica's part of a batch, while a step is traced.

    Keras divides every mean by the number of replicas. Here a mean is that of the part, and what is
    not a mean over the examples is divided by the part's share of the batch: n/nᵣ of a sum, for
    example.

    Args:
        model: `keras.Model`, whose layers may have activity regularizers.
        scale: Function without arguments that returns n/nᵣ for the replica that calls it.
        global_share: Function of a replica's scalar that returns its share of the sum over all
            replicas.
    """

    def reduce_values(values, sample_weight=None, reduction="sum_over_batch_size"):
        loss = reduce_part(values, sample_weight, reduction)
        if reduction == "sum":
            return loss * scale(loss.dtype)
        if reduction == "mean_with_sample_weight" and sample_weight is not None:
            return loss * scale(loss.dtype) * global_share(keras.ops.sum(sample_weight))
        return loss

    def apply_mask(sample_weight, mask, dtype, reduction):
        weight = mask_part(sample_weight, mask, dtype, reduction)
        if mask is None or reduction not in ("mean", "sum_over_batch_size"):
            return weight
        # Keras divides by the number of valid entries.
        return weight * scale(dtype) * global_share(keras.ops.sum(keras.ops.cast(mask, dtype)))

    def sum_of_activity(regularizer):
        def regularize(output):
            loss = regularizer(output)
            return loss * scale(loss.dtype)

        return regularize

    reduce_part, mask_part = losses.reduce_values, losses.apply_mask
    functions = {
        "reduce_values": reduce_values,
        "apply_mask": apply_mask,
        "scale_loss_for_distribution": lambda value: value,
        "unscale_loss_for_distribution": lambda value: value,
    }
    attributes = [(losses, name, function) for name, function in functions.items()]
    # Later versions divide the loss of an activity regularizer by the size of the batch.
    layers = flatten_layers(model) if VERSION < (3, 14) else []
    attributes += [
        (layer, "activity_regularizer", sum_of_activity(layer.activity_regularizer))
        for layer in layers
        if layer.activity_regularizer
    ]
    with replaced(attributes):
        yield


@contextlib.contextmanager
def output_losses_by_batch(model, weight=lambda: None):
    """Let every batch count once in the losses of single outputs, while a step is traced.

    Keras weights a batch by its size only if TensorFlow knows the size, which it does not in
    `Model.fit`.

    Args:
        model: Compiled `keras.Model`, whose loss is built if it has several outputs.
        weight: Function without arguments that returns the weight of a step.
    """

    def update_by_batch(update):
        return lambda value, sample_weight=None: update(value, sample_weight=weight())

    trackers = model._compile_loss.metrics if model._compile_loss else []
    with replaced([(one, "update_state", update_by_batch(one.update_state)) for one in trackers]):
        yield


@contextlib.contextmanager
def replaced(attributes):
    """Replace attributes inside the block, given as (object, name, value)."""
    before = [(target, name, vars(target).get(name)) for target, name, _ in attributes]
    for target, name, value in attributes:
        setattr(target, name, value)
    try:
        yield
    finally:
        for target, name, value in before:
            if value is None:
                delattr(target, name)
            else:
                setattr(target, name, value)


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


def data_adapter(x, y, sample_weight, class_weight, batch_size, steps):
    """Return Keras' adapter of any data that `Model.fit` accepts.

    Its `get_tf_dataset()` returns a `tf.data.Dataset` of batches, and its `on_epoch_begin()` and
    `on_epoch_end()` must be called.
    """
    return data_adapters.get_data_adapter(
        x, y, sample_weight, batch_size, steps, class_weight=class_weight
    )


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


def calls_in_graph(model):
    """Return the calls of layers and operations in a functional model, each before those after it.

    Returns:
        List of tuples: the layer or operation, its list of input tensors and its list of outputs.
    """
    nodes = model._nodes_by_depth
    return [
        (node.operation, node.input_tensors, node.output_tensors)
        for depth in sorted(nodes, reverse=True)
        for node in nodes[depth]
    ]


@contextlib.contextmanager
def draws_of_examples(layer, draws):
    """Let a layer that changes images at random use given numbers inside the block.

    Args:
        layer: One of Keras' layers for images, such as `keras.layers.RandomFlip`.
        draws: Tensor (N, k) in [0, 1). A column is the next number that each image draws.
    """
    columns = iter(keras.ops.unstack(draws, axis=1))

    def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        return minval + (maxval - minval) * keras.ops.reshape(next(columns), shape)

    class Backend:
        random = types.SimpleNamespace(uniform=uniform)

        def __getattr__(self, name):
            return getattr(backend, name)

    backend = layer.backend
    with replaced([(layer, "backend", Backend())]):
        yield

"""A model's training and test steps under a `tf.distribute` strategy, equal to those on one device.

Each replica runs the model's own step on its part of every global batch. The optimizer gets

    g = Σᵣ nᵣ/n · gᵣ        for n examples in the batch, nᵣ of them on replica r

where gᵣ is the gradient of the loss that the replica's part would have as a batch, including
regularization. A loss that a layer adds itself must be a mean over its examples. The weights nᵣ/n
sum to 1. Regularization therefore counts once, and a last batch has the right weight even if it
cannot be divided evenly. A replica whose part is empty, because the batch has fewer examples than
there are replicas, runs the step on one example with the weight 0, and then restores its metrics
and averages.

Keras' own steps divide by the number of replicas, whatever the size of each part, and clip
gradients before they sum them.
"""

import contextlib
import threading

import keras
import tensorflow as tf

from kerashw import keras_private
from kerashw.errors import InputError
from kerashw.fitting.optimizer_steps import optimizers_of
from kerashw.fitting.replica_variables import SEED_STATE
from kerashw.tensorflow_private import reserve_group_keys

# The part of the batch that the replica of this thread works on, while a step is traced.
_current = threading.local()


def is_distributed(model):
    """Return whether a model was built in the scope of a strategy."""
    with model.distribute_strategy.scope():
        return tf.distribute.has_strategy()


def prepare(model, batch, batch_sizes):
    """Check that a model's steps can run on several replicas, and build its loss and metrics.

    Call this before any other function that runs under the strategy.

    Args:
        model: Compiled `keras.Model`, built in the scope of a strategy.
        batch: Batch of any size, in the structure of the training data.
        batch_sizes: Set of the sizes that batches have, integers or `None` for an unknown size.

    Raises:
        InputError: If the model has a part that is not supported with several replicas.
    """
    if isinstance(model.distribute_strategy, tf.distribute.MirroredStrategy):
        reserve_group_keys(model.distribute_strategy)
    _check_synchronized_layers(model, batch_sizes)
    if unsupported := _unsupported_part(model):
        raise InputError(
            "a model under a distribution strategy cannot be trained or tested with "
            f"{unsupported}. Received: {model.name}"
        )
    with model.distribute_strategy.scope():
        _build(model, batch)


def _build(model, batch):
    """Create variables now: those that are created while a loop is traced would belong to it."""
    x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
    try:
        outputs = model(x)
    except NotImplementedError:  # A step of the model's own may not call the model.
        return
    for loss_or_metrics in keras_private.compiled_loss_and_metrics(model):
        if loss_or_metrics is not None and not loss_or_metrics.built:
            loss_or_metrics.build(y, outputs)


@contextlib.contextmanager
def tracing(model):
    """Let losses and optimizers work on parts of batches; steps must be traced in this block."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            keras_private.losses_of_parts(
                model,
                lambda dtype: tf.cast(_current.part.scale, dtype),
                lambda value: _current.part.global_share(value),
            )
        )
        stack.enter_context(
            keras_private.output_losses_by_batch(model, lambda: _current.part.weight)
        )
        for optimizer in optimizers_of(model):
            stack.enter_context(
                keras_private.update_on_each_replica(
                    optimizer, lambda gradients: _current.part.sum_gradients(gradients)
                )
            )
        yield


def make_step(model, run_step, load, returns_logs):
    """Return a function that runs one step on the rows of a global batch.

    Args:
        model: `keras.Model` that `prepare` was called for.
        run_step: Function of a batch that returns logs, such as `model.train_step`.
        load: Function that returns the batch for given rows.
        returns_logs: Boolean; whether the function returns the logs, as means over all parts.
    """

    def step(rows):
        part = _current.part = _Part(rows)
        variables = _variables_of_steps(model) if part.may_be_empty else []
        before = [tf.identity(variable) for variable in variables]
        logs = run_step(load(part.rows))
        for variable, value in zip(variables, before, strict=True):
            variable.assign(tf.where(part.is_empty, value, variable))
        return keras.tree.map_structure(part.mean, logs) if returns_logs and logs else None

    return lambda rows: model.distribute_strategy.run(step, (rows,))


def merge_logs(model, step_logs, metrics):
    """Return the logs of a step of the model's own.

    Args:
        model: `keras.Model`.
        step_logs: Dict that the function of `make_step` returned.
        metrics: Dict, the results of the model's metrics over all replicas.
    """
    results = model.distribute_strategy.experimental_local_results
    logs = keras.tree.map_structure(lambda value: results(value)[0], step_logs)
    # Keras nests the compiled metrics in one dictionary.
    nested = {name: log for name, log in logs.items() if isinstance(log, dict)}
    merged = logs | {
        name: log | {key: metrics[key] for key in log.keys() & metrics.keys()}
        for name, log in nested.items()
    }
    merged |= {name: metrics[name] for name in logs.keys() & metrics.keys()}
    tracker = keras_private.loss_tracker(model)
    if tracker and "loss" in merged:
        # The step may compute the loss without Keras' tracker.
        merged["loss"] = tf.where(tracker.count > 0, tracker.result(), logs["loss"])
    return merged


class _Part:
    """The part of a batch that one replica works on.

    Args:
        rows: The rows of the global batch, a structure of tensors (n, …).

    Attributes:
        rows: The rows of the part (nᵣ, …), but one row if the part is empty.
        may_be_empty: Boolean; whether `is_empty` may be true.
        is_empty: Boolean, or boolean tensor.
        weight: nᵣ/n, a scalar.
        scale: n/nᵣ, a scalar; 0 if the part is empty.
    """

    def __init__(self, rows):
        self._context = tf.distribute.get_replica_context()
        replicas = self._context.num_replicas_in_sync
        replica = self._context.replica_id_in_sync_group
        first = keras.tree.flatten(rows)[0]
        length = first.shape[0] or tf.shape(first)[0]
        start, stop = replica * length // replicas, (replica + 1) * length // replicas
        self.may_be_empty = first.shape[0] is None or first.shape[0] < replicas
        self.is_empty = tf.equal(start, stop)
        last = tf.maximum(stop, start + 1) if self.may_be_empty else stop
        self.rows = keras.tree.map_structure(lambda row: row[start:last], rows)
        self.weight = tf.cast(stop - start, tf.float64) / tf.cast(length, tf.float64)
        self.scale = tf.math.divide_no_nan(tf.ones((), tf.float64), self.weight)

    def mean(self, value):
        """Return the mean over the examples of all parts of a value that is one over a part's."""
        value = tf.convert_to_tensor(value)
        if not value.dtype.is_floating:
            value = tf.cast(value, tf.float32)
        return self._sum([self._weighted(value)])[0]

    def sum_gradients(self, gradients):
        """Return the gradients of the whole batch for those of this part."""
        dense = [tf.convert_to_tensor(each) for each in gradients if each is not None]
        summed = iter(self._sum([self._weighted(gradient) for gradient in dense]))
        return [None if each is None else next(summed) for each in gradients]

    def global_share(self, value):
        """Return the share of a scalar in its sum over all replicas."""
        value = tf.stop_gradient(tf.where(self.is_empty, tf.zeros_like(value), value))
        return tf.math.divide_no_nan(value, self._sum([value])[0])

    def _weighted(self, value):
        weight = tf.cast(self.weight, value.dtype)
        return tf.math.multiply_no_nan(value, weight) if self.may_be_empty else weight * value

    def _sum(self, values):
        return self._context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def _variables_of_steps(model):
    """Return the variables that a step changes beside the optimizer's, except for random seeds."""
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    variables = [*metrics, *model.non_trainable_variables]
    return [each.value for each in variables if each.name != SEED_STATE]


def _check_synchronized_layers(model, batch_sizes):
    replicas = model.distribute_strategy.num_replicas_in_sync
    layers = keras_private.flatten_layers(model)
    if not any(getattr(layer, "synchronized", False) for layer in layers):
        return
    if any(size is None or size < replicas for size in batch_sizes):
        raise InputError(
            "a synchronized layer needs batches of which every replica has a part: of known sizes, "
            f"none below {replicas}; a tf.data.Dataset has them by batch(…, drop_remainder=True). "
            f"Received: {', '.join(str(size or 'not known') for size in batch_sizes)}"
        )


def _unsupported_part(model):
    """Return a description of the part that several replicas do not support, or `None`."""
    for optimizer in optimizers_of(model):
        if optimizer is not model.optimizer and not optimizer.built:
            return "an optimizer that is not built. Call its build(variables) first"
    for loss in keras.tree.flatten(model.loss):
        if getattr(loss, "reduction", "mean") in (None, "none"):
            return "a loss with reduction=None"
    return None

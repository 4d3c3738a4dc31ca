"""Training and test steps under a `tf.distribute` strategy that equal the steps on one device.

Each replica computes the gradient of its part of the loss from its part of every global batch:

    L = Σᵣ nᵣ/n · Lᵣ        for n examples in the batch, nᵣ of them on replica r

Lᵣ is the loss that the replica's part would have as a batch, including regularization. A loss that
a layer adds must be a mean over its examples, like the losses of Keras' regularizers. The weights
nᵣ/n sum to 1. Regularization therefore counts once, and a last batch has the right weight even if
it cannot be divided evenly or has fewer examples than there are replicas.

Keras' own steps divide by the number of replicas, whatever the size of each part, and clip
gradients before they sum them.
"""

import keras
import tensorflow as tf

from kerashw import keras_private
from kerashw.errors import InputError
from kerashw.tensorflow_private import reserve_group_keys

MEAN_REDUCTIONS = ("sum_over_batch_size", "mean")


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
    x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
    with model.distribute_strategy.scope():
        # Variables that are created while a loop is traced would belong to the loop.
        outputs = model(x)
        for loss_or_metrics in keras_private.compiled_loss_and_metrics(model):
            if loss_or_metrics is not None and not loss_or_metrics.built:
                loss_or_metrics.build(y, outputs)


def train_step(model, load):
    """Return a function that runs one training step on the rows of a global batch.

    Args:
        model: `keras.Model` that `prepare` was called for.
        load: Function that returns the batch for given rows.
    """
    variables = model.trainable_variables

    def gradients_of_part(rows, weight):
        with tf.GradientTape() as tape:
            loss = _forward(model, load(rows), training=True)
            loss = tf.cast(weight, loss.dtype) * loss
        gradients = tape.gradient(
            loss,
            [variable.value for variable in variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return [tf.convert_to_tensor(gradient) for gradient in gradients]

    def zero_gradients():
        return [tf.zeros_like(variable.value) for variable in variables]

    def step(rows):
        context = tf.distribute.get_replica_context()
        gradients = _run_on_part(context, rows, gradients_of_part, zero_gradients)
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        model.optimizer.apply(gradients, variables)

    return lambda rows: model.distribute_strategy.run(step, (rows,))


def test_step(model, load):
    """Return a function that runs one test step on the rows of a global batch.

    Args:
        model: `keras.Model` that `prepare` was called for.
        load: Function that returns the batch for given rows.
    """

    def test_part(rows, weight):
        _forward(model, load(rows), training=False)
        return []

    def step(rows):
        _run_on_part(tf.distribute.get_replica_context(), rows, test_part, list)

    return lambda rows: model.distribute_strategy.run(step, (rows,))


def _forward(model, batch, training):
    """Update the metrics, and return the loss of a part as if it were a whole batch."""
    replicas = model.distribute_strategy.num_replicas_in_sync
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    outputs = (
        model(x, training=training) if keras_private.call_has_training_argument(model) else model(x)
    )
    loss = model.compute_loss(x, y, outputs, sample_weight, training=training)
    loss = replicas * loss  # `compute_loss` has divided it by the number of replicas.
    tracker = next(metric for metric in model.metrics if metric.name == "loss")
    tracker.update_state(loss, sample_weight=_length(x))
    model.compute_metrics(x, y, outputs, sample_weight=sample_weight)
    return loss


def _run_on_part(context, rows, run, run_on_empty):
    """Call `run` with this replica's part of the rows and its fraction of the batch.

    If the part is empty, because the batch has fewer rows than there are replicas, call
    `run_on_empty` without arguments instead.
    """
    replicas, replica = context.num_replicas_in_sync, context.replica_id_in_sync_group
    length = _length(rows)
    start, stop = replica * length // replicas, (replica + 1) * length // replicas
    weight = (stop - start) / length
    part = keras.tree.map_structure(lambda row: row[start:stop], rows)
    size = keras.tree.flatten(part)[0].shape[0]
    if size is not None:
        # With a known size, no branch is traced: Keras cannot trace the loss of an empty batch,
        # and replicas cannot synchronize inside a branch.
        return run(part, weight) if size else run_on_empty()
    return tf.cond(stop > start, lambda: run(part, weight), run_on_empty)


def _length(rows):
    return tf.shape(keras.tree.flatten(rows)[0])[0]


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
    for name in ("train_step", "test_step"):
        own_step = getattr(getattr(model, name), "__func__", None)
        if own_step is not getattr(keras.Model, name):
            return f"a {name} of its own, which only supports one device"
    if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        return "float16's loss scaling. Use mixed_bfloat16 instead"
    if getattr(model.optimizer, "gradient_accumulation_steps", None):
        return "gradient_accumulation_steps. Use a larger batch instead"
    for loss in keras.tree.flatten(model.loss):
        reduction = getattr(loss, "reduction", MEAN_REDUCTIONS[0])
        if reduction not in MEAN_REDUCTIONS:
            return f"a loss with reduction={reduction!r}. Use one of {', '.join(MEAN_REDUCTIONS)}"
    return None

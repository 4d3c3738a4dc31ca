"""Steps of training and testing under a `tf.distribute` strategy, equal to those on one device.

Each replica takes its part of every global batch and the gradient of its part of the loss:

    L = Σᵣ nᵣ/n · Lᵣ        for n examples in the batch, nᵣ of them replica r's

where Lᵣ is the loss that the replica's part would have as a batch of its own, regularization
included; a loss that a layer adds must be a mean over its examples, as Keras' regularizers are. As
the shares nᵣ/n add up to 1, regularization counts once, and a last batch that cannot be divided
evenly, or has fewer examples than there are replicas, weighs what it should.

Keras' own steps divide by the number of replicas instead, whatever each has, and clip gradients
before they are summed.
"""

import keras
import tensorflow as tf

from kerashw import keras_private
from kerashw.errors import InputError

# Of two replicas, the seeds of one layer's dropout are this far apart.
SEED_STRIDE = 0x9E3779B9
MEANS = ("sum_over_batch_size", "mean")
SEED_STATE = "seed_generator_state"


def is_distributed(model):
    """Return whether a model was built in the scope of a strategy."""
    with model.distribute_strategy.scope():
        return tf.distribute.has_strategy()


def prepare(model, batch, sizes):
    """Make a distributed model ready for the steps below.

    Args:
        model: Compiled `keras.Model`, built in the scope of a strategy.
        batch: Batch of any size, as the model is trained on.
        sizes: Set of the sizes that batches will have, integers or `None`: not known.

    Raises:
        InputError: If something about the model would not be right with several replicas.
    """
    _check(model, sizes)
    x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
    with model.distribute_strategy.scope():
        # Variables made while a loop is traced would belong to the loop.
        outputs = model(x)
        for unbuilt in keras_private.compiled_loss_and_metrics(model):
            if unbuilt is not None and not unbuilt.built:
                unbuilt.build(y, outputs)


def train_step(model, load):
    """Return a function of one training step on the rows of a global batch.

    Args:
        model: `keras.Model` that `prepare` was called for.
        load: Function from rows to a batch.
    """
    variables = model.trainable_variables

    def work(rows, share):
        with tf.GradientTape() as tape:
            loss = _forward(model, load(rows), training=True)
            loss = tf.cast(share, loss.dtype) * loss
        gradients = tape.gradient(
            loss,
            [variable.value for variable in variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return [tf.convert_to_tensor(gradient) for gradient in gradients]

    def nothing():
        return [tf.zeros_like(variable.value) for variable in variables]

    def step(rows):
        context = tf.distribute.get_replica_context()
        gradients = _on_part(context, rows, work, nothing)
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        model.optimizer.apply(gradients, variables)

    return lambda rows: model.distribute_strategy.run(step, (rows,))


def test_step(model, load):
    """Return a function of one test step on the rows of a global batch; as `train_step`."""

    def work(rows, share):
        _forward(model, load(rows), training=False)
        return []

    def step(rows):
        _on_part(tf.distribute.get_replica_context(), rows, work, list)

    return lambda rows: model.distribute_strategy.run(step, (rows,))


def begin_epoch(model):
    """Return a function that has each replica's dropout draw its own, from the seeds of the first.

    The first replica's seeds stay as they are.
    """
    states = [v.value for v in model.non_trainable_variables if v.name == SEED_STATE]

    def spread():
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        for state in states:
            stride = tf.cast(tf.cast(number, tf.int64) * SEED_STRIDE, state.dtype)
            state.assign_add(tf.stack([stride, tf.zeros_like(stride)]))

    run = tf.function(lambda: model.distribute_strategy.run(spread), autograph=False)
    return run.get_concrete_function()


def end_epoch(model):
    """Return a function that gives all replicas what the first one's layers remember.

    Such as the averages of batch normalization. It is what a saved model has.
    """
    variables = [v.value for v in model.non_trainable_variables if v.name != SEED_STATE]
    variables = [variable for variable in variables if variable.dtype.is_floating]

    def follow():
        context = tf.distribute.get_replica_context()
        first = tf.equal(context.replica_id_in_sync_group, 0)
        values = [tf.where(first, variable, tf.zeros_like(variable)) for variable in variables]
        if values:
            values = context.all_reduce(tf.distribute.ReduceOp.SUM, values)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    run = tf.function(lambda: model.distribute_strategy.run(follow), autograph=False)
    return run.get_concrete_function()


def _forward(model, batch, training):
    """Return the loss of one part of a batch as if it were a whole one; record the metrics."""
    replicas = model.distribute_strategy.num_replicas_in_sync
    x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
    outputs = (
        model(x, training=training) if keras_private.call_has_training_argument(model) else model(x)
    )
    loss = model.compute_loss(x, y, outputs, weight, training=training)
    loss = replicas * loss  # Keras has divided by that.
    tracker = next(metric for metric in model.metrics if metric.name == "loss")
    tracker.update_state(loss, sample_weight=_length(x))
    model.compute_metrics(x, y, outputs, sample_weight=weight)
    return loss


def _on_part(context, rows, work, nothing):
    """Do a replica's work on its part of the rows; nothing where there are fewer than replicas."""
    replicas, number = context.num_replicas_in_sync, context.replica_id_in_sync_group
    length = _length(rows)
    first, last = number * length // replicas, (number + 1) * length // replicas
    share = (last - first) / length
    part = keras.tree.map_structure(lambda row: row[first:last], rows)
    size = keras.tree.flatten(part)[0].shape[0]
    if size is not None:
        # Keras cannot trace the loss of nothing, and replicas cannot meet inside a branch.
        return work(part, share) if size else nothing()
    return tf.cond(last > first, lambda: work(part, share), nothing)


def _length(rows):
    return tf.shape(keras.tree.flatten(rows)[0])[0]


def _is_keras_own(model, name):
    return getattr(getattr(model, name), "__func__", None) is getattr(keras.Model, name)


def _check(model, sizes):
    replicas = model.distribute_strategy.num_replicas_in_sync
    alike = [getattr(layer, "synchronized", False) for layer in keras_private.flatten_layers(model)]
    if any(alike) and any(size is None or size < replicas for size in sizes):
        raise InputError(
            "a synchronized layer needs batches of which every replica has a part: of known sizes, "
            f"none below {replicas}; a tf.data.Dataset has them by batch(…, drop_remainder=True). "
            f"Received: {', '.join(str(size or 'not known') for size in sizes)}"
        )
    wrong = None
    own = [name for name in ("train_step", "test_step") if not _is_keras_own(model, name)]
    if own:
        wrong = f"a {own[0]} of its own, which only knows one device"
    elif isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        wrong = "float16's loss scaling. Take mixed_bfloat16 instead"
    elif getattr(model.optimizer, "gradient_accumulation_steps", None):
        wrong = "gradient_accumulation_steps. Take a larger batch instead"
    else:
        for loss in keras.tree.flatten(model.loss):
            reduction = getattr(loss, "reduction", MEANS[0])
            if reduction not in MEANS:
                wrong = f"a loss with reduction={reduction!r}. Take one of {', '.join(MEANS)}"
    if wrong:
        raise InputError(
            f"a model under a distribution strategy cannot be trained or tested with {wrong}. "
            f"Received: {model.name}"
        )

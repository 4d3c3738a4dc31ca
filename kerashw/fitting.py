"""Training at full speed: many steps in one call of one TensorFlow graph.

`Model.fit` feeds each step from Python or from `tf.data`. For models as small as these, that costs
more than the arithmetic. Here the graph itself draws its batches from memory and loops over them;
Python hears of it every `STEPS_PER_CALL` steps, often enough for a progress bar.

A model that was built in the scope of a `tf.distribute` strategy is trained under it, with the
same batches and to the same result as on one device (`kerashw.replicas`).
"""

import keras
import numpy as np
import tensorflow as tf

from kerashw import replicas
from kerashw.datasets.pipeline import as_batches
from kerashw.errors import InputError

STEPS_PER_CALL = 32


def fit(
    model,
    data,
    validation_data=None,
    epochs=1,
    initial_epoch=0,
    callbacks=None,
    verbose="auto",
    batch_size=32,
):
    """Train a compiled model, as `Model.fit` would, only faster, and right under any strategy.

    Loss, metrics and optimizer are the model's own, on one device its `train_step` too; callbacks
    are called as `Model.fit` with `steps_per_execution=32` calls them.

    Under a strategy each replica takes its part of every batch: batch sizes are those of all
    replicas together, losses and metrics those of all the data. Without dropout the result is the
    same as on one device but for rounding; with it, each replica draws its own. Batch normalization
    takes each replica's part by itself, unless it is `synchronized`, and remembers the first one's.
    With several workers, a callback that stops the training must be on all of them.

    Args:
        model: Compiled `keras.Model`. For several GPUs or machines it is built, or loaded, and
            compiled in the scope of a strategy (`kerashw.distribution.strategy`).
        data: What to train on: `kerashw.datasets.pipeline.Batches`; or arrays (x, y) or
            (x, y, sample_weight), which are shuffled in each epoch, in the same order in every
            run; or a `tf.data.Dataset` of batches, which every worker of several must get in the
            same order (`shuffle` needs a seed for it).
        validation_data: The same, to evaluate on after each epoch, or `None`.
        epochs: Integer, the epoch to stop after.
        initial_epoch: Integer, the epochs that are behind the model already.
        callbacks: List of `keras.callbacks.Callback`.
        verbose: 0 for silence; otherwise as in `Model.fit`.
        batch_size: Positive integer, for arrays.

    Returns:
        `keras.callbacks.History`, the loss and the metrics by epoch, those of `validation_data`
        with `val_` before their names.

    Raises:
        InputError: If the model is not compiled, the data are none of the above, or something
            about the model would not be right with several replicas.
        WorkerError: If another worker of several was lost.

    Example:
        >>> import kerashw
        >>> from kerashw.datasets import mnist
        >>> from kerashw.datasets.pipeline import Batches
        >>> data = mnist.load()
        >>> model = kerashw.models.softmax_regression()
        >>> model.compile(kerashw.optimizers.Adadelta(), "sparse_categorical_crossentropy")
        >>> train = Batches(data.train_images, data.train_labels, batch_size=128, seed=0)
        >>> history = kerashw.fitting.fit(model, train, epochs=1, verbose=0)
        >>> 0.4 < history.history["loss"][0] < 0.5
        True
    """
    if not getattr(model, "compiled", False):
        raise InputError("the model must be compiled: call model.compile(…) first")
    data = as_batches(data, batch_size, seed=0)
    if validation_data is not None:
        validation_data = as_batches(validation_data, batch_size)
    callbacks = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        model=model,
        verbose=1 if verbose == "auto" else verbose,
        epochs=epochs,
        steps=data.steps,
    )
    model.stop_training = False
    train = _Pass(model, data, training=True)
    test = None if validation_data is None else _Pass(model, validation_data)
    logs = {}
    callbacks.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        callbacks.on_epoch_begin(epoch)
        logs = train.run(epoch, callbacks)
        if test:
            tested = test.run(epoch)
            logs |= {f"val_{name}": value for name, value in tested.items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    model.optimizer.finalize_variable_values(model.trainable_variables)
    callbacks.on_train_end(logs)
    return model.history


def evaluate(model, data, batch_size=32):
    """Return the loss and the metrics of a compiled model, as `Model.evaluate` does.

    Args:
        model: Compiled `keras.Model`, as for `fit`.
        data: As for `fit`.
        batch_size: Positive integer, for arrays.

    Returns:
        Dict of floats, by name.
    """
    return _Pass(model, as_batches(data, batch_size)).run(epoch=0)


def predict(model, data):
    """Return a model's outputs for all examples, in their order.

    Args:
        model: `keras.Model` of one output.
        data: `kerashw.datasets.pipeline.Batches`.

    Returns:
        Array (N, …).
    """
    order = tf.range(len(data))

    @tf.function(autograph=False)
    def call(step):
        return model(data.draw(order, step)[0], training=False)

    run = call.get_concrete_function(tf.TensorSpec((), tf.int32))
    return np.concatenate([run(tf.constant(step)) for step in range(data.steps)])


class ReseedDropout(keras.callbacks.Callback):
    """Make what dropout draws in an epoch depend on the seed and the epoch alone.

    A run that was interrupted between two epochs then goes on as if it had not been.

    Args:
        seed: Non-negative integer.

    Example:
        >>> import kerashw
        >>> model, callback = kerashw.models.mlp(), ReseedDropout(seed=0)
        >>> callback.set_model(model)
        >>> callback.on_epoch_begin(3)
    """

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        """Set the state of every seed generator of the model."""
        states = [v for v in self.model.non_trainable_variables if v.name == "seed_generator_state"]
        for number, state in enumerate(states):
            seeds = np.random.SeedSequence((self.seed, epoch, number)).generate_state(2)
            state.assign(seeds.astype(state.dtype))


class _Pass:
    """Passes over the data, to train a model or to test it, as one traced TensorFlow function."""

    def __init__(self, model, data, training=False):
        self.model, self.data = model, data
        # What a distributed model needs done before and after an epoch.
        self.begin = self.end = lambda: None
        if replicas.is_distributed(model):
            with replicas.watched(model.distribute_strategy):
                self.loop = self._distributed_loop(training)
            if training:
                self.begin, self.end = replicas.begin_epoch(model), replicas.end_epoch(model)
        else:
            model.optimizer.build(model.trainable_variables)
            take_step = model.train_step if training else model.test_step
            compiled = model.jit_compile and not _on_cpu()
            self.loop = self._trace(lambda rows: take_step(data.load(rows)), compiled)

    def run(self, epoch, callbacks=None):
        """Take all steps of an epoch; return the loss and the metrics of all its data."""
        with replicas.watched(self.model.distribute_strategy):
            self.model.reset_metrics()
            self.begin()
            logs = self._run_steps(epoch, callbacks)
            self.end()
        return logs

    def _run_steps(self, epoch, callbacks):
        order, steps = self.data.order(epoch), self.data.steps
        logs = {}
        for start in range(0, steps, STEPS_PER_CALL):
            stop = min(start + STEPS_PER_CALL, steps)
            if callbacks:
                callbacks.on_train_batch_begin(start)
            logs = self.loop(order, tf.constant(start), tf.constant(stop))
            logs = {name: float(value) for name, value in logs.items()}
            if callbacks:
                callbacks.on_train_batch_end(stop - 1, logs)
                if self.model.stop_training:
                    break
        return logs

    def _distributed_loop(self, training):
        model, data = self.model, self.data
        replicas.prepare(model, data.load(data.rows(data.order(0), 0)))
        with model.distribute_strategy.scope():
            if not training:
                return self._trace(replicas.test_step(model, data.load))
            model.optimizer.build(model.trainable_variables)
            with replicas.gradients_are_sums(model.optimizer):
                return self._trace(replicas.train_step(model, data.load))

    def _trace(self, take_step, compiled=False):
        """Return a traced function that takes steps `start` to `stop` of an epoch."""

        # As in Keras' own fit, AutoGraph does not rewrite what the model does in a step.
        @tf.function(autograph=False, jit_compile=compiled)
        def loop(order, start, stop):
            def take(step):
                take_step(self.data.rows(order, step))
                return [step + 1]

            tf.while_loop(lambda step: step < stop, take, [start])
            return self.model.get_metrics_result()

        order, number = self.data.order(0), tf.TensorSpec((), tf.int32)
        if not isinstance(order, tf.data.Iterator):
            order = tf.TensorSpec.from_tensor(order)
        return loop.get_concrete_function(order, number, number)


def _on_cpu():
    """On a CPU, XLA makes the ConvNet's epoch five times as long."""
    return not tf.config.list_logical_devices("GPU")

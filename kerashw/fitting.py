"""Training at full speed: many steps in one call of one TensorFlow graph.

`Model.fit` feeds each step from Python or from `tf.data`. For models as small as these, that costs
more than the arithmetic. Here the graph itself draws its batches from memory and loops over them;
Python hears of it every `STEPS_PER_CALL` steps, often enough for a progress bar.
"""

import keras
import numpy as np
import tensorflow as tf

from kerashw.datasets.pipeline import Batches
from kerashw.errors import InputError

STEPS_PER_CALL = 32


def fit(
    model, data, validation_data=None, epochs=1, initial_epoch=0, callbacks=None, verbose="auto"
):
    """Train a compiled model on examples in memory, as `Model.fit` would, only faster.

    Loss, metrics, optimizer and `train_step` are the model's own; callbacks are called as
    `Model.fit` with `steps_per_execution=32` calls them.

    Args:
        model: Compiled `keras.Model`, built.
        data: `kerashw.datasets.pipeline.Batches` to train on.
        validation_data: `Batches` to evaluate on after each epoch, or `None`.
        epochs: Integer, the epoch to stop after.
        initial_epoch: Integer, the epochs that are behind the model already.
        callbacks: List of `keras.callbacks.Callback`.
        verbose: 0 for silence; otherwise as in `Model.fit`.

    Returns:
        `keras.callbacks.History`, the loss and the metrics by epoch, those of `validation_data`
        with `val_` before their names.

    Raises:
        InputError: If the model is not compiled, or the data are not `Batches`.

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
    for name, value in (("data", data), ("validation_data", validation_data)):
        if value is not None and not isinstance(value, Batches):
            raise InputError(
                f"{name} must be kerashw.datasets.pipeline.Batches. "
                f"Received: {type(value).__name__}"
            )
    callbacks = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        model=model,
        verbose=1 if verbose == "auto" else verbose,
        epochs=epochs,
        steps=data.steps,
    )
    model.optimizer.build(model.trainable_variables)
    model.stop_training = False
    run_train = _loop(model, model.train_step, data)
    run_test = _loop(model, model.test_step, validation_data) if validation_data else None
    logs = {}
    callbacks.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        callbacks.on_epoch_begin(epoch)
        logs = _run(model, run_train, data, epoch, callbacks)
        if run_test:
            tested = _run(model, run_test, validation_data, epoch)
            logs |= {f"val_{name}": value for name, value in tested.items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end(logs)
    return model.history


def evaluate(model, data):
    """Return the loss and the metrics of a compiled model, as `Model.evaluate` does.

    Args:
        model: Compiled `keras.Model`, built.
        data: `kerashw.datasets.pipeline.Batches`.

    Returns:
        Dict of floats, by name.
    """
    return _run(model, _loop(model, model.test_step, data), data, epoch=0)


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


def _loop(model, step_function, data):
    """Return a traced TensorFlow function that takes steps `start` to `stop` of an epoch."""

    # As in Keras' own fit, AutoGraph does not rewrite what the model does in a step.
    @tf.function(autograph=False, jit_compile=model.jit_compile and not _on_cpu())
    def run(order, start, stop):
        def take(step):
            step_function(data.draw(order, step))
            return [step + 1]

        tf.while_loop(lambda step: step < stop, take, [start])
        return model.get_metrics_result()

    number = tf.TensorSpec((), tf.int32)
    return run.get_concrete_function(tf.TensorSpec((len(data),), tf.int32), number, number)


def _run(model, run, data, epoch, callbacks=None):
    """Run one pass over the data; return the loss and the metrics of all of it."""
    model.reset_metrics()
    order = data.order(epoch)
    logs = {}
    for start in range(0, data.steps, STEPS_PER_CALL):
        stop = min(start + STEPS_PER_CALL, data.steps)
        if callbacks:
            callbacks.on_train_batch_begin(start)
        logs = run(order, tf.constant(start), tf.constant(stop))
        logs = {name: float(value) for name, value in logs.items()}
        if callbacks:
            callbacks.on_train_batch_end(stop - 1, logs)
            if model.stop_training:
                break
    return logs


def _on_cpu():
    """On a CPU, XLA makes the ConvNet's epoch five times as long."""
    return not tf.config.list_logical_devices("GPU")

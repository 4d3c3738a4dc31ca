"""`fit`, `evaluate` and `predict`, which run many steps in one call of one TensorFlow graph.

`Model.fit` feeds each step from Python or from `tf.data`. For small models, this costs more than
the arithmetic. Here the graph itself loads its batches from memory and loops over them. Callbacks
run every `STEPS_PER_CALL` = 32 steps, or every `steps_per_execution` steps if the model was
compiled with another value than 1.

A model that was built in the scope of a `tf.distribute` strategy is trained under that strategy,
with the same batches and the same result as on one device (see `kerashw.fitting.replica_step`).
"""

import keras
import numpy as np
import tensorflow as tf

from kerashw import keras_private
from kerashw.datasets.pipeline import Batches, as_batches
from kerashw.errors import InputError
from kerashw.fitting.fused_loop import FusedLoop


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
    """Train a compiled model as `Model.fit` does, but faster, and under any strategy.

    The loss, the metrics and the optimizer are the model's own. On one device, `train_step` and
    `test_step` are also the model's own. Callbacks run every 32 steps, or every
    `steps_per_execution` steps if the model was compiled with another value than 1.

    Under a strategy, each replica processes its part of every batch. Batch sizes are the sizes of
    global batches; losses and metrics are computed from all data. Without dropout, the result
    equals the result on one device except for rounding. With dropout, each replica draws its own
    mask. Batch normalization normalizes each replica's part separately, and the saved averages are
    those of the first replica. With `synchronized=True`, it normalizes all parts together with
    equal weights, which equals the result on one device if the batches can be divided evenly. With
    several workers, a callback that stops the training must run on all of them.

    Args:
        model: Compiled `keras.Model`. For several GPUs or machines, build or load it, and compile
            it, in the scope of a strategy (`kerashw.distribution.strategy`).
        data: Training data: `kerashw.datasets.pipeline.Batches`; or arrays (x, y) or
            (x, y, sample_weight), which are shuffled in an order that depends only on the epoch's
            number; or a `tf.data.Dataset` of batches, which may have another length in each epoch.
            With several workers, the dataset must return the same batches in the same order on all
            of them (`shuffle` needs a seed).
        validation_data: Data to evaluate the model on after each epoch, as for `data`, or `None`.
        epochs: Integer, the number of the last epoch.
        initial_epoch: Integer, the number of epochs that the model was already trained for.
        callbacks: List of `keras.callbacks.Callback`.
        verbose: 0 for no output; otherwise as in `Model.fit`.
        batch_size: Positive integer, for arrays.

    Returns:
        `keras.callbacks.History` with the loss and the metrics of every epoch. The names of those
        of `validation_data` start with `val_`.

    Raises:
        InputError: If the model is not compiled, if the data have another type, or if the model
            has a part that is not supported with several replicas.
        WorkerError: If another worker was lost.

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
    train_loop = FusedLoop(model, data, training=True)
    test_loop = None if validation_data is None else FusedLoop(model, validation_data)
    logs = {}
    callbacks.on_train_begin()
    # `BackupAndRestore` has set the model's initial epoch in `on_train_begin`.
    for epoch in range(keras_private.initial_epoch(model) or initial_epoch, epochs):
        callbacks.on_epoch_begin(epoch)
        logs = train_loop.run(epoch, callbacks)
        if test_loop:
            test_logs = _evaluate(test_loop, callbacks)
            logs |= {f"val_{name}": value for name, value in test_logs.items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    if isinstance(model.optimizer, keras.optimizers.Optimizer):
        model.optimizer.finalize_variable_values(model.trainable_variables)
    callbacks.on_train_end(logs)
    return model.history


def evaluate(model, data, batch_size=32):
    """Return the loss and the metrics of a compiled model, as `Model.evaluate` does.

    Args:
        model: Compiled `keras.Model`, as for `fit`.
        data: Test data, as for `fit`.
        batch_size: Positive integer, for arrays.

    Returns:
        Dict of floats, by name.
    """
    callbacks = keras.callbacks.CallbackList(model=model)
    return _evaluate(FusedLoop(model, as_batches(data, batch_size)), callbacks)


def _evaluate(test_loop, callbacks):
    test_loop.model.stop_evaluating = False
    callbacks.on_test_begin()
    logs = test_loop.run(0, callbacks)
    callbacks.on_test_end(logs)
    return logs


def predict(model, data):
    """Return the outputs of a model for all examples, in their order.

    Args:
        model: `keras.Model` with one output.
        data: `kerashw.datasets.pipeline.Batches`.

    Returns:
        Array (N, …).

    Raises:
        InputError: If the data have another type.
    """
    if not isinstance(data, Batches):
        raise InputError(f"data must be Batches. Received: {type(data).__name__}")
    order = tf.range(len(data))
    call = tf.function(lambda images: model(images, training=False), autograph=False)
    return np.concatenate([call(data.batch(order, step)[0]) for step in range(data.steps)])

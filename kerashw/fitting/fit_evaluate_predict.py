"""Training at full speed: many steps in one call of one TensorFlow graph.

`Model.fit` feeds each step from Python or from `tf.data`. For models as small as these, that costs
more than the arithmetic. Here the graph itself draws its batches from memory and loops over them;
Python hears of it every `STEPS_PER_CALL` steps, often enough for a progress bar, or as often as the
model's `steps_per_execution` says.

A model that was built in the scope of a `tf.distribute` strategy is trained under it, with the
same batches and to the same result as on one device (`kerashw.fitting.replica_step`).
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
    """Train a compiled model, as `Model.fit` would, only faster, and right under any strategy.

        Loss, metrics and optimizer are the model's own, on one device its `train_step` and `test_step`
        too; callbacks are called as `Model.fit` calls them with the model's `steps_per_execution`, or
        with 32 where that is 1.

        Under a strategy each replica takes its part of every batch: batch sizes are those of all
        replicas together, losses and metrics those of all the data. Without dropout the result is the
        same as on one device but for rounding; with it, each replica draws its own. Batch normalization
        takes each replica's part by itself, and remembers the first one's; if it is `synchronized`, it
        takes all parts together, each alike: as on one device where batches can be divided evenly.
        With several workers, a callback that stops the training must be on all of them.

        Args:
            model: Compiled `keras.Model`. For several GPUs or machines it is built, or loaded, and
                compiled in the scope of a strategy (`kerashw.distribution.strategy`).
            data: What to train on: `kerashw.datasets.pipeline.Batches`; or arrays (x, y) or
                (x, y, sample_weight), which are shuffled in an order that the epoch's number alone
                decides; or a `tf.data.Dataset` of batches, which every worker of several must get in
                the same order (`shuffle` needs a seed for it).
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
            >>> from kerashw import keras_private
    from kerashw.datasets.pipeline import Batches
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
    train = FusedLoop(model, data, training=True)
    test = None if validation_data is None else FusedLoop(model, validation_data)
    logs = {}
    callbacks.on_train_begin()
    # `BackupAndRestore` has told the model where it goes on.
    for epoch in range(keras_private.initial_epoch(model) or initial_epoch, epochs):
        callbacks.on_epoch_begin(epoch)
        logs = train.run(epoch, callbacks)
        if test:
            tested = _evaluate(test, callbacks)
            logs |= {f"val_{name}": value for name, value in tested.items()}
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
        data: As for `fit`.
        batch_size: Positive integer, for arrays.

    Returns:
        Dict of floats, by name.
    """
    callbacks = keras.callbacks.CallbackList(model=model)
    return _evaluate(FusedLoop(model, as_batches(data, batch_size)), callbacks)


def _evaluate(test, callbacks):
    test.model.stop_evaluating = False
    callbacks.on_test_begin()
    logs = test.run(0, callbacks)
    callbacks.on_test_end(logs)
    return logs


def predict(model, data):
    """Return a model's outputs for all examples, in their order.

    Args:
        model: `keras.Model` of one output.
        data: `kerashw.datasets.pipeline.Batches`.

    Returns:
        Array (N, …).

    Raises:
        InputError: If the data are none.
    """
    if not isinstance(data, Batches):
        raise InputError(f"data must be Batches. Received: {type(data).__name__}")
    order = tf.range(len(data))
    call = tf.function(lambda images: model(images, training=False), autograph=False)
    return np.concatenate([call(data.draw(order, step)[0]) for step in range(data.steps)])

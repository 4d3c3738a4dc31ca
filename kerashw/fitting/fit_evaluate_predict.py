"""`fit`, `evaluate` and `predict`, with the arguments and the results of Keras' own methods.

`Model.fit` feeds each step from Python or from `tf.data`. For small models, this costs more than
the arithmetic. Here the graph itself loads its batches from memory and loops over them, up to 32
steps in one call. All else is Keras' own code: `Model.fit` runs with fused steps in the place of
its own where these compute the same, and as it is elsewhere. `explain` says which, and why.

A model that was built in the scope of a `tf.distribute` strategy is trained under that strategy,
with the same batches and the same result as on one device (see `kerashw.fitting.replica_step`).
"""

import inspect
import logging
import types

import keras
import numpy as np
import tensorflow as tf

from kerashw import keras_private
from kerashw.datasets.pipeline import Batches
from kerashw.fitting import replica_step
from kerashw.fitting.fusable_batches import fusable_batches
from kerashw.fitting.fused_epochs import FusedCallbacks, FusedEpochs, fused_steps
from kerashw.fitting.steps_per_call import choose_steps_per_call

log = logging.getLogger(__name__)
# Keras' own, also after `keras.Model.fit = kerashw.fitting.fit`.
KERAS_FIT, KERAS_EVALUATE, KERAS_PREDICT = (
    keras.Model.fit,
    keras.Model.evaluate,
    keras.Model.predict,
)


def fit(
    model,
    x=None,
    y=None,
    batch_size=None,
    epochs=1,
    verbose="auto",
    callbacks=None,
    validation_split=0.0,
    validation_data=None,
    shuffle=True,
    class_weight=None,
    sample_weight=None,
    initial_epoch=0,
    steps_per_epoch=None,
    validation_steps=None,
    validation_batch_size=None,
    validation_freq=1,
):
    """Train a compiled model as `Model.fit` does, but faster, and under any strategy.

    The arguments, their defaults and the result are those of `keras.Model.fit`, after the model.
    Steps are fused if the data are arrays, `Batches` or a `tf.data.Dataset` of known length, and
    the model is not compiled with `run_eagerly`. Callbacks that look at batches run at the same
    batches as in `Model.fit`; those that look at epochs alone cost nothing. A callback of yours may
    have an attribute `batch_interval`, an integer, and then runs at the batches that are multiples
    of it; 0 stands for any batches. The order of shuffled arrays is another one than in Keras, but
    follows `keras.utils.set_random_seed` too; with several workers, it depends only on the numbers
    of the epoch and of the steps before. On a CPU, `jit_compile` has no effect, because XLA is
    slower there; dropout then has other masks than in Keras.

    Under a strategy, each replica processes its part of every batch, of all data that Keras takes.
    Batch sizes are the sizes of global batches; losses and metrics are computed from all data. The
    result equals the result on one device except for rounding, also with gradient accumulation,
    loss scaling, averaged weights, masks, class weights and `reduction="sum"`. A `train_step` of
    the model's own must use a Keras loss, or a mean over its batch, and call `optimizer.apply`;
    numbers that it returns beside the metrics are averaged over the parts of the batch.
    With dropout, each replica draws its own mask. Batch normalization normalizes each replica's
    part separately, and the saved averages are those of the first replica. With
    `synchronized=True`, it normalizes all parts together with equal weights, which equals the
    result on one device if the batches can be divided evenly. With several workers, a dataset must
    return the same batches in the same order on all of them, and a callback that stops the training
    must run on all of them.

    Args:
        model: Compiled `keras.Model`. For several GPUs or machines, build or load it, and compile
            it, in the scope of a strategy (`kerashw.distribution.strategy`).
        x: Training data, as for `Model.fit`, or `kerashw.datasets.pipeline.Batches`.
        y: Targets, or `None` if the data contain them.
        batch_size: Integer, 32 by default, for arrays.
        epochs: Integer, the number of the last epoch.
        verbose: 0 for no output, 1 or "auto" for a progress bar, 2 for a line an epoch.
        callbacks: List of `keras.callbacks.Callback`.
        validation_split: Float in [0, 1), the fraction of the arrays to evaluate the model on.
        validation_data: Data to evaluate the model on after an epoch, as `x` or in tuples.
        shuffle: Boolean, whether arrays are shuffled in each epoch.
        class_weight: Dictionary of floats by class, the weights of the examples in the loss.
        sample_weight: Array (N,) or (N, …), the weights of the examples in the loss.
        initial_epoch: Integer, the number of epochs that the model was already trained for.
        steps_per_epoch: Integer, the number of batches in an epoch; `None` for all.
        validation_steps: Integer, the number of batches of the validation data.
        validation_batch_size: Integer, `batch_size` by default.
        validation_freq: Integer, every how many epochs, or collection of epochs, to evaluate in.

    Returns:
        `keras.callbacks.History`, as `Model.fit`.

    Raises:
        InputError: If the model has a part that is not supported with several replicas.
        WorkerError: If another worker was lost.

    Example:
        >>> import kerashw
        >>> from kerashw.datasets import mnist
        >>> data = mnist.load()
        >>> model = kerashw.models.softmax_regression()
        >>> model.compile(kerashw.optimizers.Adadelta(), "sparse_categorical_crossentropy")
        >>> x, y = data.train_images[..., np.newaxis] / np.float32(255), data.train_labels
        >>> history = fit(model, x, y, batch_size=128, verbose=0)
        >>> 0.4 < history.history["loss"][0] < 0.5
        True
    """
    arguments = dict(locals())
    batches = _fusable_data(arguments)
    if isinstance(batches, str):
        log.info("fit of %s as in Keras: %s", model.name, batches)
        return KERAS_FIT(arguments.pop("model"), **arguments)
    log.info("fit of %s with fused steps", model.name)
    trained, tested = batches
    trained = FusedEpochs(model, trained, training=True)
    if replica_step.is_distributed(model):
        trained.loop()  # it refuses what is not supported, before Keras builds the model
    tested = tested and FusedEpochs(model, tested)
    lengths = _lengths(trained, steps_per_epoch) + _lengths(tested, validation_steps)
    steps = steps_per_epoch or trained.num_batches
    fused = FusedCallbacks(
        callbacks,
        trained,
        tested,
        add_history=True,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=epochs,
        steps=steps,
        model=model,
    )
    with fused_steps(model, choose_steps_per_call(model, callbacks, steps, lengths)):
        return KERAS_FIT(
            model,
            trained,
            epochs=epochs,
            verbose=verbose,
            callbacks=fused,
            validation_data=tested,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
        )


def _fusable_data(arguments):
    """Return the batches of training and of validation, or why `fit` leaves them to Keras.

    Args:
        arguments: Dict, the arguments of `fit` by name.
    """
    given = types.SimpleNamespace(**arguments)
    model, callbacks, split = given.model, given.callbacks, given.validation_split
    data, validation_data = (given.x, given.y, given.sample_weight), given.validation_data
    if not 0 <= split < 1:
        return f"validation_split is {split}"
    if split and validation_data is None:
        data, validation_data = keras_private.train_validation_split(data, split)
    settings = given.shuffle, given.class_weight, given.initial_epoch
    trained = fusable_batches(
        model, callbacks, *data, given.batch_size, given.steps_per_epoch, *settings
    )
    if validation_data is None or isinstance(trained, str):
        return trained if isinstance(trained, str) else (trained, None)
    val = keras.utils.unpack_x_y_sample_weight(validation_data)
    size = given.validation_batch_size or given.batch_size
    tested = fusable_batches(model, callbacks, *val, size, given.validation_steps)
    return tested if isinstance(tested, str) else (trained, tested)


def evaluate(
    model,
    x=None,
    y=None,
    batch_size=None,
    verbose="auto",
    sample_weight=None,
    steps=None,
    callbacks=None,
    return_dict=False,
    **kwargs,
):
    """Return the loss and the metrics of a compiled model, as `Model.evaluate` does.

    The arguments, their defaults and the result are those of `keras.Model.evaluate`, after the
    model. See `fit` for when the steps are fused.

    Args:
        model: Compiled `keras.Model`, as for `fit`.
        x: Test data, as for `Model.evaluate`, or `kerashw.datasets.pipeline.Batches`.
        y: As for `fit`.
        batch_size: As for `fit`.
        verbose: As for `fit`.
        sample_weight: As for `fit`.
        steps: Integer, the number of batches; `None` for all.
        callbacks: As for `fit`.
        return_dict: Boolean, whether to return a dictionary.
        **kwargs: Arguments that Keras passes to itself.

    Returns:
        Float, list of floats, or dict of floats if `return_dict` is true.
    """
    arguments = {name: value for name, value in locals().items() if name != "kwargs"} | kwargs
    tested = kwargs or fusable_batches(model, callbacks, x, y, sample_weight, batch_size, steps)
    if kwargs or isinstance(tested, str):
        return KERAS_EVALUATE(arguments.pop("model"), **arguments)
    tested = FusedEpochs(model, tested)
    fused = FusedCallbacks(
        callbacks,
        tested=tested,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=1,
        steps=steps or tested.num_batches,
        model=model,
    )
    with fused_steps(
        model, choose_steps_per_call(model, callbacks, lengths=_lengths(tested, steps))
    ):
        return KERAS_EVALUATE(model, tested, steps=steps, callbacks=fused, return_dict=return_dict)


def predict(model, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
    """Return the outputs of a model for all examples, in their order, as `Model.predict` does.

    Args:
        model: `keras.Model`.
        x: Data, as for `Model.predict`, or `kerashw.datasets.pipeline.Batches`, for a model with
            one output.
        batch_size: As for `fit`. It, `verbose` and `callbacks` have no effect on `Batches`.
        verbose: As for `fit`.
        steps: As for `evaluate`.
        callbacks: As for `fit`.

    Returns:
        Array (N, …), or a structure of arrays.
    """
    if not isinstance(x, Batches):
        return KERAS_PREDICT(model, x, batch_size, verbose, steps, callbacks)
    order = tf.range(len(x))
    call = tf.function(lambda images: model(images, training=False), autograph=False)
    return np.concatenate([call(x.batch(order, step)[0]) for step in range(steps or x.steps)])


def explain(model, x=None, y=None, callbacks=None, **arguments):
    """Return whether `fit` fuses the steps, and why if it does not.

    Args:
        model: Compiled `keras.Model`.
        x: As for `fit`.
        y: As for `fit`.
        callbacks: As for `fit`.
        arguments: Further arguments of `fit`.

    Returns:
        String, one sentence.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> model.compile("sgd", "mse", run_eagerly=True)
        >>> explain(model, np.ones((4, 3)), np.ones((4, 2)))
        'as in Keras: the model is compiled with run_eagerly=True'
    """
    bound = inspect.signature(fit).bind(model, x, y, callbacks=callbacks, **arguments)
    bound.apply_defaults()
    batches = _fusable_data(bound.arguments)
    if isinstance(batches, str):
        return f"as in Keras: {batches}"
    trained, tested = (each and FusedEpochs(model, each) for each in batches)
    steps, validation_steps = (
        bound.arguments["steps_per_epoch"],
        bound.arguments["validation_steps"],
    )
    lengths = _lengths(trained, steps) + _lengths(tested, validation_steps)
    number = choose_steps_per_call(model, callbacks, steps or trained.num_batches, lengths)
    if number == 1:
        return "fused, but one step in one call: a callback runs at every batch, or at an odd one"
    return f"fused: up to {number} steps in one call"


def _lengths(epochs, steps):
    """Return what the number of steps in a call must divide if epochs have a given length."""
    return [n for n in (steps, epochs.num_batches) if n] if epochs is not None and steps else []

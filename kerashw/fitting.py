"""Training at full speed: many steps in one call of one TensorFlow graph.

`Model.fit` feeds each step from Python or from `tf.data`. For models as small as these, that costs
more than the arithmetic. Here the graph itself draws its batches from memory and loops over them;
Python hears of it every `STEPS_PER_CALL` steps, often enough for a progress bar, or as often as the
model's `steps_per_execution` says.

A model that was built in the scope of a `tf.distribute` strategy is trained under it, with the
same batches and to the same result as on one device (`kerashw.replicas`).
"""

import keras
import numpy as np
import tensorflow as tf

from kerashw import replicas
from kerashw.datasets.pipeline import Batches, as_batches
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
    # `BackupAndRestore` has told the model where it goes on.
    for epoch in range(model._initial_epoch or initial_epoch, epochs):
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
    return _evaluate(_Pass(model, as_batches(data, batch_size)), callbacks)


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
    """Passes over the data, to train a model or to test it, as one traced TensorFlow function.

    Or as two: where the last batch is not a whole one, its step is a function of its own, so that
    in the other all shapes are known.
    """

    def __init__(self, model, data, training=False):
        self.model, self.data, self.training = model, data, training
        # What a distributed model needs done before and after an epoch.
        self.begin = self.end = lambda: None
        if replicas.is_distributed(model):
            with replicas.watched(model.distribute_strategy):
                self._trace_distributed()
            if training:
                self.begin, self.end = replicas.begin_epoch(model), replicas.end_epoch(model)
        else:
            take_step = model.train_step if training else model.test_step
            own = getattr(take_step, "__func__", None)
            is_keras = own in (keras.Model.train_step, keras.Model.test_step)
            # One of the model's own may need no `call` of the model, nor its optimizer.
            if is_keras:
                _build(model, data)
            if is_keras and training:
                model.optimizer.build(model.trainable_variables)
            compiled = model.jit_compile and not _on_cpu()
            self._trace(take_step, data.load, compiled, tells_its_own=not is_keras)

    def run(self, epoch, callbacks):
        """Take all steps of an epoch; return the loss and the metrics of all its data."""
        with replicas.watched(self.model.distribute_strategy):
            self.model.reset_metrics()
            self.begin()
            logs = self._run_steps(epoch, callbacks)
            self.end()
        return logs

    def _run_steps(self, epoch, callbacks):
        order, steps, whole = self.data.order(epoch), self.data.steps, self.data.whole_steps
        begins, ends = (
            (callbacks.on_train_batch_begin, callbacks.on_train_batch_end)
            if self.training
            else (callbacks.on_test_batch_begin, callbacks.on_test_batch_end)
        )
        logs = {}
        at_once = self.model.steps_per_execution
        at_once = STEPS_PER_CALL if at_once == 1 else at_once
        for start in range(0, steps, at_once):
            stop = min(start + at_once, steps)
            begins(start)
            with self.data.read():
                if start < whole:
                    logs = self.loop(order, tf.constant(start), tf.constant(min(stop, whole)))
                if stop > whole:
                    logs = self.last(order)
            logs = _as_numbers(logs)
            ends(stop - 1, logs)
            if self.model.stop_training if self.training else self.model.stop_evaluating:
                break
        return logs

    def _trace_distributed(self):
        model, data = self.model, self.data
        replicas.prepare(model, data.sample(), data.sizes)
        with model.distribute_strategy.scope():
            # A replica loads its part of the rows.
            if not self.training:
                return self._trace(replicas.test_step(model, data.load))
            model.optimizer.build(model.trainable_variables)
            with replicas.gradients_are_sums(model.optimizer):
                return self._trace(replicas.train_step(model, data.load))

    def _trace(self, take_step, load=lambda rows: rows, compiled=False, tells_its_own=False):
        """Trace the functions that take steps `start` to `stop` of an epoch, and its last one."""
        data = self.data
        if compiled and not data.ahead:
            # XLA cannot ask a dataset for its next batch.
            take_step = tf.function(take_step, autograph=False, jit_compile=True)
            compiled = False

        # As in Keras' own fit, AutoGraph does not rewrite what the model does in a step.
        @tf.function(autograph=False, jit_compile=compiled)
        def loop(order, start, stop):
            # A step whose result is to be returned cannot be in the loop; outside, it costs more.
            end = stop - 1 if tells_its_own else stop

            def draw(step):
                return load(data.rows(order, step))

            def take(step):
                take_step(draw(step))
                return [step + 1]

            def take_and_draw_the_next(step, batch):
                # Neither needs the other, so TensorFlow may do both at the same time.
                following = draw(tf.minimum(step + 1, stop - 1))
                take_step(batch)
                return step + 1, following

            if data.ahead:
                first = (start, draw(start))
                _, batch = tf.while_loop(lambda step, _: step < end, take_and_draw_the_next, first)
            else:
                tf.while_loop(lambda step: step < end, take, [start])
            if tells_its_own:
                return self._result(take_step(batch if data.ahead else draw(end)))
            return self.model.get_metrics_result()

        @tf.function(autograph=False, jit_compile=compiled)
        def last(order):
            return self._result(take_step(load(data.rest(order))))

        number = tf.TensorSpec((), tf.int32)
        self.loop = loop.get_concrete_function(data.order_spec, number, number)
        if data.whole_steps < data.steps:
            self.last = last.get_concrete_function(data.order_spec)

    def _result(self, logs):
        """Return, as `Model.fit`, what a step of the model's own tells, else the metrics so far."""
        metrics = self.model.get_metrics_result()
        return metrics if logs is None or logs.keys() == metrics.keys() else logs


def _build(model, data):
    """Create what a step would create, before it is traced."""
    if not all(layer.built for layer in model._flatten_layers()):
        model(keras.utils.unpack_x_y_sample_weight(data.sample())[0])


def _as_numbers(logs):
    """Return logs as `Model.fit` gives them to callbacks: without dicts in dicts or tensors."""
    numbers = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            numbers |= _as_numbers(value)
        else:
            value = np.asarray(value)
            numbers[name] = value if value.ndim else float(value)
    return numbers


def _on_cpu():
    """On a CPU, XLA makes the ConvNet's epoch five times as long."""
    return not tf.config.list_logical_devices("GPU")

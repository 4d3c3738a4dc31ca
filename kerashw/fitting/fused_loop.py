"""`FusedLoop`: many training or test steps in one call of one TensorFlow graph."""

import functools

import keras
import tensorflow as tf

from kerashw import keras_private
from kerashw.errors import InputError
from kerashw.fitting import replica_step
from kerashw.fitting.lost_workers import worker_loss_as_error
from kerashw.fitting.optimizer_steps import faster_updates
from kerashw.fitting.replica_variables import ReplicaVariables


class FusedLoop:
    """The steps of an epoch as one or two traced TensorFlow functions.

    The function `loop` runs the steps of full batches, so that it knows all shapes. If the last
    batch is smaller, the function `last_step` runs its step. For a `tf.data.Dataset`, `loop` runs
    all steps, until the dataset ends. The functions receive arrays as arguments, so they serve all
    data of the same `signature`.

    Args:
        model: Compiled `keras.Model`.
        data: `kerashw.datasets.pipeline.Batches`, or one of the classes with its interface.
        training: Boolean; whether the steps train the model or test it.
    """

    def __init__(self, model, data, training=False):
        self.model, self.training = model, training
        self._run_step = model.train_step if training else model.test_step
        function = getattr(self._run_step, "__func__", None)
        self._is_keras_step = function in (keras.Model.train_step, keras.Model.test_step)
        self.replica_variables = None
        if replica_step.is_distributed(model):
            with worker_loss_as_error(model.distribute_strategy):
                self._trace_distributed(data)
            if training:
                self.replica_variables = ReplicaVariables(model)
        else:
            self._trace_on_one_device(data)

    def start(self, data, order):
        """Start an epoch with an order of its data, and return its steps, which `run` continues."""
        with worker_loss_as_error(self.model.distribute_strategy):
            if self.replica_variables:
                self.replica_variables.offset_dropout_seeds()
            return (_ArraySteps if data.prefetchable else _DatasetSteps)(self, data, order)

    def run(self, steps, number):
        """Run the next steps of an epoch, at most `number`, and return the logs of the last one."""
        with worker_loss_as_error(self.model.distribute_strategy):
            logs = steps.run(number)
            if self.replica_variables:
                self.replica_variables.copy_from_first_replica()
        return logs

    def _trace_on_one_device(self, data):
        model, run_step = self.model, self._run_step
        # A custom step may not use the model's `call` or its optimizer.
        if self._is_keras_step:
            _build(model, data)
        else:
            run_step = tf.function(run_step, autograph=False)  # traced once for all its calls
        if self._is_keras_step and self.training:
            model.optimizer.build(model.trainable_variables)
        jit_compile = model.jit_compile and not _on_cpu()

        def bind(arrays):
            return functools.partial(data.gather, arrays), run_step

        with faster_updates(model), keras_private.output_losses_by_batch(model):
            self._trace(data, bind, jit_compile, returns_logs=not self._is_keras_step)

    def _trace_distributed(self, data):
        model, returns_logs = self.model, not self._is_keras_step
        replica_step.prepare(model, data.example_batch(), data.batch_sizes)

        def bind(arrays):
            # The loop passes rows to the step, and each replica loads its part of them.
            load = functools.partial(data.gather, arrays)
            return lambda rows: rows, replica_step.make_step(
                model, self._run_step, load, returns_logs
            )

        with model.distribute_strategy.scope():
            if self.training and not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
            with faster_updates(model), replica_step.tracing(model):
                self._trace(data, bind, returns_logs=returns_logs)

    def _trace(self, data, bind, jit_compile=False, returns_logs=False):
        trace = self._trace_on_arrays if data.prefetchable else self._trace_on_dataset
        trace(data, bind, jit_compile, returns_logs)

    def _trace_on_arrays(self, data, bind, jit_compile, returns_logs):
        """Trace `loop`, which runs the steps `start` to `stop` of an epoch, and `last_step`."""

        # `Model.fit` does not rewrite a model's step with AutoGraph either.
        @tf.function(autograph=False, jit_compile=jit_compile)
        def loop(arrays, order, start, stop):
            load, run_step = bind(arrays)
            # `tf.while_loop` does not return the logs of a step. Where they are needed, the last
            # step runs after the loop. Elsewhere it runs in the loop, which is faster.
            end = stop - 1 if returns_logs else stop

            def load_batch(step):
                return load(data.rows(order, step))

            def run_and_prefetch(step, batch):
                # The two are independent, so TensorFlow can run them at the same time.
                next_batch = load_batch(tf.minimum(step + 1, stop - 1))
                run_step(batch)
                return step + 1, next_batch

            first = (start, load_batch(start))
            _, batch = tf.while_loop(lambda step, _: step < end, run_and_prefetch, first)
            return self._logs(run_step(batch)) if returns_logs else self.model.get_metrics_result()

        @tf.function(autograph=False, jit_compile=jit_compile)
        def last_step(arrays, rows):
            load, run_step = bind(arrays)
            return self._logs(run_step(load(rows)))

        step_spec = tf.TensorSpec((), tf.int32)
        specs = data.array_specs, data.order_spec, step_spec, step_spec
        self.loop = loop.get_concrete_function(*specs)
        if data.full_steps < data.steps:
            # Replicas need to know the size, to divide the rows. Elsewhere any size is served.
            is_distributed = replica_step.is_distributed(self.model)
            size = len(data) % data.batch_size if is_distributed else None
            rows_spec = tf.TensorSpec((size,), tf.int32)
            self.last_step = last_step.get_concrete_function(data.array_specs, rows_spec)

    def _trace_on_dataset(self, data, bind, jit_compile, returns_logs):
        """Trace `loop`, which runs steps until the dataset ends, or one step if it returns logs."""
        _, run_step = bind(())
        if jit_compile:
            # XLA cannot read the next batch of a dataset, so it compiles only the step.
            run_step = tf.function(run_step, autograph=False, jit_compile=True)

        @tf.function(autograph=False)
        def loop(order, batch, start, stop):
            def is_before_end(step, batch):
                return tf.logical_and(step < stop, batch.has_value())

            def run_and_prefetch(step, batch):
                next_batch = data.next_batch(order)
                run_step(batch.get_value())
                return step + 1, next_batch

            if returns_logs:
                next_batch = data.next_batch(order)
                return start + 1, next_batch, self._logs(run_step(batch.get_value()))
            step, batch = tf.while_loop(is_before_end, run_and_prefetch, (start, batch))
            return step, batch, self.model.get_metrics_result()

        step_spec = tf.TensorSpec((), tf.int32)
        specs = data.order_spec, data.batch_spec, step_spec, step_spec
        self.loop = loop.get_concrete_function(*specs)

    def _logs(self, step_logs):
        """Return the logs of a custom step, or else all metrics, as `Model.fit` does."""
        metrics = self.model.get_metrics_result()
        if step_logs is None or step_logs.keys() == metrics.keys():
            return metrics
        if replica_step.is_distributed(self.model):
            return replica_step.merge_logs(self.model, step_logs, metrics)
        return step_logs


class _ArraySteps:
    """The steps of one epoch of batches that any step can load, piece by piece."""

    def __init__(self, fused, data, order):
        self.fused, self.data, self.done = fused, data, 0
        self.pieces = data.pieces(order)
        self.piece = next(self.pieces)

    @property
    def at_end(self):
        """Whether all steps of the epoch are done."""
        return self.done == self.data.steps

    def run(self, number):
        """Run the next steps, at most `number`, and return the logs of the last one."""
        end = min(self.done + number, self.data.steps)
        while self.done < end:
            if self.done == self.piece.stop:
                self.piece = None  # Its memory is free before the next but one is read.
                self.piece = next(self.pieces)
            logs = self._run_in_piece(min(end, self.piece.stop))
        return logs

    def _run_in_piece(self, stop):
        arrays, order, first, _ = self.piece
        start, self.done = self.done, stop
        full_stop = min(stop, self.data.full_steps)
        if start < full_stop:
            steps = tf.constant(start - first), tf.constant(full_stop - first)
            logs = self.fused.loop(arrays, order, *steps)
        if stop > full_stop:
            logs = self.fused.last_step(arrays, self.data.last_rows(order))
        return logs


class _DatasetSteps:
    """The steps of one epoch of a dataset, with the interface of `_ArraySteps`."""

    def __init__(self, fused, data, order):
        self.fused, self.data, self.order, self.done = fused, data, order, 0
        self.batch = data.next_batch(self.order)
        if self.at_end:
            raise InputError(
                "the dataset must have a batch in every epoch. Received: none in this one"
            )

    @property
    def at_end(self):
        """Whether the dataset has no further batch."""
        return not self.batch.has_value()

    def run(self, number):
        """Run the next steps, at most `number`, and return the logs of the last one."""
        stop = self.done + number
        while self.done < stop and not self.at_end:
            step, self.batch, logs = self.fused.loop(
                self.order, self.batch, tf.constant(self.done), tf.constant(stop)
            )
            self.done = int(step)
        return logs


def _build(model, data):
    """Build what Keras would build while a step is traced, when variables cannot be created."""
    has_one_output = len(keras.tree.flatten(getattr(model, "outputs", None))) == 1
    is_built = all(layer.built for layer in keras_private.flatten_layers(model))
    if not is_built or not has_one_output:
        keras_private.build_symbolically(model, data.example_batch())


def _on_cpu():
    """Return whether TensorFlow runs on a CPU, where XLA makes the ConvNet 5 times as slow."""
    return not tf.config.list_logical_devices("GPU")

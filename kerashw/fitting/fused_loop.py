"""`FusedLoop`: many training or test steps in one call of one TensorFlow graph."""

import keras
import numpy as np
import tensorflow as tf

from kerashw import keras_private
from kerashw.errors import InputError
from kerashw.fitting import replica_step
from kerashw.fitting.lost_workers import worker_loss_as_error
from kerashw.fitting.replica_variables import ReplicaVariables

STEPS_PER_CALL = 32


class FusedLoop:
    """The steps of an epoch as one or two traced TensorFlow functions.

    The function `loop` runs the steps of full batches, so that it knows all shapes. If the last
    batch is smaller, the function `last_step` runs its step. For a `tf.data.Dataset`, `loop` runs
    all steps, until the dataset ends.

    Args:
        model: Compiled `keras.Model`.
        data: Batches, as `kerashw.datasets.pipeline.as_batches` returns them.
        training: Boolean; whether the steps train the model or test it.
    """

    def __init__(self, model, data, training=False):
        self.model, self.data, self.training = model, data, training
        self.replica_variables = None
        if replica_step.is_distributed(model):
            with worker_loss_as_error(model.distribute_strategy):
                self._trace_distributed()
            if training:
                self.replica_variables = ReplicaVariables(model)
        else:
            self._trace_on_one_device()

    def run(self, epoch, callbacks):
        """Run all steps of an epoch, and return the loss and the metrics of all its data."""
        with worker_loss_as_error(self.model.distribute_strategy):
            self.model.reset_metrics()
            if self.replica_variables:
                self.replica_variables.offset_dropout_seeds()
            logs = self._run_steps(epoch, callbacks)
            if self.replica_variables:
                self.replica_variables.copy_from_first_replica()
        return logs

    def _run_steps(self, epoch, callbacks):
        on_batch_begin, on_batch_end = (
            (callbacks.on_train_batch_begin, callbacks.on_train_batch_end)
            if self.training
            else (callbacks.on_test_batch_begin, callbacks.on_test_batch_end)
        )
        steps_per_call = self.model.steps_per_execution
        steps_per_call = STEPS_PER_CALL if steps_per_call == 1 else steps_per_call
        steps = (_ArraySteps if self.data.prefetchable else _DatasetSteps)(self, epoch)
        logs = {}
        while not steps.at_end:
            on_batch_begin(steps.done)
            logs = _as_numbers(steps.run(steps_per_call))
            on_batch_end(steps.done - 1, logs)
            if self.model.stop_training if self.training else self.model.stop_evaluating:
                break
        return logs

    def _trace_on_one_device(self):
        model = self.model
        run_step = model.train_step if self.training else model.test_step
        is_keras_step = getattr(run_step, "__func__", None) in (
            keras.Model.train_step,
            keras.Model.test_step,
        )
        # A custom step may not use the model's `call` or its optimizer.
        if is_keras_step:
            _build(model, self.data)
        if is_keras_step and self.training:
            model.optimizer.build(model.trainable_variables)
        jit_compile = model.jit_compile and not _on_cpu()
        self._trace(run_step, self.data.load, jit_compile, returns_logs=not is_keras_step)

    def _trace_distributed(self):
        model, data = self.model, self.data
        replica_step.prepare(model, data.example_batch(), data.batch_sizes)
        with model.distribute_strategy.scope():
            # The loop passes rows to the step, and each replica loads its part of them.
            if not self.training:
                return self._trace(replica_step.test_step(model, data.load))
            model.optimizer.build(model.trainable_variables)
            with keras_private.gradients_already_summed(model.optimizer):
                return self._trace(replica_step.train_step(model, data.load))

    def _trace(self, run_step, load=lambda rows: rows, jit_compile=False, returns_logs=False):
        if self.data.prefetchable:
            self._trace_on_arrays(run_step, load, jit_compile, returns_logs)
        else:
            self._trace_on_dataset(run_step, jit_compile, returns_logs)

    def _trace_on_arrays(self, run_step, load, jit_compile, returns_logs):
        """Trace `loop`, which runs the steps `start` to `stop` of an epoch, and `last_step`."""
        data = self.data

        # `Model.fit` does not rewrite a model's step with AutoGraph either.
        @tf.function(autograph=False, jit_compile=jit_compile)
        def loop(order, start, stop):
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
        def last_step(order):
            return self._logs(run_step(load(data.last_rows(order))))

        step_spec = tf.TensorSpec((), tf.int32)
        self.loop = loop.get_concrete_function(data.order_spec, step_spec, step_spec)
        if data.full_steps < data.steps:
            self.last_step = last_step.get_concrete_function(data.order_spec)

    def _trace_on_dataset(self, run_step, jit_compile, returns_logs):
        """Trace `loop`, which runs steps until the dataset ends, or one step if it returns logs."""
        data = self.data
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
        return step_logs


class _ArraySteps:
    """The steps of one epoch of batches in memory."""

    def __init__(self, fused, epoch):
        self.fused, self.data, self.order, self.done = fused, fused.data, fused.data.order(epoch), 0

    @property
    def at_end(self):
        """Whether all steps of the epoch are done."""
        return self.done == self.data.steps

    def run(self, number):
        """Run the next steps, at most `number`, and return the logs of the last one."""
        full_steps = self.data.full_steps
        start, self.done = self.done, min(self.done + number, self.data.steps)
        if start < full_steps:
            stop = min(self.done, full_steps)
            logs = self.fused.loop(self.order, tf.constant(start), tf.constant(stop))
        if self.done > full_steps:
            logs = self.fused.last_step(self.order)
        return logs


class _DatasetSteps:
    """The steps of one epoch of a dataset, with the interface of `_ArraySteps`."""

    def __init__(self, fused, epoch):
        self.fused, self.data, self.order, self.done = fused, fused.data, fused.data.order(epoch), 0
        self.batch = self.data.next_batch(self.order)
        if self.at_end:
            raise InputError(
                f"the dataset must have a batch in every epoch. Received: none in epoch {epoch + 1}"
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
    """Build the model's layers, because variables cannot be created while a step is traced."""
    if not all(layer.built for layer in keras_private.flatten_layers(model)):
        model(keras.utils.unpack_x_y_sample_weight(data.example_batch())[0])


def _as_numbers(logs):
    """Convert logs to flat dicts of numbers, as `Model.fit` passes them to callbacks."""
    numbers = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            numbers |= _as_numbers(value)
        else:
            value = np.asarray(value)
            numbers[name] = value if value.ndim else float(value)
    return numbers


def _on_cpu():
    """Return whether TensorFlow runs on a CPU, where XLA makes the ConvNet 5 times as slow."""
    return not tf.config.list_logical_devices("GPU")

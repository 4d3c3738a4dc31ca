"""Many steps of training or testing in one call of one TensorFlow graph."""

import keras
import numpy as np
import tensorflow as tf

from kerashw import keras_private
from kerashw.fitting import replica_step
from kerashw.fitting.lost_workers import worker_loss_as_error

STEPS_PER_CALL = 32


class FusedLoop:
    """Passes over the data, to train a model or to test it, as one traced TensorFlow function.

    Or as two: where the last batch is not a whole one, its step is a function of its own, so that
    in the other all shapes are known.
    """

    def __init__(self, model, data, training=False):
        self.model, self.data, self.training = model, data, training
        # What a distributed model needs done before and after an epoch.
        self.begin = self.end = lambda: None
        if replica_step.is_distributed(model):
            with worker_loss_as_error(model.distribute_strategy):
                self._trace_distributed()
            if training:
                self.begin, self.end = (
                    replica_step.begin_epoch(model),
                    replica_step.end_epoch(model),
                )
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
        with worker_loss_as_error(self.model.distribute_strategy):
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
        replica_step.prepare(model, data.sample(), data.sizes)
        with model.distribute_strategy.scope():
            # A replica loads its part of the rows.
            if not self.training:
                return self._trace(replica_step.test_step(model, data.load))
            model.optimizer.build(model.trainable_variables)
            with keras_private.gradients_are_sums(model.optimizer):
                return self._trace(replica_step.train_step(model, data.load))

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
    if not all(layer.built for layer in keras_private.flatten_layers(model)):
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

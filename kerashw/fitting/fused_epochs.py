"""Epochs of fused steps, in the place of the iterator that Keras' own training loop reads.

`Model.fit` and `Model.evaluate` repeat three things: they take the next batch iterator, call the
model's `train_function` or `test_function` with it, and call the callbacks. `FusedEpochs` gives
them an iterator whose call runs many fused steps, so all else is Keras' own code.
"""

import contextlib

import keras
import tensorflow as tf

from kerashw import keras_private
from kerashw.fitting import replica_step
from kerashw.fitting.fused_loop import FusedLoop


class FusedEpochs(keras_private.DataAdapter, tf.distribute.DistributedDataset):
    """Data that Keras' training loop can iterate over.

    It is a `DistributedDataset` because Keras distributes all other data itself.

    Args:
        model: Compiled `keras.Model`.
        data: `kerashw.datasets.pipeline.Batches`, or one of the classes with its interface.
        training: Boolean; whether the steps train the model or test it.

    Attributes:
        epoch: Integer, the number of the present epoch, which determines the order of the data.
        done: Integer, the number of steps that were done in the present pass over the data.
    """

    def __init__(self, model, data, training=False):
        self.model, self.data, self.training = model, data, training
        self.epoch = self.done = 0
        self._has_begun = False  # any step of what Keras takes for an epoch

    def __iter__(self):
        return _Pass(self)

    def get_tf_dataset(self):
        """Return what Keras iterates over."""
        return self

    @property
    def num_batches(self):
        """The number of batches, `None` if it is unknown."""
        return self.data.steps

    def on_epoch_begin(self):
        """Tell the source of the data that Keras starts an epoch."""
        self._has_begun = False
        if not self.data.prefetchable and self.data.source:
            self.data.source.on_epoch_begin()

    def on_epoch_end(self):
        """Tell the source of the data that Keras has ended an epoch."""
        if not self.data.prefetchable and self.data.source:
            self.data.source.on_epoch_end()
            # Under a strategy, Keras starts an epoch in vain, to build the model from a batch.
            if not self._has_begun:
                _discard_read_batches(self.data.source)

    def loop(self):
        """Return the traced steps. They are kept with the model until it is compiled again."""
        loops = vars(self.model).setdefault("_fused_loops", {})
        if loops.get("state") != _state(self.model):
            loops.clear()
        is_distributed = replica_step.is_distributed(self.model)
        key = self.training, *self.data.signature(with_last_size=is_distributed)
        if key not in loops:
            loops[key] = FusedLoop(self.model, self.data, self.training)
            loops["state"] = _state(self.model)
        return loops[key]


def _discard_read_batches(adapter):
    """Discard what the threads of a `keras.utils.PyDataset` have read for an epoch that has ended.

    They keep it for the next epoch, whose batches may be others.
    """
    enqueuer = getattr(adapter, "enqueuer", None)
    while enqueuer and not enqueuer.ready_queue.empty():
        enqueuer.ready_queue.get()


def _state(model):
    """Return what makes a model's traced steps invalid when it changes."""
    compiled = model.optimizer, *keras_private.compiled_loss_and_metrics(model)
    return [id(part) for part in (*compiled, *model.weights)]


class _Pass:
    """One pass over the data. It starts when its first steps run, as the epoch is known then."""

    def __init__(self, epochs):
        self.epochs, self.steps = epochs, None
        is_dataset = not epochs.data.prefetchable and epochs.data.source is None
        # Keras creates some iterators of a dataset in vain, and each one changes its next order.
        self.order = epochs.data.order(epochs.epoch) if is_dataset else None

    def __next__(self):
        """Return a batch, from which Keras builds a model."""
        return self.epochs.data.example_batch()

    def run(self):
        """Run the next steps, as many as the model's `steps_per_execution`."""
        epochs = self.epochs
        epochs._has_begun = True
        loop = epochs.loop()
        if self.steps is None:
            order = epochs.data.order(epochs.epoch) if self.order is None else self.order
            self.steps = loop.start(epochs.data, order)
        elif self.steps.at_end:
            raise StopIteration
        logs = loop.run(self.steps, epochs.model.steps_per_execution)
        epochs.done = self.steps.done
        return logs


class FusedCallbacks(keras.callbacks.CallbackList):
    """The callbacks of fused epochs, which receive the same numbers as from `Model.fit`.

    Args:
        callbacks: List of `keras.callbacks.Callback`, or `None`.
        trained: `FusedEpochs` of the training data, or `None`.
        tested: `FusedEpochs` of the data to evaluate, or `None`.
        settings: Further arguments of `keras.callbacks.CallbackList`.
    """

    def __init__(self, callbacks, trained=None, tested=None, **settings):
        self._trained, self._tested = trained, tested
        # A model that was compiled for several steps in a call gets the numbers that Keras passes.
        self._passes_all = settings["model"].steps_per_execution != 1
        super().__init__(callbacks, **settings)

    def on_train_begin(self, logs=None):
        """Trace the steps, so that this does not count as time of the first epoch."""
        super().on_train_begin(logs)
        self._trained.loop()

    def on_epoch_begin(self, epoch, logs=None):
        """Set the number of the epoch, which determines the order of the data."""
        self._trained.epoch = epoch
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """Pass the number of the last step that ran, not of one after the end of the epoch."""
        super().on_train_batch_end(self._last_step(batch, self._trained), logs)

    def on_test_batch_end(self, batch, logs=None):
        """Pass the number of the last step that ran."""
        super().on_test_batch_end(self._last_step(batch, self._tested), logs)

    def _last_step(self, batch, epochs):
        return batch if self._passes_all else min(batch, epochs.done - 1)


class _StepFunction:
    """The function of a model that Keras' loop calls: for a pass of ours, and for any iterator.

    A callback may call the model's own `evaluate` with other data.
    """

    def __init__(self, model, step):
        self._model, self._step, self._keras_function = model, step, None

    def __call__(self, iterator):
        if isinstance(iterator, _Pass):
            return iterator.run()
        if self._keras_function is None:
            self._keras_function = keras_private.make_step_function(self._model, self._step)
        return self._keras_function(iterator)


@contextlib.contextmanager
def fused_steps(model, steps_per_call):
    """Run a model's steps by `FusedEpochs` inside the block.

    Args:
        model: `keras.Model`.
        steps_per_call: Integer, the number of steps in one call.
    """
    before = model.train_function, model.test_function, model.steps_per_execution
    model.train_function = _StepFunction(model, model.train_step)
    model.test_function = _StepFunction(model, model.test_step)
    model.steps_per_execution = steps_per_call
    try:
        yield
    finally:
        model.train_function, model.test_function, model.steps_per_execution = before

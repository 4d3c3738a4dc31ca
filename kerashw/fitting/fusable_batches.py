"""Which data, models and callbacks fused steps can take over from Keras' own loop."""

import random
import zlib

import keras
import numpy as np
import tensorflow as tf

from kerashw import keras_private
from kerashw.datasets.dataset_batches import DatasetBatches
from kerashw.datasets.pipeline import ArrayBatches, Batches
from kerashw.errors import InputError
from kerashw.fitting import replica_step
from kerashw.fitting.lost_workers import worker_count


def fusable_batches(
    model,
    callbacks,
    x,
    y=None,
    sample_weight=None,
    batch_size=None,
    steps=None,
    shuffle=False,
    class_weight=None,
    initial_epoch=0,
):
    """Return the data as batches that fused steps can load, or why they cannot: a string.

    Raises:
        InputError: If the data are batches already, but cannot be used.
    """
    is_batches = isinstance(x, (Batches, ArrayBatches, DatasetBatches))
    reason = _unfusable_part(model, callbacks)
    beside = [part is not None for part in (y, sample_weight, class_weight)]
    if is_batches and (reason or any(beside)):
        raise InputError(
            f"{type(x).__name__} contain the targets, and are for fused steps alone. Received: "
            + (reason or "targets or weights beside them")
        )
    if reason or is_batches:
        return reason or x
    distributed = replica_step.is_distributed(model)
    inputs = keras_private.array_inputs(x, y, sample_weight, class_weight, batch_size, steps)
    if inputs is not None:
        arrays, size = inputs
        leaves = keras.tree.flatten(arrays)
        if all(isinstance(leaf, (np.ndarray, tf.Tensor)) for leaf in leaves):
            if not len(leaves[0]):
                return "there are no examples"
            arrays = keras.tree.map_structure(tf.convert_to_tensor, arrays)
            batches = ArrayBatches(arrays, size)
            batches.seed = _order_seed(model, initial_epoch * batches.steps) if shuffle else None
            return batches
    if not distributed and (reason := _unfusable_data(x, steps)):
        return reason
    adapter = keras_private.data_adapter(x, y, sample_weight, class_weight, batch_size, steps)
    dataset = adapter.get_tf_dataset()
    if not all(isinstance(spec, tf.TensorSpec) for spec in tf.nest.flatten(dataset.element_spec)):
        return "the data are not dense"
    return DatasetBatches(dataset, None if isinstance(x, tf.data.Dataset) else adapter)


def _unfusable_part(model, callbacks):
    """Return what Keras alone can do with a model or its callbacks, or `None`."""
    if not getattr(model, "compiled", False):
        return "the model is not compiled"
    if model.run_eagerly:
        return "the model is compiled with run_eagerly=True"
    if tf.config.functions_run_eagerly():
        return "TensorFlow runs functions eagerly"
    if keras_private.makes_its_own_functions(model):
        return "the model has a make_train_function or make_test_function of its own"
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return "the callbacks are a CallbackList"
    return None


def _order_seed(model, steps_of_epochs_before):
    """Return a seed that follows `keras.utils.set_random_seed`, and differs from call to call.

    It is not drawn, so that all later random numbers are those of `Model.fit`. A training that is
    resumed with `initial_epoch` after the same `set_random_seed` has the seed of its beginning.
    """
    done = keras_private.steps_done(model.optimizer) - steps_of_epochs_before
    # Workers must have the same order, and each has a random state of its own.
    state = random.getstate() if worker_count(model.distribute_strategy) == 1 else None
    return zlib.crc32(repr((done, state)).encode())


def _unfusable_data(x, steps):
    """Return why data other than arrays cannot be fused, or `None`."""
    if not isinstance(x, tf.data.Dataset):
        return f"data of type {type(x).__name__} are read by Python"
    cardinality = int(x.cardinality())
    if cardinality > 0 or (cardinality == tf.data.INFINITE_CARDINALITY and steps):
        return None
    return "the tf.data.Dataset has no known length (see tf.data.experimental.assert_cardinality)"

"""Which data, models and callbacks fused steps can take over from Keras' own loop."""

import keras
import numpy as np
import tensorflow as tf

from kerashw import keras_private
from kerashw.datasets.dataset_batches import DatasetBatches
from kerashw.datasets.pipeline import ArrayBatches, Batches
from kerashw.errors import InputError
from kerashw.fitting import replica_step

SEED = 0  # of the order of arrays


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
):
    """Return the data as batches that fused steps can load, or why they cannot: a string.

    Raises:
        InputError: If the data are batches already, but cannot be used.
    """
    is_batches = isinstance(x, (Batches, ArrayBatches, DatasetBatches))
    reason = _unfusable_part(model, callbacks)
    if is_batches and (reason or y is not None or sample_weight is not None):
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
            arrays = keras.tree.map_structure(tf.convert_to_tensor, arrays)
            return ArrayBatches(arrays, size, SEED if shuffle else None)
    if not distributed and not _has_known_length(x, steps):
        return f"the data are of type {type(x).__name__}, of unknown length or not dense"
    adapter = keras_private.data_adapter(x, y, sample_weight, class_weight, batch_size, steps)
    dataset = adapter.get_tf_dataset()
    if not all(isinstance(spec, tf.TensorSpec) for spec in tf.nest.flatten(dataset.element_spec)):
        return "the data are not dense"
    return DatasetBatches(dataset, adapter)


def _unfusable_part(model, callbacks):
    """Return what Keras alone can do with a model or its callbacks, or `None`."""
    if not getattr(model, "compiled", False):
        return "the model is not compiled"
    if model.run_eagerly:
        return "the model is compiled with run_eagerly=True"
    if keras_private.makes_its_own_functions(model):
        return "the model has a make_train_function or make_test_function of its own"
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return "the callbacks are a CallbackList"
    return None


def _has_known_length(x, steps):
    if not isinstance(x, tf.data.Dataset):
        return False
    cardinality = int(x.cardinality())
    return cardinality > 0 or (cardinality == tf.data.INFINITE_CARDINALITY and bool(steps))

"""Steps under a strategy equal steps on one device, with real replicas and real workers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.fitting import fit
from kerashw.models import softmax_regression
from tests.fitting.training_jobs import BATCH_SIZE, EXAMPLES, arrays_of

WORKERS = ["worker-0-of-2", "worker-1-of-2"]
MODELS = ["softmax", "mlp", "convnet", "arrays", "dataset"]


def assert_equal_arrays(results, expected, name):
    for array, same in zip(arrays_of(results, name), arrays_of(expected, name), strict=True):
        np.testing.assert_allclose(array, same, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("strategy", ["mirrored-3", *WORKERS])
@pytest.mark.parametrize("model", MODELS)
def test_losses_and_weights_equal_those_on_one_device(job_results, model, strategy):
    assert_equal_arrays(job_results[strategy], job_results["default"], model)


@pytest.mark.slow
def test_two_local_replicas_equal_one_device(job_results, run_training_jobs, tmp_path):
    results = run_training_jobs(tmp_path, "mirrored-2-models")
    for model in MODELS:
        assert_equal_arrays(results, job_results["default"], model)


@pytest.mark.slow
def test_a_single_worker_equals_one_device(job_results, run_training_jobs, tmp_path):
    alone = run_training_jobs(tmp_path, "worker-0-of-1", workers=1)
    assert alone.keys() == job_results["default"].keys()
    for name, array in alone.items():
        np.testing.assert_allclose(array, job_results["default"][name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("strategy", ["mirrored-2", *WORKERS])
def test_synchronized_normalization_equals_one_device_for_even_parts(job_results, strategy):
    assert_equal_arrays(job_results[strategy], job_results["default"], "synchronized")


@pytest.mark.parametrize("strategy", ["default", "mirrored-2", "mirrored-3", *WORKERS])
def test_each_example_counts_once_with_the_weight_of_its_batch(job_results, strategy):
    (weights,) = arrays_of(job_results[strategy], "example weights")
    # All but one of the 41 examples are in batches of 8. The last one is alone in its batch.
    expected = [1 / BATCH_SIZE] * (EXAMPLES - 1) + [1]
    np.testing.assert_allclose(np.sort(-weights[:, 0]), expected, rtol=1e-6)


def test_unsupported_models_are_refused():
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    x, y = np.zeros((4, 28, 28, 1)), np.zeros(4)

    class CustomStep(keras.Model):
        def train_step(self, batch):
            return {}

    def assert_refused(message, model_class=keras.Model, optimizer=None, loss=None):
        with strategy.scope():
            base = softmax_regression()
            model = model_class(base.inputs, base.outputs)
            model.compile(optimizer or "sgd", loss or "sparse_categorical_crossentropy")
        with pytest.raises(InputError, match=message):
            fit(model, x, y, verbose=0)

    assert_refused("train_step of its own", CustomStep)
    assert_refused("accumulation", optimizer=keras.optimizers.SGD(gradient_accumulation_steps=2))
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    assert_refused("reduction='sum'", loss=loss)
    with strategy.scope():
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    assert_refused("mixed_bfloat16", optimizer=scaled)


def test_synchronized_layers_need_known_batch_sizes():
    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        layers = [keras.Input((3,)), keras.layers.BatchNormalization(synchronized=True)]
        model = keras.Sequential([*layers, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    dataset = tf.data.Dataset.from_tensor_slices((np.zeros((4, 3)), np.zeros(4))).batch(2)
    with pytest.raises(InputError, match=r"drop_remainder.*Received: not known"):
        fit(model, dataset, verbose=0)

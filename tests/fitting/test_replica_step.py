"""Steps under a strategy equal steps on one device, with real replicas and real workers."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.fitting import fit
from kerashw.models import softmax_regression
from tests.fitting.feature_jobs import FEATURE_JOBS, Generated, dense
from tests.fitting.training_jobs import BATCH_SIZE, EXAMPLES, arrays_of

WORKERS = ["worker-0-of-2", "worker-1-of-2"]
QUICK_MODELS = ["softmax", "arrays"]
SLOW_MODELS = ["dataset", "mlp", "convnet", *FEATURE_JOBS]


def assert_equal_arrays(results, expected, name):
    for array, same in zip(arrays_of(results, name), arrays_of(expected, name), strict=True):
        np.testing.assert_allclose(array, same, rtol=1e-5, atol=1e-5)


def assert_counts_once(results):
    (weights,) = arrays_of(results, "example weights")
    # All but one of the 41 examples are in batches of 8. The last one is alone in its batch.
    expected = [1 / BATCH_SIZE] * (EXAMPLES - 1) + [1]
    np.testing.assert_allclose(np.sort(-weights[:, 0]), expected, rtol=1e-6)


@pytest.mark.parametrize("model", QUICK_MODELS)
def test_losses_and_weights_equal_those_on_one_device(job_results, model):
    assert_equal_arrays(job_results["mirrored-3"], job_results["default"], model)


@pytest.mark.parametrize("strategy", ["default", "mirrored-3", *WORKERS])
def test_images_from_the_disk_give_the_same_result(job_results, strategy):
    found, expected = (arrays_of(job_results[strategy], name) for name in ("streamed", "softmax"))
    for array, same in zip(found, expected, strict=True):
        np.testing.assert_array_equal(array, same)


@pytest.mark.parametrize("strategy", WORKERS)
@pytest.mark.parametrize("model", ["softmax", "synchronized"])
def test_two_workers_equal_one_device(job_results, model, strategy):
    assert_equal_arrays(job_results[strategy], job_results["default"], model)


@pytest.mark.parametrize("strategy", ["default", "mirrored-3", *WORKERS])
def test_each_example_counts_once_with_the_weight_of_its_batch(job_results, strategy):
    assert_counts_once(job_results[strategy])


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["mirrored-2", "mirrored-3", *WORKERS])
@pytest.mark.parametrize("model", SLOW_MODELS)
def test_every_feature_is_as_on_one_device(slow_job_results, model, strategy):
    assert_equal_arrays(slow_job_results[strategy], slow_job_results["default"], model)


@pytest.mark.slow
def test_every_model_and_layer_is_as_on_one_device(job_results, slow_job_results):
    expected = job_results["default"]
    for model in ("softmax", "arrays", "synchronized"):
        assert_equal_arrays(slow_job_results["mirrored-2"], expected, model)
    assert_counts_once(slow_job_results["mirrored-2"])
    for strategy in WORKERS:
        assert_equal_arrays(slow_job_results[strategy], expected, "arrays")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_other_numbers_of_workers_equal_one_device(
    job_results, slow_job_results, job_results_of_workers, workers, tmp_path
):
    results = job_results_of_workers(tmp_path, workers)
    for model in QUICK_MODELS:
        assert_equal_arrays(results, job_results["default"], model)
    assert_equal_arrays(results, slow_job_results["default"], "dataset")


def test_unsupported_models_are_refused():
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    x, y = np.zeros((4, 28, 28, 1)), np.zeros(4)

    def assert_refused(message, make_loss=str, model_class=keras.Model):
        with strategy.scope():
            base = softmax_regression()
            model = model_class(base.inputs, base.outputs)
            model.compile("sgd", make_loss())
        with pytest.raises(InputError, match=message):
            fit(model, x, y, verbose=0)

    assert_refused("reduction=None", lambda: keras.losses.MeanSquaredError(reduction=None))
    assert_refused("not built", lambda: "sparse_categorical_crossentropy", TwoOptimizers)


class TwoOptimizers(keras.Model):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.second_optimizer = keras.optimizers.SGD()


def test_synchronized_layers_need_known_batch_sizes():
    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        layers = [keras.Input((3,)), keras.layers.BatchNormalization(synchronized=True)]
        model = keras.Sequential([*layers, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    dataset = tf.data.Dataset.from_tensor_slices((np.zeros((4, 3)), np.zeros(4))).batch(2)
    with pytest.raises(InputError, match=r"drop_remainder.*Received: not known"):
        fit(model, dataset, verbose=0)


class ReadAhead(Generated):
    """Batches that two threads have read before the first step of an epoch."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.unread = threading.Semaphore(0)

    def __getitem__(self, index):
        self.unread.release()
        return super().__getitem__(index)

    def on_epoch_begin(self):
        for _ in range(len(self)):
            assert self.unread.acquire(timeout=60)


def test_batches_that_were_read_for_another_epoch_are_not_used():
    def losses(data):
        keras.utils.set_random_seed(0)
        with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
            model = dense()
            model.compile("sgd", "sparse_categorical_crossentropy")
        return fit(model, data, shuffle=False, epochs=2, verbose=0).history["loss"]

    assert losses(ReadAhead(workers=2)) == losses(Generated())

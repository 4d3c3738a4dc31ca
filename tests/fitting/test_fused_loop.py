"""How the fused loop is compiled, and when it calls callbacks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.fitting import fit, fused_loop
from kerashw.fitting.fused_loop import FusedLoop
from kerashw.fitting.steps_per_call import STEPS_PER_CALL
from kerashw.models import softmax_regression
from tests.conftest import compiled
from tests.fitting.mnist_batches import mnist_batches
from tests.fitting.test_keras_parity import few, small, train_both


@pytest.mark.parametrize("jit_compile", [True, False])
@pytest.mark.parametrize("device", ["CPU", "GPU"])
def test_xla_compiles_on_gpus_if_the_model_allows_it(jit_compile, device, data, monkeypatch):
    # On a CPU, XLA makes an epoch of the ConvNet five times as slow, so it is never used there.
    found = tf.config.LogicalDevice(f"/device:{device}:0", device)
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda kind=device: [found] * (kind == device)
    )
    model = compiled(softmax_regression(), jit_compile=jit_compile)
    loop = FusedLoop(model, mnist_batches(data)[0], training=True).loop
    compiled_by_xla = loop.function_def.attr["_XlaMustCompile"].b
    assert compiled_by_xla == (device == "GPU" and jit_compile)


@pytest.mark.slow
def test_xla_compiles_the_steps_of_datasets_and_the_loops_of_arrays(monkeypatch):
    monkeypatch.setattr(fused_loop, "_on_cpu", lambda: False)

    def build():
        model = small()
        model.compile("adam", "sparse_categorical_crossentropy", jit_compile=True)
        return model

    def dataset():
        return tf.data.Dataset.from_tensor_slices(few()).batch(32)

    # Full batches of the validation data, because every other size is compiled again.
    train_both(build, data=dataset, validation_examples=192)


class Recorder(keras.callbacks.Callback):
    """Records its calls, and stops the training after an epoch."""

    batch_interval = 0

    def __init__(self, stop_after):
        super().__init__()
        self.batches, self.epochs, self.stop_after = [], [], stop_after

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((epoch, sorted(logs)))
        self.model.stop_training = epoch == self.stop_after


@pytest.mark.parametrize(
    ("steps_per_execution", "interval"),
    [(1, STEPS_PER_CALL), (2, 2), pytest.param(1000, 1000, marks=pytest.mark.slow)],
)
def test_callbacks_run_every_32_steps_or_as_compiled(data, steps_per_execution, interval):
    train, test = mnist_batches(data)
    recorder = Recorder(stop_after=1)
    model = compiled(softmax_regression(), steps_per_execution=steps_per_execution)
    history = fit(model, train, epochs=5, callbacks=[recorder], verbose=0, validation_data=test)
    names = ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert recorder.epochs == [(0, names), (1, names)]
    ends = range(interval - 1, train.steps + interval - 1, interval)
    # Keras passes numbers after the end of the epoch to a model compiled for several steps.
    last = train.steps - 1 if steps_per_execution == 1 else ends[-1]
    assert recorder.batches == [*ends[:-1], last] * 2
    assert history.epoch == [0, 1]
    assert history.params["steps"] == train.steps


def test_a_custom_train_step_is_used(data):
    class Counter(keras.Model):
        """Trains nothing, and counts its examples."""

        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.examples = keras.metrics.Sum(name="examples")

        def train_step(self, batch):
            images, _ = batch
            self.examples.update_state(keras.ops.ones(keras.ops.shape(images)[0]))
            return {"examples": self.examples.result()}

    base = softmax_regression()
    model = Counter(base.inputs, base.outputs)
    model.compile(keras.optimizers.SGD())
    history = fit(model, mnist_batches(data)[0], epochs=2, verbose=0).history
    assert history["examples"] == [1000, 1000]


def test_metrics_may_be_arrays():
    model = small()
    model.compile("adam", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
    x, y = few()
    history = fit(model, x, keras.utils.to_categorical(y), verbose=0).history
    (scores,) = history["f1_score"]
    assert np.shape(scores) == (3,)

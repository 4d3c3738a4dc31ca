"""Training with kerashw and with Keras' own `fit`, one epoch per round.

    python -m kerashw.benchmark.peers.keras_fit kerashw|keras float32|bfloat16 OPTIONS

is a worker process of `kerashw.benchmark.process_rounds.run_rounds`.
"""

import sys

import keras
import numpy as np

from kerashw.benchmark.process_rounds import run_worker
from kerashw.datasets import mnist
from kerashw.datasets.pipeline import Batches
from kerashw.fitting import fit
from kerashw.layers import Conv2D, Dense, Dropout
from kerashw.models import TEST_BATCH_SIZE, compiled_model


def train(timed_round, options, library="kerashw", precision="float32"):
    """Train and test a model on MNIST, one epoch per round.

    Args:
        timed_round: Function that returns a context manager, from
            `kerashw.benchmark.process_rounds.run_worker`.
        options: Dict of `model`, `rounds`, `batch_size`, `seed` and `data_dir`.
        library: "kerashw"; or "keras" for the `fit`, layers and optimizer of Keras on NumPy arrays,
            as in Keras' tutorials.
        precision: "float32" or "bfloat16".
    """
    data = mnist.load(data_dir=options["data_dir"])
    model = compiled_model(options["model"], options["seed"], (28, 28, 1), 10, precision)
    callbacks = [_TimedEpochs(timed_round)]
    if library == "kerashw":
        train_on = Batches(
            data.train_images, data.train_labels, options["batch_size"], options["seed"]
        )
        test_on = Batches(data.test_images, data.test_labels, TEST_BATCH_SIZE)
        fit(
            model,
            train_on,
            epochs=options["rounds"],
            verbose=0,
            callbacks=callbacks,
            validation_data=test_on,
        )
    else:
        _fit_with_keras(model, data, options, callbacks)


def _fit_with_keras(model, data, options, callbacks):
    weights = model.get_weights()
    model = keras.models.clone_model(model, clone_function=_clone_as_keras_layer)
    model.set_weights(weights)
    model.compile(
        keras.optimizers.Adadelta(1.0, 0.95, 1e-6),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        _as_floats(data.train_images),
        data.train_labels,
        batch_size=options["batch_size"],
        epochs=options["rounds"],
        validation_data=(_as_floats(data.test_images), data.test_labels),
        callbacks=callbacks,
        verbose=0,
    )


def _clone_as_keras_layer(layer):
    """Return a layer of Keras with the same settings."""
    keras_class = {cls: getattr(keras.layers, cls.__name__) for cls in (Conv2D, Dense, Dropout)}
    return keras_class.get(type(layer), type(layer)).from_config(layer.get_config())


def _as_floats(images):
    return images[..., np.newaxis].astype("float32") / 255


class _TimedEpochs(keras.callbacks.Callback):
    """Runs each epoch in a timed round, and reports its test accuracy."""

    def __init__(self, timed_round):
        super().__init__()
        self.timed_round = timed_round

    def on_epoch_begin(self, epoch, logs=None):
        self.context = self.timed_round()
        self.report = self.context.__enter__()

    def on_epoch_end(self, epoch, logs=None):
        self.report["accuracy"] = logs["val_accuracy"]
        self.context.__exit__(None, None, None)


if __name__ == "__main__":
    run_worker(lambda timed_round, options: train(timed_round, options, *sys.argv[1:-1]))

"""Epochs of ours and of Keras' own `fit`, an epoch a round.

    python -m kerashw.benchmark.peers.keras_fit kerashw|keras float32|bfloat16 OPTIONS

is a process of `kerashw.benchmark.process_rounds.take_rounds`.
"""

import sys

import keras
import numpy as np

from kerashw.benchmark.process_rounds import contend
from kerashw.datasets import mnist
from kerashw.datasets.pipeline import Batches
from kerashw.fitting import fit
from kerashw.layers import Dense, Dropout
from kerashw.models import TEST_BATCH_SIZE, compiled_model


def train(turn, options, way="kerashw", precision="float32"):
    """Train and test a model on MNIST, an epoch a turn.

    Args:
        turn: Context manager, from `kerashw.benchmark.process_rounds.contend`.
        options: Dict of `model`, `rounds`, `batch_size`, `seed` and `data_dir`.
        way: "kerashw", or "keras" for Keras' own `fit`, layers and optimizer on NumPy arrays, as in
            every tutorial.
        precision: "float32" or "bfloat16".
    """
    data = mnist.load(data_dir=options["data_dir"])
    model = compiled_model(options["model"], options["seed"], (28, 28, 1), 10, precision)
    callbacks = [_EpochIsTurn(turn)]
    if way == "kerashw":
        train_on = Batches(
            data.train_images, data.train_labels, options["batch_size"], options["seed"]
        )
        test_on = Batches(data.test_images, data.test_labels, TEST_BATCH_SIZE)
        fit(model, train_on, test_on, options["rounds"], callbacks=callbacks, verbose=0)
    else:
        _fit_keras(model, data, options, callbacks)


def _fit_keras(model, data, options, callbacks):
    weights = model.get_weights()
    model = keras.models.clone_model(model, clone_function=_as_keras_own)
    model.set_weights(weights)
    model.compile(
        keras.optimizers.Adadelta(1.0, 0.95, 1e-6),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        _floats(data.train_images),
        data.train_labels,
        batch_size=options["batch_size"],
        epochs=options["rounds"],
        validation_data=(_floats(data.test_images), data.test_labels),
        callbacks=callbacks,
        verbose=0,
    )


def _as_keras_own(layer):
    """Return a layer of Keras' own with the same settings."""
    own = {Dense: keras.layers.Dense, Dropout: keras.layers.Dropout}
    return own.get(type(layer), type(layer)).from_config(layer.get_config())


def _floats(images):
    return images[..., np.newaxis].astype("float32") / 255


class _EpochIsTurn(keras.callbacks.Callback):
    """Trains an epoch when it has the turn, and reports the accuracy of its test."""

    def __init__(self, turn):
        super().__init__()
        self.turn = turn

    def on_epoch_begin(self, epoch, logs=None):
        self.current = self.turn()
        self.report = self.current.__enter__()

    def on_epoch_end(self, epoch, logs=None):
        self.report["accuracy"] = logs["val_accuracy"]
        self.current.__exit__(None, None, None)


if __name__ == "__main__":
    contend(lambda turn, options: train(turn, options, *sys.argv[1:-1]))

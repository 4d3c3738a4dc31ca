"""What an epoch of `kerashw.fitting.fit` costs, and loading the data, beside the usual ways."""

import keras
import numpy as np

from kerashw.benchmarks.turns import Comparison, take_turns
from kerashw.datasets import mnist
from kerashw.datasets.pipeline import Batches
from kerashw.fitting import fit
from kerashw.training import TEST_BATCH_SIZE, compiled_model

BATCH_SIZE = 128
# As many as take some seconds each.
ROUNDS = {"softmax": 10, "mlp": 5, "convnet": 2}


def measure(setup):
    """Compare loading and epochs; see `compare_loading` and `compare_training`."""
    setup.progress("loading MNIST")
    yield from compare_loading(setup.data_dir)
    setup.progress("epochs")
    yield from compare_training(setup.data_dir)


def compare_training(data_dir=None, models=tuple(ROUNDS)):
    """Time epochs, training and test, of our `fit` and of Keras' on NumPy arrays.

    Both train the same model with the same optimizer, batch size and data; Keras' has its own
    defaults otherwise, as in every tutorial.

    Args:
        data_dir: As in `kerashw.datasets.mnist.load`.
        models: Names from `kerashw.models.MODELS`.

    Yields:
        `Comparison`, one a model.
    """
    data = mnist.load(data_dir=data_dir)
    for name in models:
        epochs = 1 + ROUNDS[name]
        ours, theirs = (compiled_model(name, 0, (28, 28, 1), 10) for _ in range(2))
        theirs.optimizer = None
        theirs.compile(
            keras.optimizers.Adadelta(1.0, 0.95, 1e-6),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        seconds = take_turns(
            lambda turn, ours=ours, epochs=epochs: _fit_ours(ours, data, epochs, turn),
            lambda turn, theirs=theirs, epochs=epochs: _fit_keras(theirs, data, epochs, turn),
        )
        accuracies = [100 * m.history.history["val_accuracy"][-1] for m in (ours, theirs)]
        quality = "test accuracy {:.2f} %, {:.2f} %".format(*accuracies)
        yield Comparison(f"epoch of {name}", "Keras' fit", *seconds, quality)


def compare_loading(data_dir=None, rounds=3):
    """Time the loading of the prepared MNIST into memory, ours and tensorflow-datasets' way.

    Args:
        data_dir: As in `kerashw.datasets.mnist.load`.
        rounds: Integer, how often each is timed.

    Yields:
        `Comparison`.
    """
    import tensorflow_datasets as tfds

    loaded = {}

    def ours(turn):
        for _ in range(rounds + 1):
            with turn():
                loaded["ours"] = mnist.load(data_dir=data_dir)

    def theirs(turn):
        for _ in range(rounds + 1):
            with turn():
                loaded["theirs"] = tfds.as_numpy(
                    tfds.load("mnist", data_dir=data_dir, download=False, batch_size=-1)
                )

    mnist.load(data_dir=data_dir)  # prepares it, where that is still to do
    seconds = take_turns(ours, theirs)
    same = np.array_equal(loaded["ours"].train_labels, loaded["theirs"]["train"]["label"])
    quality = "the same examples" if same else "NOT the same examples"
    yield Comparison("MNIST into memory", "tfds.load", *seconds, quality)


class _EpochIsTurn(keras.callbacks.Callback):
    """Trains an epoch when it has the turn."""

    def __init__(self, turn):
        super().__init__()
        self.turn = turn

    def on_epoch_begin(self, epoch, logs=None):
        self.current = self.turn()
        self.current.__enter__()

    def on_epoch_end(self, epoch, logs=None):
        self.current.__exit__(None, None, None)


def _fit_ours(model, data, epochs, turn):
    train = Batches(data.train_images, data.train_labels, BATCH_SIZE, seed=0)
    test = Batches(data.test_images, data.test_labels, TEST_BATCH_SIZE)
    fit(model, train, test, epochs, callbacks=[_EpochIsTurn(turn)], verbose=0)


def _fit_keras(model, data, epochs, turn):
    def floats(images):
        return images[..., np.newaxis].astype("float32") / 255

    model.fit(
        floats(data.train_images),
        data.train_labels,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(floats(data.test_images), data.test_labels),
        callbacks=[_EpochIsTurn(turn)],
        verbose=0,
    )

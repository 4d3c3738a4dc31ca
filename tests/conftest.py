"""What the tests share: the prepared MNIST, and small pieces of it."""

import os

import keras
import pytest

from kerashw.datasets import mnist

# Keras imports JAX where it is installed, and JAX sets this. The commands are tried without.
os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)


def pytest_configure(config):
    # Prepared once for all test sessions, and not in the user's own folder.
    os.environ["TFDS_DATA_DIR"] = str(config.cache.mkdir("tensorflow_datasets"))


@pytest.fixture(scope="session")
def data():
    """The whole of MNIST."""
    return mnist.load()


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)


def compiled(model, **settings):
    """Compile a model as a run does."""
    from kerashw.optimizers import Adadelta

    model.compile(Adadelta(), "sparse_categorical_crossentropy", metrics=["accuracy"], **settings)
    return model

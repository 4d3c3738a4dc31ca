"""What the tests share: the prepared MNIST, and small pieces of it."""

import importlib.util
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess

import keras
import pytest

from kerashw.datasets import mnist

ROOT = pathlib.Path(__file__).parent.parent

# Keras imports JAX where it is installed, and JAX sets this. The commands are tried without.
os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)

# A job in the background of a shell ignores interruptions, and so would what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


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


ON_TENSORFLOW = keras.config.backend() == "tensorflow"
# Layers are tested on JAX too, but for what only TensorFlow has or is given.
on_tensorflow = pytest.mark.skipif(not ON_TENSORFLOW, reason="of the TensorFlow backend alone")


def compiled(model, **settings):
    """Compile a model as a run does."""
    from kerashw.optimizers import Adadelta

    model.compile(Adadelta(), "sparse_categorical_crossentropy", metrics=["accuracy"], **settings)
    return model


def tool(name):
    """Return a program's path; without it, the test is left out, or fails where it must run."""
    found = shutil.which(name)
    if not found and os.environ.get("KERASHW_REQUIRE_TOOLS"):
        pytest.fail(f"{name} is not installed")
    return found or pytest.skip(f"{name} is not installed")


def peer(name):
    """Import a peer of the benchmark; without it, the same, by a variable of its own."""
    if not importlib.util.find_spec(name) and os.environ.get("KERASHW_REQUIRE_PEERS"):
        pytest.fail(f"{name} is not installed")
    return pytest.importorskip(name)


def shown_in_a_terminal(command):
    """Run a command to its end in a terminal of 120 columns; return all that it showed."""
    ours, its = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "120"}
    process = subprocess.Popen(command, stdout=its, stderr=its, env=environment)
    os.close(its)
    shown = b""
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # Linux' way to say that the other end is closed
            break
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode()

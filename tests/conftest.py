"""Fixtures and functions that all tests share, above all the prepared MNIST."""

import gc
import importlib.util
import os
import pathlib
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import tempfile

import hypothesis
import keras
import pytest

from kerashw import keras_private
from kerashw.datasets import mnist

ROOT = pathlib.Path(__file__).parent.parent

# JAX, which Keras imports if it is installed, sets this. The tested commands must not inherit it.
os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)

# A background job of a shell ignores SIGINT, and the processes that it starts inherit this.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test depends on how long something takes.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


# Garbage collection need not search what TensorFlow and Keras have imported.
gc.freeze()


def pytest_configure(config):
    # Data sets are prepared once for all test sessions, outside the user's own folder.
    os.environ["TFDS_DATA_DIR"] = str(config.cache.mkdir("tensorflow_datasets"))


@pytest.fixture(scope="session")
def data():
    """The complete MNIST."""
    return mnist.load()


@pytest.fixture
def run_here(capsys):
    """Runs a command in this process, where TensorFlow is started already."""

    def run(main, *arguments):
        try:
            code = main(list(map(str, arguments)))
        except SystemExit as ended:
            code = ended.code
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


@pytest.fixture
def public_folder():
    """A folder that other users may enter, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o755)
        yield pathlib.Path(folder)


@pytest.fixture(autouse=True)
def _seeded():
    # Keras draws its seeds from Python's generator. `keras.utils.set_random_seed` would also seed
    # TensorFlow, which then prepares all graphs again.
    random.seed(0)


ON_TENSORFLOW = keras.config.backend() == "tensorflow"
# The layers are also tested on JAX, except for features of the TensorFlow backend.
on_tensorflow = pytest.mark.skipif(not ON_TENSORFLOW, reason="needs the TensorFlow backend")
since_keras_3_14 = pytest.mark.skipif(
    keras_private.VERSION < (3, 14), reason="Keras' own fails before 3.14"
)


def compiled(model, **settings):
    """Compile a model as `kerashw.train` does."""
    from kerashw.optimizers import Adadelta

    model.compile(Adadelta(), "sparse_categorical_crossentropy", metrics=["accuracy"], **settings)
    return model


def find_program(name):
    """Return the path of a program; skip the test if it is not installed.

    With KERASHW_REQUIRE_TOOLS in the environment the test fails instead.
    """
    found = shutil.which(name)
    if not found and os.environ.get("KERASHW_REQUIRE_TOOLS"):
        pytest.fail(f"{name} is not installed")
    return found or pytest.skip(f"{name} is not installed")


def import_peer(name):
    """Import a package of the extras `benchmark` or `jax`; skip the test if it is not installed.

    With KERASHW_REQUIRE_PEERS in the environment the test fails instead.
    """
    if not importlib.util.find_spec(name) and os.environ.get("KERASHW_REQUIRE_PEERS"):
        pytest.fail(f"{name} is not installed")
    return pytest.importorskip(name)


def without_info_of_tensorflow(errors):
    """Remove the lines of level INFO that TensorFlow 2.20 writes whatever its log level is."""
    return re.sub(r"(?m)^(WARNING: All log messages before absl::|I0000 ).*\n", "", errors)


def run_in_terminal(command, columns=120, **environment):
    """Run a command in a terminal; return its output, with escape sequences."""
    reading_end, terminal = pty.openpty()
    environment = {"TERM": "xterm-256color", "COLUMNS": str(columns)} | environment
    environment = os.environ | environment
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    output = b""
    while process.poll() is None or select.select([reading_end], [], [], 0)[0]:
        try:
            output += os.read(reading_end, 65536)
        except OSError:  # Linux reports in this way that the process has closed the terminal
            break
    os.close(reading_end)
    assert process.wait(60) == 0
    return output.decode()

"""What passes of Keras' own tests passes with our functions and optimizers too."""

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import keras
import pytest

from tests.conftest import import_peer

# What the tests import from the conftest.py of Keras.
THEIRS = """
import pytest


def skip_if_backend(*arguments):
    return pytest.mark.skipif(False, reason="")
"""
FIT = """
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

from kerashw import fitting

for name in ("fit", "evaluate", "predict"):
    setattr(TensorFlowTrainer, name, getattr(fitting, name))
"""
OPTIMIZERS = """
import importlib

import keras

import kerashw.optimizers


@keras.saving.register_keras_serializable("tests")
class Adadelta(kerashw.optimizers.Adadelta):
    # With the defaults of Keras.
    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **settings):
        super().__init__(learning_rate, rho, epsilon, **settings)


NAMES = ["Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam"]
NAMES += ["RMSprop", "ScheduleFreeAdamW", "SGD"]
NAMES = [name for name in NAMES if hasattr(keras.optimizers, name)]
ours = {name: getattr(kerashw.optimizers, name) for name in NAMES}
for name, optimizer in (ours | {"Adadelta": Adadelta}).items():
    module = importlib.import_module(getattr(keras.optimizers, name).__module__)
    package = importlib.import_module("keras.src.optimizers")
    for place in (module, package):
        setattr(place, name, optimizer)
    package.ALL_OBJECTS_DICT[name.lower()] = optimizer
"""


def passed_tests(folder, conftest):
    """Run the tests in a folder; return the names of those that pass."""
    (folder / "conftest.py").write_text(conftest)
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-c/dev/null"]
    command += ["--continue-on-collection-errors"]
    report = folder / "report.xml"
    subprocess.run(
        [*command, f"--rootdir={folder}", f"--junit-xml={report}", folder],
        timeout=1800,
        check=False,
    )
    return {
        (case.get("classname"), case.get("name"))
        for case in ElementTree.parse(report).iter("testcase")
        if not len(case)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("patterns", "ours", "at_least"),
    [
        (("trainers/trainer_test.py", "callbacks/*_test.py"), FIT, 200),
        (("optimizers/*_test.py",), OPTIMIZERS, 100),
    ],
)
def test_what_passes_with_keras_passes_with_ours(patterns, ours, at_least, tmp_path):
    import_peer("jax")  # the tests import it
    source = Path(keras.__file__).parent / "src"
    for pattern in patterns:
        for file in source.glob(pattern):
            shutil.copy(file, tmp_path)
    expected = passed_tests(tmp_path, THEIRS)
    assert len(expected) > at_least
    assert not expected - passed_tests(tmp_path, THEIRS + ours)

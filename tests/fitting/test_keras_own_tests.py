"""What passes of Keras' own tests of training and callbacks passes with our functions too."""

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import keras
import pytest

from tests.conftest import import_peer

FOLDERS = ("trainers/trainer_test.py", "callbacks/*_test.py")
# What the tests import from the conftest.py of Keras.
THEIRS = """
import pytest


def skip_if_backend(*arguments):
    return pytest.mark.skipif(False, reason="")
"""
OURS = """
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

from kerashw import fitting

for name in ("fit", "evaluate", "predict"):
    setattr(TensorFlowTrainer, name, getattr(fitting, name))
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
def test_what_passes_with_keras_passes_with_ours(tmp_path):
    import_peer("jax")  # the tests import it
    source = Path(keras.__file__).parent / "src"
    for pattern in FOLDERS:
        for file in source.glob(pattern):
            shutil.copy(file, tmp_path)
    expected = passed_tests(tmp_path, THEIRS)
    assert len(expected) > 200
    assert not expected - passed_tests(tmp_path, THEIRS + OURS)

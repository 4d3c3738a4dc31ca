"""A process that imports `kerashw.models` can load every saved model."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import kerashw
from kerashw.layers import FactoredDense
from kerashw.models import softmax_regression
from kerashw.optimizers import Adadelta
from tests.conftest import compiled

PACKAGE = Path(kerashw.__file__).parent


def run_in_new_process(program, *arguments):
    """Run a program in a Python process with the same Keras backend, and return its output."""
    environment = {**os.environ, "KERAS_BACKEND": keras.config.backend()}
    environment["PYTHONPATH"] = str(PACKAGE.parent)
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# One process for all tests, because TensorFlow takes seconds to import.
LOAD = """
import pathlib, sys
import keras, kerashw.models, numpy as np

folder = pathlib.Path(sys.argv[1])
arrays = np.load(folder / "arrays.npz")
factored = keras.saving.load_model(folder / "factored.keras")
trained = keras.saving.load_model(folder / "trained.keras")
outputs = keras.ops.convert_to_numpy(factored(arrays["x"])).astype("float32")
trained.fit(arrays["images"], arrays["labels"], shuffle=False, verbose=0)
np.savez(folder / "results.npz", outputs=outputs, kernel=trained.get_weights()[0])
print(type(factored.layers[0]).__name__, factored.layers[0].dtype_policy.name)
print(type(trained.optimizer).__module__)
print(*keras.saving.get_custom_objects())
"""


class Loaded:
    """Two models that were saved here and loaded in a new process, and its results."""

    def __init__(self, folder):
        rng = np.random.default_rng(0)
        layer = FactoredDense(3, activation="softmax", dtype="mixed_bfloat16")
        self.factored = keras.Sequential([keras.Input((5,)), layer])
        self.factored.compile(Adadelta(), "mse")
        self.factored.save(folder / "factored.keras")
        self.x = rng.normal(size=(4, 5)).astype("float32")
        self.images = rng.random((64, 28, 28, 1), "float32")
        self.labels = rng.integers(0, 10, 64)
        self.trained = compiled(softmax_regression())
        self.trained.fit(self.images, self.labels, shuffle=False, verbose=0)
        self.trained.save(folder / "trained.keras")
        np.savez(folder / "arrays.npz", x=self.x, images=self.images, labels=self.labels)
        self.printed = run_in_new_process(LOAD, folder).splitlines()
        self.results = np.load(folder / "results.npz")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return Loaded(tmp_path_factory.mktemp("saved"))


def test_a_loaded_model_has_its_classes_its_policy_and_its_outputs(loaded):
    assert loaded.printed[0].split() == ["FactoredDense", "mixed_bfloat16"]
    assert loaded.printed[1] == "kerashw.optimizers"
    expected = keras.ops.convert_to_numpy(loaded.factored(loaded.x)).astype("float32")
    np.testing.assert_allclose(loaded.results["outputs"], expected, atol=0.01)


def test_a_loaded_model_continues_its_training_like_the_original(loaded):
    loaded.trained.fit(loaded.images, loaded.labels, shuffle=False, verbose=0)
    np.testing.assert_array_equal(loaded.results["kernel"], loaded.trained.get_weights()[0])


def test_importing_the_models_registers_every_class(loaded):
    sources = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    pattern = r'register_keras_serializable\(package="kerashw"\)\n *class (\w+)'
    classes = re.findall(pattern, sources)
    assert sources.count("@keras.saving.register_keras_serializable") == len(classes) > 0
    if not hasattr(keras.optimizers, "ScheduleFreeAdamW"):
        classes.remove("ScheduleFreeAdamW")
    assert {f"kerashw>{name}" for name in classes} <= set(loaded.printed[2].split())


def test_importing_kerashw_does_not_import_keras():
    program = """
import importlib.util, sys, kerashw
importlib.util.find_spec("keras")
print("keras" in sys.modules, "numpy" in sys.modules)
"""
    assert run_in_new_process(program).split() == ["False", "False"]

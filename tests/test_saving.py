"""A saved model loads in a fresh process with one import."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np

import kerashw
from kerashw.layers import FactoredDense
from kerashw.optimizers import Adadelta


def run_fresh(program, *arguments):
    """Run a program in a Python that has imported nothing yet, under the same backend."""
    environment = {**os.environ, "KERAS_BACKEND": keras.config.backend()}
    environment["PYTHONPATH"] = str(Path(kerashw.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_saved_model_loads_in_a_fresh_process_once_the_models_are_imported(tmp_path):
    layer = FactoredDense(3, activation="softmax", dtype="mixed_bfloat16")
    model = keras.Sequential([keras.Input((5,)), layer])
    model.compile(Adadelta(), "mse")
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    y = keras.ops.convert_to_numpy(model(x)).astype("float32")
    np.savez(tmp_path / "expected.npz", x=x, y=y)
    program = """
import keras, kerashw.models
import sys, numpy as np
model = keras.saving.load_model(sys.argv[1])
expected = np.load(sys.argv[2])
y = keras.ops.convert_to_numpy(model(expected["x"])).astype("float32")
np.testing.assert_allclose(y, expected["y"], atol=0.01)
print(type(model.layers[0]).__name__, model.layers[0].dtype_policy.name)
print(type(model.optimizer).__module__)
"""
    printed = run_fresh(program, tmp_path / "model.keras", tmp_path / "expected.npz")
    assert printed.split() == ["FactoredDense", "mixed_bfloat16", "kerashw.optimizers"]


def test_importing_kerashw_leaves_keras_to_the_user():
    program = """
import importlib.util, sys, kerashw
importlib.util.find_spec("keras")
print("keras" in sys.modules, "numpy" in sys.modules)
"""
    assert run_fresh(program).split() == ["False", "False"]

"""The command as a process, and what its tests compare."""

import json
import subprocess
import sys

import keras
import numpy as np

import kerashw.models  # noqa: F401 - registers the classes that saved models name

COMMAND = [sys.executable, "-m", "kerashw.train"]
SMALL = ["--train-examples", "1000", "--test-examples", "300"]


def train(*arguments, **settings):
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, **settings
    )


def history_of(output, model):
    """A model's history without the times, which no two runs share."""
    history = json.loads((output / model / "history.json").read_text())
    for epoch in history["epochs"]:
        del epoch["seconds"]
    return history


def assert_same_outcome(first, second, model):
    assert history_of(first, model) == history_of(second, model)
    one, other = (keras.saving.load_model(run / model / "model.keras") for run in (first, second))
    variables = zip(
        one.variables + one.optimizer.variables,
        other.variables + other.optimizer.variables,
        strict=True,
    )
    for weight, same in variables:
        if "seed_generator" not in weight.path:
            np.testing.assert_array_equal(weight, same)


def files_of(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def assert_nothing_half_written(folder):
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]


def assert_refused(ended, *messages):
    """One line on the standard error, exit code 2."""
    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    for message in messages:
        assert message in ended.stderr

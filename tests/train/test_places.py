"""Places and settings of a user's account that must not matter, or are named in one line."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from kerashw.train.__main__ import main
from tests.conftest import ROOT
from tests.places import as_other_user, read_only, small_disk
from tests.train.processes import (
    SMALL,
    assert_nothing_half_written,
    assert_refused,
    history_of,
    train,
)

QUICK = ["--model", "softmax", "--epochs", 1, *SMALL]
# Modules of Python, of kerashw's dependencies, and of those that Keras imports if they are there.
HIDING = ("random", "signal", "logging", "json", "keras", "numpy", "rich", "tensorflow", "torch")


def hide_modules(folder):
    for name in HIDING:
        (folder / f"{name}.py").write_text("raise SystemExit('a file of the user ran')")


@pytest.fixture(scope="module")
def usual(data, tmp_path_factory):
    """The folder of a run in a usual place."""
    output = tmp_path_factory.mktemp("runs") / "usual"
    assert main([*map(str, QUICK), "--output", str(output)]) == 0
    return output


def test_the_working_folder_and_the_home_folder_do_not_change_a_run(usual, tmp_path):
    home, here = tmp_path / "home", tmp_path / "a füll name"
    here.mkdir()
    hide_modules(here)
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text('{"backend": "jax", "floatx": "float16"}')
    environment = {name: value for name, value in os.environ.items() if "KERAS" not in name}
    with read_only(home):
        settings = {"cwd": here, "env": environment | {"HOME": str(home)}}
        ended = train(*QUICK, "--output", "r", **settings)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert history_of(here / "r", "softmax") == history_of(usual, "softmax")


@pytest.mark.parametrize("command", ["", ".train", ".verify", ".benchmark", ".serve"])
@pytest.mark.parametrize("installed", [True, False])
def test_files_of_the_user_hide_no_modules(tmp_path, command, installed):
    hide_modules(tmp_path)
    if not installed:
        (tmp_path / "kerashw").symlink_to(ROOT / "kerashw")
    line = [sys.executable, "-m", f"kerashw{command}", "--help"]
    ended = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"python -m kerashw{command}" in ended.stdout


@pytest.mark.parametrize("command", ["train", "verify", "benchmark"])
def test_another_backend_of_keras_is_refused(tmp_path, command):
    line = [sys.executable, "-m", f"kerashw.{command}"]
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    settings = {"cwd": tmp_path, "env": environment, "timeout": 60}
    ended = subprocess.run(line, capture_output=True, text=True, **settings)
    assert_refused(ended, "needs Keras on TensorFlow. Unset", "KERAS_BACKEND=jax")
    assert not list(tmp_path.iterdir())


# The first checkpoint of softmax regression has 100 kB, and its export 400 kB.
@pytest.mark.parametrize(
    ("kilobytes", "epochs"),
    [
        pytest.param(8, 0, marks=pytest.mark.slow),
        (160, 1),
        pytest.param(500, 2, marks=pytest.mark.slow),
    ],
)
def test_a_disk_that_is_full_in_the_middle_of_a_run(data, tmp_path, train_here, kilobytes, epochs):
    arguments = ["--model", "softmax", "--epochs", 2, *SMALL, "--output", tmp_path / "r"]
    with small_disk(tmp_path, kilobytes) as resize:
        full = train_here(*arguments)
        assert_refused(full, str(tmp_path / "r"), "No space left", "same command resumes")
        assert_nothing_half_written(tmp_path)
        assert full.stdout.count("/2 ") == epochs
        kept = history_of(tmp_path / "r", "softmax")["epochs"][:epochs] if epochs else []
        resize(20_000)
        ended = train_here(*arguments)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert_nothing_half_written(tmp_path)
        found = history_of(tmp_path / "r", "softmax")["epochs"]
        assert (len(found), found[:epochs]) == (2, kept)


def test_a_clock_that_was_set_back_during_a_run(usual, tmp_path, train_here):
    output = shutil.copytree(usual, tmp_path / "r")
    manifest = json.loads((output / "manifest.json").read_text())
    manifest |= {"started": "2999-12-31T12:00:00+00:00", "finished": None}
    (output / "manifest.json").write_text(json.dumps(manifest))
    assert train_here(*QUICK, "--output", output).returncode == 0
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["finished"] < manifest["started"]
    assert min(manifest["seconds"].values()) >= 0
    # Without a duration.
    assert "Trained on 2999-12-31 at 12:00 UTC, on " in (output / "report.html").read_text()


@pytest.mark.parametrize("forbidden", ["", "manifest.json", "softmax/model.keras", "exports"])
def test_a_run_of_another_user_that_is_not_readable(usual, public_folder, train_here, forbidden):
    output = shutil.copytree(usual, public_folder / "r")
    (output / forbidden).chmod(0)
    with as_other_user():
        ended = train_here(*QUICK, "--output", output)
    (output / forbidden).chmod(0o755)
    assert_refused(ended, str(output / forbidden), "Permission denied", "another --output")


def test_a_run_of_another_user_that_is_not_writable(usual, public_folder, train_here):
    output = shutil.copytree(usual, public_folder / "r")
    output.chmod(0o555)
    with as_other_user():
        assert train_here(*QUICK, "--output", output).returncode == 0
        refused = train_here(*QUICK[:-1], 299, "--output", public_folder / "new")
    assert_refused(refused, "cannot be written: Permission denied", "another --output")

"""Runs that are interrupted, killed or out of disk space, as real processes."""

import os
import random
import resource
import signal
import subprocess
import time

import pytest

from tests.train.processes import (
    COMMAND,
    SMALL,
    assert_nothing_half_written,
    assert_refused,
    assert_same_outcome,
    files_of,
    train,
)


def test_a_full_disk(data, tmp_path, train_here):
    # No file of more than a million bytes can be written: the first checkpoint of softmax
    # regression has 100,000, that of the MLP 8,000,000.
    limit = 1_000_000
    arguments = ["--model", "softmax", "mlp", "--epochs", 1, "--output", tmp_path / "r", *SMALL]
    limited = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))}
    assert_refused(train(*arguments, **limited), "resumes after the last finished epoch")
    assert_nothing_half_written(tmp_path / "r")
    assert (tmp_path / "r" / "softmax" / "model.keras").exists()
    assert train_here(*arguments).returncode == 0


KILLED = ["--model", "mlp", "--epochs", "6", "--deterministic", *SMALL]


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "uninterrupted"
    assert train(*KILLED, "--output", output).returncode == 0
    return output


def test_deterministic_runs_are_equal_to_the_last_bit(uninterrupted, tmp_path):
    assert train(*KILLED, "--output", tmp_path / "r").returncode == 0
    assert_same_outcome(uninterrupted, tmp_path / "r", "mlp")


def start_and_stop(output, signal_number, epoch):
    """Start the command and send it a signal at a random moment after an epoch."""
    process = subprocess.Popen(
        [*COMMAND, *KILLED, "--output", output],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    for line in process.stdout:
        if line.lstrip().startswith(f"{epoch}/"):
            break
    time.sleep(random.uniform(0, 0.3))
    process.send_signal(signal_number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.parametrize(
    "signal_number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_an_interrupted_run_says_so_and_goes_on(uninterrupted, signal_number, tmp_path):
    code, errors = start_and_stop(tmp_path / "r", signal_number, epoch=2)
    assert code == 130
    assert errors.count("\n") == 1
    assert "same command resumes" in errors
    assert_nothing_half_written(tmp_path / "r")
    assert train(*KILLED, "--output", tmp_path / "r").returncode == 0
    assert_same_outcome(uninterrupted, tmp_path / "r", "mlp")


def test_a_run_killed_again_and_again_ends_as_one_that_never_was(uninterrupted, tmp_path):
    for epoch in (1, 3):
        code, _ = start_and_stop(tmp_path / "r", signal.SIGKILL, epoch)
        assert code == -signal.SIGKILL
    assert train(*KILLED, "--output", tmp_path / "r").returncode == 0
    assert_same_outcome(uninterrupted, tmp_path / "r", "mlp")
    assert_nothing_half_written(tmp_path / "r")
    assert not (tmp_path / "r" / "mlp" / "checkpoint").exists()
    assert [path.name for path in (tmp_path / "r" / "exports" / "mlp").iterdir()] == ["1"]


@pytest.mark.parametrize(
    "damage", ["cut short", pytest.param("one byte changed", marks=pytest.mark.slow)]
)
def test_a_damaged_checkpoint_is_named(data, damage, tmp_path):
    start_and_stop(tmp_path / "r", signal.SIGKILL, epoch=2)
    checkpoint = max((tmp_path / "r" / "mlp" / "checkpoint").glob("epoch-*.keras"))
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.write_bytes(content[: len(content) // 2] if damage == "cut short" else content)
    before = {path for path in files_of(tmp_path) if ".writing-" not in str(path)}
    ended = train(*KILLED, "--output", tmp_path / "r")
    assert_refused(ended, checkpoint.name, "damaged", f"Delete {tmp_path / 'r' / 'mlp'}")
    assert files_of(tmp_path).keys() == before

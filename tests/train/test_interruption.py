"""Runs that are interrupted, killed or out of disk space, as real processes."""

import os
import random
import resource
import shutil
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
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        ended = train_here(*arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_refused(ended, "resumes after the last finished epoch")
    assert_nothing_half_written(tmp_path / "r")
    assert (tmp_path / "r" / "softmax" / "model.keras").exists()
    assert train_here(*arguments).returncode == 0


KILLED = ["--model", "mlp", "--epochs", "6", "--deterministic", *SMALL]


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "uninterrupted"
    assert train(*KILLED, "--output", output).returncode == 0
    return output


@pytest.fixture(scope="module")
def killed(data, tmp_path_factory):
    """The folder of a run that was killed after its second epoch."""
    output = tmp_path_factory.mktemp("runs") / "killed"
    code, _ = start_and_stop(output, signal.SIGKILL, epoch=2)
    assert code == -signal.SIGKILL
    return output


@pytest.fixture
def output(killed, tmp_path):
    """A copy of it."""
    return shutil.copytree(killed, tmp_path / "r")


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


@pytest.mark.slow
def test_deterministic_runs_are_equal_to_the_last_bit(uninterrupted, tmp_path):
    assert train(*KILLED, "--output", tmp_path / "r").returncode == 0
    assert_same_outcome(uninterrupted, tmp_path / "r", "mlp")


@pytest.mark.parametrize(
    "signal_number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_killed_and_interrupted_run_ends_as_an_uninterrupted_one(
    uninterrupted, output, signal_number
):
    code, errors = start_and_stop(output, signal_number, epoch=4)
    assert code == 130, errors
    assert errors.count("\n") == 1
    assert "same command resumes" in errors
    assert_nothing_half_written(output)
    assert train(*KILLED, "--output", output).returncode == 0
    assert_same_outcome(uninterrupted, output, "mlp")
    assert_nothing_half_written(output)
    assert not (output / "mlp" / "checkpoint").exists()
    assert [path.name for path in (output / "exports" / "mlp").iterdir()] == ["1"]


@pytest.mark.slow
def test_a_run_can_be_killed_again_and_again(uninterrupted, output, tmp_path):
    for epoch in (3, 4):
        before = shutil.copytree(output, tmp_path / f"before-{epoch}")
        # On a busy machine, the run may end before the signal comes: it starts again as before.
        while (code := start_and_stop(output, signal.SIGKILL, epoch)[0]) == 0:
            shutil.rmtree(output)
            shutil.copytree(before, output)
        assert code == -signal.SIGKILL
    assert train(*KILLED, "--output", output).returncode == 0
    assert_same_outcome(uninterrupted, output, "mlp")


@pytest.mark.parametrize(
    "damage", ["cut short", pytest.param("one byte changed", marks=pytest.mark.slow)]
)
def test_a_damaged_checkpoint_is_named(output, damage):
    checkpoint = max((output / "mlp" / "checkpoint").glob("epoch-*.keras"))
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.write_bytes(content[: len(content) // 2] if damage == "cut short" else content)
    before = {path for path in files_of(output) if ".writing-" not in str(path)}
    ended = train(*KILLED, "--output", output)
    assert_refused(ended, checkpoint.name, "damaged", f"Delete {output / 'mlp'}")
    assert files_of(output).keys() == before

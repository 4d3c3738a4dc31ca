"""The command, as real processes: what it leaves, shows, refuses, and survives."""

import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from kerashw.train.__main__ import main
from tests.conftest import shown_in_a_terminal

COMMAND = [sys.executable, "-m", "kerashw.train"]
SMALL = ["--train-examples", "2000", "--test-examples", "500"]


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


@pytest.fixture(scope="module")
def complete_run(data, tmp_path_factory):
    """A small run of all three models; its folder and what it printed."""
    output = tmp_path_factory.mktemp("runs") / "new" / "mnist"
    ended = train("--epochs", 2, "--output", output, *SMALL)
    assert ended.returncode == 0, ended.stderr
    return output, ended


def test_a_run_leaves_the_documented_files(complete_run):
    output, _ = complete_run
    found = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    expected = {"manifest.json", "report.html", "comparison.png", "exports/models.config"}
    for name in ("softmax", "mlp", "convnet"):
        files = ("history.json", "history.csv", "curves.png", "model.keras")
        expected |= {f"{name}/{file}" for file in files}
        expected |= {f"exports/{name}/1/saved_model.pb"}
    assert expected <= found
    assert not [path for path in found - expected if not path.startswith("exports/")]


def test_the_history_is_the_same_in_both_files(complete_run):
    output, _ = complete_run
    history = json.loads((output / "mlp" / "history.json").read_text())
    assert (history["model"], history["parameters"]) == ("mlp", 669_706)
    rows = [line.split(",") for line in (output / "mlp" / "history.csv").read_text().splitlines()]
    assert rows[0] == ["epoch", "train_loss", "test_loss", "test_accuracy", "seconds"]
    assert [[str(epoch[key]) for key in rows[0]] for epoch in history["epochs"]] == rows[1:]


def test_the_history_is_that_of_the_saved_model(complete_run, data):
    output, _ = complete_run
    model = keras.saving.load_model(output / "convnet" / "model.keras")
    images = data.test_images[:500, ..., None].astype("float32") / 255
    loss, accuracy = model.evaluate(images, data.test_labels[:500], verbose=0)
    last = history_of(output, "convnet")["epochs"][-1]
    np.testing.assert_allclose([last["test_loss"], last["test_accuracy"]], [loss, accuracy], 1e-5)


def test_the_manifest_tells_how_to_get_the_same_again(complete_run):
    manifest = json.loads((complete_run[0] / "manifest.json").read_text())
    assert manifest["command"].startswith("python -m kerashw.train --epochs 2 --output")
    assert manifest["configuration"]["seed"] == 0
    assert manifest["data"]["name"] == "mnist:3.0.1"
    assert set(manifest["seconds"]) == {"data", "softmax", "mlp", "convnet"}
    assert manifest["versions"]["keras"] == keras.__version__
    assert manifest["started"] <= manifest["finished"]


def test_lines_and_table_line_up_without_a_terminal(complete_run):
    _, ended = complete_run
    assert "\x1b" not in ended.stdout
    epochs = [line for line in ended.stdout.splitlines() if re.match(r" +\d/2 ", line)]
    assert len(epochs) == 6
    assert len({len(line) for line in epochs}) == 1
    # The homework's figures are of all of MNIST, and this run is of a part.
    assert "homework" not in ended.stdout
    assert str(complete_run[0] / "report.html") in ended.stdout
    assert ended.stderr == ""


def test_a_complete_run_is_not_touched(complete_run):
    output, _ = complete_run
    before = files_of(output)
    ended = train("--epochs", 2, "--output", output, *SMALL)
    assert ended.returncode == 0
    assert "complete already" in ended.stdout
    assert files_of(output) == before


def test_a_run_of_another_configuration_is_refused(complete_run):
    output, _ = complete_run
    before = files_of(output)
    ended = train("--epochs", 3, "--output", output, *SMALL)
    assert_refused(ended, "epochs 2 there, 3 here")
    assert files_of(output) == before


def test_quiet_prints_nothing(data, tmp_path):
    ended = train(
        "--model", "softmax", "--epochs", 1, "--quiet", "--output", tmp_path / "r", *SMALL
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_bfloat16_learns_too(data, tmp_path):
    arguments = ["--model", "mlp", "--epochs", 2, "--precision", "bfloat16"]
    assert train(*arguments, "--output", tmp_path / "r", *SMALL).returncode == 0
    assert history_of(tmp_path / "r", "mlp")["epochs"][-1]["test_accuracy"] > 0.5
    model = keras.saving.load_model(tmp_path / "r" / "mlp" / "model.keras")
    assert model.get_layer("hidden_1").compute_dtype == "bfloat16"


def test_a_terminal_shows_a_progress_bar(data, tmp_path):
    arguments = ["--model", "convnet", "--epochs", "1", "--output", tmp_path / "r", *SMALL]
    shown = shown_in_a_terminal([*COMMAND, *arguments])
    for text in (
        "epoch 1/1",
        "time left",
        "\N{BOX DRAWINGS HEAVY HORIZONTAL}",
    ):
        assert text in shown
    assert re.search(r"loss \d\.\d{4}  accuracy \d+\.\d\d %", shown)


def assert_refused(ended, *messages):
    """One line on the standard error, exit code 2."""
    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    for message in messages:
        assert message in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["--model", "resnet"], ["softmax, mlp, convnet, factored", "resnet"]),
        (["--model", "mlp", "mlp"], ["each once"]),
        (["--model", "diagonal", "--dataset", "mnist"], ["data sets diagonals", "mnist"]),
        (["--epochs", "0"], ["epochs must be a whole number of at least 1", "0"]),
        (["--epochs", "ten"], ["--epochs", "'ten'"]),
        (["--batch-size", "-1"], ["batch_size", "-1"]),
        (["--batch-size", "1.5"], ["--batch-size", "1.5"]),
        (["--seed", "-1"], ["seed", "-1"]),
        (["--seed", "4294967296"], ["seed must be at most 4294967295"]),
        (["--precision", "int8"], ["float32, bfloat16", "int8"]),
        (["--train-examples", "60001"], ["at most 60000", "60001"]),
        (["--test-examples", "0"], ["test_examples", "0"]),
        (["--dataset", "nosuch"], ["no data set 'nosuch'", "fashion_mnist"]),
        (["--dataset", "cifar10"], ["28×28×1 in 10 classes", "(32, 32, 3)"]),
        (["--no-such-option"], ["--no-such-option", "--help"]),
        (["--output", "/proc/runs"], ["/proc/runs", "cannot be written", "another --output"]),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(data, arguments, messages, tmp_path, capsys):
    if "--output" not in arguments:
        arguments = [*arguments, "--output", str(tmp_path / "r")]
    # In this process, where TensorFlow is started already.
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code
    ended = subprocess.CompletedProcess(arguments, code, *capsys.readouterr())
    assert_refused(ended, *messages)
    assert not list(tmp_path.iterdir())


def test_bad_input_ends_the_process_with_code_2(tmp_path):
    ended = train("--model", "resnet", "--output", tmp_path / "r")
    assert_refused(ended, "softmax, mlp, convnet, factored", "resnet")


def test_an_output_that_is_a_file(tmp_path):
    (tmp_path / "r").write_text("mine")
    assert_refused(train("--output", tmp_path / "r"), "is a file", "Expected a folder")
    assert (tmp_path / "r").read_text() == "mine"


def test_an_output_that_holds_something_else(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    assert_refused(train("--output", tmp_path), "holds something else", "another --output")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_full_disk(data, tmp_path):
    # No file of more than a million bytes can be written: the first checkpoint of softmax
    # regression has 100,000, that of the MLP 8,000,000.
    limit = 1_000_000
    arguments = ["--model", "softmax", "mlp", "--epochs", 1, "--output", tmp_path / "r", *SMALL]
    limited = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))}
    assert_refused(train(*arguments, **limited), "goes on after the last finished epoch")
    assert_nothing_half_written(tmp_path / "r")
    assert (tmp_path / "r" / "softmax" / "model.keras").exists()
    assert train(*arguments).returncode == 0


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
    assert "same command goes on" in errors
    assert_nothing_half_written(tmp_path / "r")
    assert train(*KILLED, "--output", tmp_path / "r").returncode == 0
    assert_same_outcome(uninterrupted, tmp_path / "r", "mlp")


def test_a_run_killed_again_and_again_ends_as_one_that_never_was(uninterrupted, tmp_path):
    for epoch in (1, 2, 4):
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

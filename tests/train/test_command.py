"""The command: the files that it writes, what it prints, and what it refuses."""

import json
import re

import keras
import numpy as np
import pytest

from tests.conftest import run_in_terminal
from tests.train.processes import COMMAND, SMALL, assert_refused, files_of, history_of, train


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
    images = data.test_images[:300, ..., None].astype("float32") / 255
    loss, accuracy = model.evaluate(images, data.test_labels[:300], verbose=0)
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


def test_a_complete_run_is_not_touched(complete_run, train_here):
    output, _ = complete_run
    before = files_of(output)
    ended = train_here("--epochs", 2, "--output", output, *SMALL)
    assert ended.returncode == 0
    assert "complete already" in ended.stdout
    assert files_of(output) == before


def test_a_run_of_another_configuration_is_refused(complete_run, train_here):
    output, _ = complete_run
    before = files_of(output)
    ended = train_here("--epochs", 3, "--output", output, *SMALL)
    assert_refused(ended, "epochs 2 there, 3 here")
    assert files_of(output) == before


def test_quiet_prints_nothing(data, tmp_path, train_here):
    arguments = ["--model", "softmax", "--epochs", 1, "--quiet", "--output", tmp_path / "r", *SMALL]
    ended = train_here(*arguments)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.slow
def test_bfloat16_learns_too(data, tmp_path, train_here):
    arguments = ["--model", "mlp", "--epochs", 2, "--precision", "bfloat16"]
    assert train_here(*arguments, "--output", tmp_path / "r", *SMALL).returncode == 0
    assert history_of(tmp_path / "r", "mlp")["epochs"][-1]["test_accuracy"] > 0.5
    model = keras.saving.load_model(tmp_path / "r" / "mlp" / "model.keras")
    assert model.get_layer("hidden_1").compute_dtype == "bfloat16"


@pytest.mark.slow
def test_a_terminal_shows_a_progress_bar(data, tmp_path):
    arguments = ["--model", "mlp", "--epochs", "1", "--output", tmp_path / "r", *SMALL]
    shown = run_in_terminal([*COMMAND, *arguments])
    for text in (
        "epoch 1/1",
        "time left",
        "\N{BOX DRAWINGS HEAVY HORIZONTAL}",
    ):
        assert text in shown
    assert re.search(r"loss \d\.\d{4}  accuracy \d+\.\d\d %", shown)


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
        (["--dataset", "imdb_reviews"], ["uint8 images", "text="]),
        (["--no-such-option"], ["--no-such-option", "--help"]),
        (["--output", "/proc/runs"], ["/proc/runs", "cannot be written", "another --output"]),
        (["--output", "hdfs://h/r"], ["--output hdfs://h/r", "hdfs:// is not supported"]),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(data, arguments, messages, tmp_path, train_here):
    if "--output" not in arguments:
        arguments = [*arguments, "--output", tmp_path / "r"]
    assert_refused(train_here(*arguments), *messages)
    assert not list(tmp_path.iterdir())


def test_bad_input_ends_the_process_with_code_2(tmp_path):
    ended = train("--model", "resnet", "--output", tmp_path / "r")
    assert_refused(ended, "softmax, mlp, convnet, factored", "resnet")


def test_an_output_that_is_a_file(tmp_path, train_here):
    (tmp_path / "r").write_text("mine")
    assert_refused(train_here("--output", tmp_path / "r"), "is a file", "Expected a folder")
    assert (tmp_path / "r").read_text() == "mine"


def test_an_output_that_holds_something_else(tmp_path, train_here):
    (tmp_path / "thesis.txt").write_text("mine")
    assert_refused(train_here("--output", tmp_path), "holds something else", "another --output")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    (tmp_path / "seed-0").mkdir()
    (tmp_path / "seed-0" / "manifest.json").write_text("{}")
    assert_refused(train_here("--output", tmp_path), "the runs of several seeds", "same --seeds")

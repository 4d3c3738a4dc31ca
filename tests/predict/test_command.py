"""`python -m kerashw.predict`: the answers are the model's, and damaged files are named."""

import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from kerashw.predict.__main__ import main
from kerashw.predict.model_search import find_model
from kerashw.preprocessing import center_digits
from tests.datasets.pictures import write_picture
from tests.small_run import small_run
from tests.train.processes import assert_refused


@pytest.fixture(scope="module")
def output(data, tmp_path_factory):
    return small_run(tmp_path_factory)


@pytest.fixture
def predict(run_here):
    return lambda *arguments: run_here(main, *arguments)


def test_every_way_to_name_a_model_finds_its_newest_version(output, tmp_path):
    version = output / "exports" / "mlp" / "1"
    for path in ("mlp", "mlp/model.keras", "exports/mlp", "exports/mlp/1"):
        found = find_model(str(output / path))
        assert (found.name, found.version) == ("mlp", version)
        assert found.configuration["train_examples"] == 1000
    for number in (9, 10):
        shutil.copytree(version, tmp_path / "copy" / str(number))
    found = find_model(str(tmp_path / "copy"))
    assert (found.name, found.version.name, found.configuration) == ("copy", "10", {})


def test_the_answers_are_those_of_the_model(data, output, predict, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # so that a file's name and its answer fit into one line
    files = [Path(f"{number}.png") for number in range(5)]
    for file, image in zip(files, data.test_images, strict=False):
        write_picture(file, image[..., None])
    Path("damaged.png").write_bytes(files[0].read_bytes()[:100])
    Path("text.png").write_text("no picture")
    odd = [Path(name) for name in ("damaged.png", "text.png", "none.png")]
    ended = predict(output / "mlp", *files, *odd)
    assert ended.returncode == 2
    for line, file, reason in zip(
        ended.stderr.splitlines(),
        odd,
        ("is damaged", "is not an image", "cannot be read: No such file"),
        strict=True,
    ):
        assert f"error: {file} {reason}" in line
    served = tf.saved_model.load(output / "exports" / "mlp" / "1").signatures["pixels"]
    pixels = center_digits([file.read_bytes() for file in files], 28, 28)
    rows = [line.split() for line in ended.stdout.splitlines() if ".png" in line]
    for row, file, answer in zip(
        rows, files, served(image=pixels)["probabilities"].numpy(), strict=True
    ):
        second, best = answer.argsort()[-2:]
        expected = [str(file), str(best), f"{100 * answer[best]:.2f}", "%"]
        assert row == [*expected, f"{second},", f"{100 * answer[second]:.2f}", "%"]


def test_wrong_models_are_refused_in_one_line(output, predict, tmp_path):
    (tmp_path / "empty").mkdir()
    for model, message in (
        (tmp_path / "nothere", "there is no model"),
        (tmp_path / "empty", "is no model. Expected the folder of a model in a run"),
        (output, f"with 2 exported models. Expected the folder of one. Choose {output}/mlp or"),
    ):
        assert_refused(predict(model, "x.png"), message)
    unfinished = shutil.copytree(output / "mlp", tmp_path / "run" / "mlp")
    assert_refused(predict(unfinished, "x.png"), "Expected that of a run that has ended")
    damaged = shutil.copytree(output / "exports" / "mlp" / "1", tmp_path / "1")
    (damaged / "saved_model.pb").write_bytes(b"damaged")
    assert_refused(predict(damaged, "x.png"), "cannot be loaded")

"""Runs on images of one's own: from a folder of photographs to an answer, and on files on disk."""

import io
import json
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from kerashw.datasets import epoch_order
from kerashw.datasets.streamed_batches import StreamedBatches
from kerashw.serve.client import Client
from kerashw.train import model_training
from tests.datasets.pictures import COLORS, picture, write_folder
from tests.serve.processes import running_server
from tests.train.processes import train


def photograph(color, seed, orientation=1):
    """Return a JPEG file of noise whose upper half alone has the colour."""
    image = np.full((60, 44, 3), 128, np.uint8)
    image[:30] = picture(color, (30, 44), seed)
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    turned = {1: image, 3: image[::-1, ::-1]}[orientation]
    Image.fromarray(turned).save(file, "jpeg", quality=95, exif=exif.tobytes())
    return file.getvalue()


@pytest.mark.slow
def test_from_a_folder_of_photographs_to_an_answer_by_rest(tmp_path):
    for name, color in COLORS.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(40):
            file = photograph(color, number, orientation=(1, 3)[number % 2])
            (tmp_path / "photos" / name / f"{number}.jpg").write_bytes(file)
    output = tmp_path / "run"
    ended = train(
        *("--dataset", tmp_path / "photos", "--image-size", "12x8", "--model", "convnet"),
        *("--epochs", "8", "--batch-size", "8", "--output", output, "--data-dir", tmp_path / "d"),
    )
    assert ended.returncode == 0, ended.stderr
    history = json.loads((output / "convnet" / "history.json").read_text())
    assert history["epochs"][-1]["test_accuracy"] == 1
    assert (output / "exports/convnet/1/assets.extra/labels.txt").read_text() == "blue\nred\n"
    files = [photograph(color, 99, orientation=3) for color in COLORS.values()]
    with running_server(f"--model_config_file={output / 'exports' / 'models.config'}") as server:
        answer = Client(server.url).predict("convnet", files, "image_bytes")
    assert answer["class"].tolist() == [0, 1]
    assert "blue taken for red" not in (output / "report.html").read_text()


@pytest.mark.slow
def test_a_run_from_the_disk_is_resumed_and_equals_one_in_memory(tmp_path, train_here, monkeypatch):
    monkeypatch.setattr(epoch_order, "WINDOW_BYTES", 2**16)
    monkeypatch.setattr(epoch_order, "BLOCK_BYTES", 2**13)
    random = np.random.default_rng(0)
    labels = np.arange(60) % 10
    images = (25 * labels[:, None, None, None] + random.integers(0, 25, (60, 32, 32, 3))).astype(
        "u1"
    )
    np.savez(tmp_path / "d.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)

    def start(output, epochs, *more):
        output = tmp_path / output
        arguments = ["--dataset", tmp_path / "d.npz", "--model", "convnet", "--batch-size", 16]
        ended = train_here(*arguments, "--epochs", epochs, "--output", output, *more, "--quiet")
        assert ended.returncode == 0, ended.stderr
        return keras.saving.load_model(output / "convnet" / "model.keras").get_weights()

    in_memory = start("memory", 2)
    kinds = []
    fit = model_training.fit

    def interrupted_fit(model, batches, **settings):
        kinds.append(type(batches))
        if len(kinds) == 1:
            fit(model, batches, **settings | {"epochs": 1})
            sys.exit(3)
        return fit(model, batches, **settings)

    monkeypatch.setattr(model_training, "fit", interrupted_fit)
    with pytest.raises(AssertionError):
        start("disk", 2, "--memory", "1K")
    for found, expected in zip(start("disk", 2, "--memory", "1K"), in_memory, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert kinds == [StreamedBatches] * 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "pictures", "--image-size", "6px"], "HEIGHTxWIDTH. Received: '6px'"),
        (["--dataset", "pictures", "--memory", "much"], "--memory must be"),
        (["--dataset", "pictures", "--image-size", "4", "--model", "convnet"], "at least 6"),
        (["--dataset", "nosuch/folder/at/all"], "no data set 'nosuch/folder/at/all'"),
        (["--dataset", "pictures", "--test-share", "1.5"], "between 0 and 1"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, train_here, arguments, words):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "pictures")
    ended = train_here(*arguments, "--data-dir", tmp_path / "data", "--output", "run")
    assert ended.returncode == 2
    assert words in ended.stderr.splitlines()[-1]

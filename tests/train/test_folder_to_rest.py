"""From a folder of JPEGs and a function of the user to a served class name, in real processes."""

import numpy as np
import pytest
import tensorflow as tf

from kerashw.serve.client import Client
from tests.conftest import ROOT
from tests.datasets.pictures import COLORS, picture
from tests.serve.processes import running_server
from tests.train.processes import train

MODEL = f"{ROOT}/tests/train/own_models.py:build"


def write_jpeg(path, color, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tf.io.encode_jpeg(picture(color, (40, 30), seed)).numpy())
    return path


@pytest.mark.slow
def test_a_folder_of_jpegs_becomes_a_served_classifier(tmp_path):
    for name, color in COLORS.items():
        for number in range(30):
            write_jpeg(tmp_path / "pictures" / name / f"{number}.jpg", color, number)
    ended = train(
        *("--dataset", tmp_path / "pictures", "--image-size", "24", "--model", MODEL),
        *("--epochs", 20, "--batch-size", 8, "--optimizer", "adam", "--learning-rate", 0.01),
        *("--augment", "flip,shift", "--output", tmp_path / "run"),
        *("--data-dir", tmp_path / "data"),
    )
    assert ended.returncode == 0, ended.stderr
    with running_server(f"--model_config_file={tmp_path}/run/exports/models.config") as server:
        client = Client(server.url)
        for number, (name, color) in enumerate(COLORS.items()):
            file = write_jpeg(tmp_path / "new" / f"{name}.jpg", color, 100).read_bytes()
            answer = client.predict("build", [file], signature="image_bytes")
            assert answer["class"][0] == number
            pixels = client.predict("build", [file], signature="normalized")
            example = {"image": (np.ravel(pixels) / 255).tolist()}
            (pairs,) = client.classify("build", [example], signature="classify")
            assert max(pairs, key=lambda pair: pair[1])[0] == name

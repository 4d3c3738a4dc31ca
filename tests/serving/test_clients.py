"""The clients with curl, requests and fetch get the same predictions from a server process."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import find_program
from tests.ports import free_port
from tests.serving.serving_files import CLIENTS, MODELS

COMMANDS = {
    "curl": lambda: [CLIENTS / "predict.sh"],
    "requests": lambda: [sys.executable, CLIENTS / "predict.py"],
    "fetch": lambda: [find_program("node"), CLIENTS / "predict.mjs"],
}


@pytest.fixture(params=COMMANDS)
def client(request):
    if request.param == "curl":
        find_program("curl")
    command = COMMANDS[request.param]()

    def run(*arguments):
        return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture(scope="module")
def signatures(exports):
    """The signatures of the SavedModel that is served."""
    # The signatures keep no reference to the model, so this function does.
    loaded = tf.saved_model.load(exports / "convnet" / "1")
    yield loaded.signatures


def assert_outputs(result, expected):
    assert (result.returncode, result.stderr) == (0, "")
    outputs = json.loads(result.stdout)["outputs"]
    assert set(outputs) == set(expected) == {"class", "probabilities"}
    assert outputs["class"] == expected["class"].numpy().tolist() == [7]
    np.testing.assert_allclose(outputs["probabilities"], expected["probabilities"], atol=1e-6)


def test_the_digit_is_from_mnist_and_the_picture_shows_it(data):
    pixels = np.array(json.loads((CLIENTS / "seven.json").read_bytes()))
    [found] = np.flatnonzero((data.test_images == pixels).all((1, 2)))
    assert data.test_labels[found] == 7
    picture = tf.io.decode_png((CLIENTS / "seven.png").read_bytes())
    np.testing.assert_array_equal(picture[..., 0], pixels)


@pytest.mark.parametrize("model", ["convnet", "convnet/labels/stable"])
def test_the_pixels_of_a_digit(client, server, signatures, model):
    pixels = json.loads((CLIENTS / "seven.json").read_bytes())
    expected = signatures["pixels"](image=tf.constant([pixels], tf.uint8))
    assert_outputs(client(server.url, model, CLIENTS / "seven.json"), expected)


def test_the_image_of_a_digit(client, server, signatures):
    image = (CLIENTS / "seven.png").read_bytes()
    expected = signatures["image_bytes"](image_bytes=tf.constant([image]))
    assert_outputs(client(server.url, "convnet", CLIENTS / "seven.png"), expected)


def test_a_large_photograph_of_dark_ink_on_white(client, server, signatures, tmp_path):
    digit = tf.io.decode_png((CLIENTS / "seven.png").read_bytes(), channels=3)
    large = tf.image.resize_with_pad(255 - tf.cast(digit, tf.float32), 900, 900)
    noise = np.random.default_rng(0).integers(-9, 9, large.shape)
    image = tf.io.encode_jpeg(tf.cast(tf.clip_by_value(large + noise, 0, 255), tf.uint8)).numpy()
    assert len(image) > 131_072  # the largest command-line argument of Linux
    (tmp_path / "seven.jpg").write_bytes(image)
    expected = signatures["image_bytes"](image_bytes=tf.constant([image]))
    assert_outputs(client(server.url, "convnet", tmp_path / "seven.jpg"), expected)


def test_a_file_that_is_not_an_image(client, server, tmp_path):
    (tmp_path / "seven.png").write_text("seven")
    result = client(server.url, "convnet", tmp_path / "seven.png")
    assert result.returncode != 0
    assert "error" in result.stdout + result.stderr


def test_errors_have_the_message_of_the_server(client, server):
    result = client(server.url, "nosuch", CLIENTS / "seven.json")
    assert result.returncode != 0
    assert "Servable not found for request: Latest(nosuch)" in result.stdout + result.stderr


def test_a_server_that_cannot_be_reached(client):
    result = client(f"http://127.0.0.1:{free_port()}", MODELS[0], CLIENTS / "seven.json")
    assert (result.returncode != 0, result.stdout) == (True, "")
    assert "refused" in result.stderr.lower() or "connect" in result.stderr.lower()
    assert "Traceback" not in result.stderr


def test_a_missing_file(client, server):
    result = client(server.url, MODELS[0], "gone.png")
    assert result.returncode != 0
    assert "gone.png" in result.stderr

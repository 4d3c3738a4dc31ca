"""The same question with curl, requests and fetch, put to a real server: the same answer."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import tool
from tests.ports import free_port
from tests.serving.places import CLIENTS, MODELS

COMMANDS = {
    "curl": lambda: [CLIENTS / "predict.sh"],
    "requests": lambda: [sys.executable, CLIENTS / "predict.py"],
    "fetch": lambda: [tool("node"), CLIENTS / "predict.mjs"],
}


@pytest.fixture(params=COMMANDS)
def ask(request):
    if request.param == "curl":
        tool("curl")
    command = COMMANDS[request.param]()

    def run(*arguments):
        return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture(scope="module")
def signatures(exports):
    """What the SavedModel itself answers with."""
    loaded = tf.saved_model.load(exports / "convnet" / "1")  # its signatures do not outlive it
    yield loaded.signatures


def assert_answers(ended, wanted):
    assert (ended.returncode, ended.stderr) == (0, "")
    outputs = json.loads(ended.stdout)["outputs"]
    assert set(outputs) == set(wanted) == {"class", "probabilities"}
    assert outputs["class"] == wanted["class"].numpy().tolist() == [7]
    np.testing.assert_allclose(outputs["probabilities"], wanted["probabilities"], atol=1e-6)


def test_the_digit_is_of_the_data_set_and_the_picture_shows_it(data):
    pixels = np.array(json.loads((CLIENTS / "seven.json").read_bytes()))
    [found] = np.flatnonzero((data.test_images == pixels).all((1, 2)))
    assert data.test_labels[found] == 7
    picture = tf.io.decode_png((CLIENTS / "seven.png").read_bytes())
    np.testing.assert_array_equal(picture[..., 0], pixels)


@pytest.mark.parametrize("model", ["convnet", "convnet/labels/stable"])
def test_a_digit_s_pixels(ask, server, signatures, model):
    pixels = json.loads((CLIENTS / "seven.json").read_bytes())
    wanted = signatures["pixels"](image=tf.constant([pixels], tf.uint8))
    assert_answers(ask(server.url, model, CLIENTS / "seven.json"), wanted)


def test_a_digit_s_image(ask, server, signatures):
    image = (CLIENTS / "seven.png").read_bytes()
    wanted = signatures["image_bytes"](image_bytes=tf.constant([image]))
    assert_answers(ask(server.url, "convnet", CLIENTS / "seven.png"), wanted)


def test_a_great_photograph_of_dark_ink_on_white(ask, server, signatures, tmp_path):
    digit = tf.io.decode_png((CLIENTS / "seven.png").read_bytes(), channels=3)
    large = tf.image.resize_with_pad(255 - tf.cast(digit, tf.float32), 900, 900)
    noise = np.random.default_rng(0).integers(-9, 9, large.shape)
    image = tf.io.encode_jpeg(tf.cast(tf.clip_by_value(large + noise, 0, 255), tf.uint8)).numpy()
    assert len(image) > 131_072  # the most that Linux takes as one argument of a command
    (tmp_path / "seven.jpg").write_bytes(image)
    wanted = signatures["image_bytes"](image_bytes=tf.constant([image]))
    assert_answers(ask(server.url, "convnet", tmp_path / "seven.jpg"), wanted)


def test_a_file_that_is_no_image(ask, server, tmp_path):
    (tmp_path / "seven.png").write_text("seven")
    ended = ask(server.url, "convnet", tmp_path / "seven.png")
    assert ended.returncode != 0
    assert "error" in ended.stdout + ended.stderr


def test_a_mistake_is_told_in_the_server_s_words(ask, server):
    ended = ask(server.url, "nosuch", CLIENTS / "seven.json")
    assert ended.returncode != 0
    assert "Servable not found for request: Latest(nosuch)" in ended.stdout + ended.stderr


def test_a_server_that_is_not_there(ask):
    ended = ask(f"http://127.0.0.1:{free_port()}", MODELS[0], CLIENTS / "seven.json")
    assert (ended.returncode != 0, ended.stdout) == (True, "")
    assert "refused" in ended.stderr.lower() or "connect" in ended.stderr.lower()
    assert "Traceback" not in ended.stderr


def test_a_file_that_is_not_there(ask, server):
    ended = ask(server.url, MODELS[0], "gone.png")
    assert ended.returncode != 0
    assert "gone.png" in ended.stderr

"""The same question with curl, requests and fetch, put to a real server: the same answer."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.serve.processes import free_port
from tests.serving.places import CLIENTS, MODELS, tool

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


def expected(exports, model):
    served = tf.saved_model.load(exports / model / "1").signatures["pixels"]
    pixels = json.loads((CLIENTS / "seven.json").read_bytes())
    return {
        key: value.numpy() for key, value in served(image=tf.constant([pixels], "uint8")).items()
    }


def test_the_digit_is_of_the_data_set_and_the_picture_shows_it(data):
    pixels = np.array(json.loads((CLIENTS / "seven.json").read_bytes()))
    [found] = np.flatnonzero((data.test_images == pixels).all((1, 2)))
    assert data.test_labels[found] == 7
    picture = tf.io.decode_png((CLIENTS / "seven.png").read_bytes())
    np.testing.assert_array_equal(picture[..., 0], pixels)


@pytest.mark.parametrize("model", ["convnet", "convnet/labels/stable"])
def test_a_digit_s_pixels(ask, server, exports, model):
    ended = ask(server.url, model, CLIENTS / "seven.json")
    assert (ended.returncode, ended.stderr) == (0, "")
    outputs = json.loads(ended.stdout)["outputs"]
    wanted = expected(exports, "convnet")
    assert set(outputs) == set(wanted)
    assert outputs["class"] == wanted["class"].tolist()
    np.testing.assert_allclose(outputs["probabilities"], wanted["probabilities"], atol=1e-6)


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

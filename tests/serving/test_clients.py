"""The clients with curl, requests, fetch and gRPC get the same predictions from a server."""

import contextlib
import io
import json
import runpy
import subprocess
import sys
import traceback
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import find_program
from tests.ports import free_ports
from tests.serving.serving_files import CLIENTS, MODELS

COMMANDS = {
    "curl": lambda: [CLIENTS / "predict.sh"],
    "requests": lambda: [sys.executable, CLIENTS / "predict.py"],
    "fetch": lambda: [find_program("node"), CLIENTS / "predict.mjs"],
}


@pytest.fixture(params=[*COMMANDS, "gRPC"])
def client(request):
    """A function that runs a client with the server, the model and the file."""
    if request.param == "gRPC":
        return lambda server, *arguments: run_script(
            "predict_grpc.py", server.grpc_address, *arguments
        )
    if request.param == "curl":
        find_program("curl")
    command = COMMANDS[request.param]()
    return lambda server, *arguments: run_command(*command, server.url, *arguments)


def run_command(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def run_script(name, *arguments):
    """Run a client in this process, which has imported TensorFlow already."""
    output, errors = io.StringIO(), io.StringIO()
    code = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        patch.setattr(sys, "argv", [name, *map(str, arguments)])
        try:
            runpy.run_path(str(CLIENTS / name), run_name="__main__")
        except SystemExit as ended:
            code = ended.code
        except Exception:
            code = traceback.format_exc()
    # As Python does at the end of a process.
    text = code if isinstance(code, str) else ""
    return SimpleNamespace(
        returncode=1 if text else code, stdout=output.getvalue(), stderr=errors.getvalue() + text
    )


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
    assert_outputs(client(server, model, CLIENTS / "seven.json"), expected)


def test_the_image_of_a_digit(client, server, signatures):
    image = (CLIENTS / "seven.png").read_bytes()
    expected = signatures["image_bytes"](image_bytes=tf.constant([image]))
    assert_outputs(client(server, "convnet", CLIENTS / "seven.png"), expected)


def test_a_large_photograph_of_dark_ink_on_white(client, server, signatures, tmp_path):
    digit = tf.io.decode_png((CLIENTS / "seven.png").read_bytes(), channels=3)
    large = tf.image.resize_with_pad(255 - tf.cast(digit, tf.float32), 900, 900)
    noise = np.random.default_rng(0).integers(-9, 9, large.shape)
    image = tf.io.encode_jpeg(tf.cast(tf.clip_by_value(large + noise, 0, 255), tf.uint8)).numpy()
    assert len(image) > 131_072  # the largest command-line argument of Linux
    (tmp_path / "seven.jpg").write_bytes(image)
    expected = signatures["image_bytes"](image_bytes=tf.constant([image]))
    assert_outputs(client(server, "convnet", tmp_path / "seven.jpg"), expected)


def test_a_file_that_is_not_an_image(client, server, tmp_path):
    (tmp_path / "seven.png").write_text("seven")
    result = client(server, "convnet", tmp_path / "seven.png")
    assert result.returncode != 0
    assert "is not an image" in result.stdout + result.stderr


def test_errors_have_the_message_of_the_server(client, server):
    result = client(server, "nosuch", CLIENTS / "seven.json")
    assert result.returncode != 0
    assert "Servable not found for request: Latest(nosuch)" in result.stdout + result.stderr


def test_a_server_that_cannot_be_reached(client):
    port, grpc_port = free_ports(2)
    server = SimpleNamespace(url=f"http://127.0.0.1:{port}", grpc_address=f"127.0.0.1:{grpc_port}")
    result = client(server, MODELS[0], CLIENTS / "seven.json")
    assert (result.returncode != 0, result.stdout) == (True, "")
    assert "refused" in result.stderr.lower() or "connect" in result.stderr.lower()
    assert "Traceback" not in result.stderr


def test_a_missing_file(client, server):
    result = client(server, MODELS[0], "gone.png")
    assert result.returncode != 0
    assert "gone.png" in result.stderr


STATUS = "tensorflow.serving.ModelService/GetModelStatus"


def call(server, path, request):
    """Call a method in a process of its own, which does not import TensorFlow."""
    script = "import sys; sys.modules['tensorflow'] = None; import runpy; sys.argv = sys.argv[1:]; "
    script += "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", script, CLIENTS / "grpc_call.py"]
    return run_command(*command, server.grpc_address, path, json.dumps(request))


def test_any_method_can_be_called_with_json(server):
    result = call(server, STATUS, {"model_spec": {"name": "mlp", "version": 1}})
    assert (result.returncode, result.stderr) == (0, "")
    [status] = json.loads(result.stdout)["model_version_status"]
    assert (status["version"], status["state"]) == ("1", "AVAILABLE")
    result = call(
        server,
        "tensorflow.serving.PredictionService/GetModelMetadata",
        {"model_spec": {"name": "mlp"}, "metadata_field": ["signature_def"]},
    )
    signatures = json.loads(result.stdout)["metadata"]["signature_def"]["signature_def"]
    assert signatures["pixels"]["inputs"]["image"]["dtype"] == "DT_UINT8"


@pytest.mark.parametrize(
    ("path", "request_", "message"),
    [
        (STATUS, {"model_spec": {"name": "nosuch"}}, "nosuch"),
        (STATUS, {"model": "mlp"}, 'no field named "model"'),
        ("tensorflow.serving.ModelService/Nosuch", {}, "Nosuch"),
        ("Nosuch/GetModelStatus", {}, "Nosuch"),
    ],
)
def test_a_method_that_cannot_be_called(server, path, request_, message):
    result = run_script("grpc_call.py", server.grpc_address, path, json.dumps(request_))
    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr

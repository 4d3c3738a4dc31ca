"""Exported models on a running server: image files, examples, labels and warm-up."""

import base64
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerashw.datasets import diagonals
from kerashw.errors import ClientError
from kerashw.export import export_saved_model, write_models_config
from kerashw.export.signatures import EXPLANATIONS
from kerashw.models import convnet, diagonal_classifier
from kerashw.serve.servables.loaded_model import LoadedModel
from kerashw.serve.servables.warmup import warm_up
from tests.conftest import without_info_of_tensorflow
from tests.ports import free_port
from tests.serve.processes import running_server

LABELS = [f"digit {number}" for number in range(10)]


@pytest.fixture(scope="module")
def model():
    return convnet()


@pytest.fixture(scope="module")
def exports(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    export_saved_model(model, folder / "convnet", LABELS)
    export_saved_model(diagonal_classifier(), folder / "diagonal")
    write_models_config(folder)
    return folder


@pytest.fixture(scope="module")
def log_file(exports):
    """The file of the server's log."""
    return exports / "log.txt"


@pytest.fixture(scope="module")
def server(exports, log_file):
    flags = [f"--model_config_file={exports / 'models.config'}", f"--port={free_port()}"]
    with log_file.open("w") as stderr, running_server(*flags, stderr=stderr) as server:
        yield server


@pytest.fixture(scope="module")
def digits(data):
    return data.test_images[:3]


@pytest.fixture(scope="module")
def expected(model, digits):
    return model(digits[..., None] / np.float32(255)).numpy()


def png(digit):
    """A digit as a PNG file: twelve times as large, dark on light, in colour."""
    large = 255 - np.kron(digit, np.ones((12, 12), np.uint8))
    return tf.io.encode_png(np.dstack([large] * 3)).numpy()


def as_base64(file):
    return {"b64": base64.b64encode(file).decode()}


def test_uint8_arrays_are_pixels_from_0_to_255(client, digits, expected):
    """As arrays with and without channels, as lists of arrays or PIL's images, and by name."""
    channel = digits[..., None]
    for inputs in (
        *(digits, channel, list(digits), tuple(channel), tf.constant(channel), {"image": channel}),
        [Image.fromarray(digit) for digit in digits],
        *(channel / 255, (channel / np.float32(255)).tolist()),  # floats are in [0, 1]
    ):
        outputs = client.predict("convnet", inputs)
        np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)
    for one in (digits[0], Image.fromarray(digits[0]), {"image": digits[0]}):
        outputs = client.predict("convnet", one)
        np.testing.assert_allclose(outputs["probabilities"], expected[:1], atol=1e-5)
    # A signature that is named receives the values as they are.
    named = client.predict("convnet", channel, signature="serving_default")
    floats = client.predict("convnet", channel.astype(float))
    np.testing.assert_array_equal(named["probabilities"], floats["probabilities"])


def test_uint8_arrays_of_zeros_and_ones_are_refused(client):
    images, labels, _ = diagonals.generate(4)
    with pytest.raises(ClientError, match=r"Multiply zeros and ones by 255.*\(4, 100, 100, 1\)"):
        client.predict("diagonal", images)
    np.testing.assert_array_equal(client.predict("diagonal", images * 255)["class"], labels)
    black = client.predict("diagonal", images * 0)  # zeros alone are black in both ranges
    assert not black["count"].any()
    nearly_black = client.predict("diagonal", images[..., 0], signature="pixels")
    assert not nearly_black["count"].any()


def test_image_files_from_the_client(client, digits, expected, tmp_path):
    files = [tmp_path / f"{number}.png" for number in range(len(digits))]
    for file, digit in zip(files, digits, strict=True):
        file.write_bytes(png(digit))
    for batch in (files, [str(file) for file in files]):
        outputs = client.predict("convnet", batch)
        np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-3)
        np.testing.assert_array_equal(outputs["class"], outputs["probabilities"].argmax(-1))
    seen = client.predict("convnet", files, signature="normalized")
    assert np.abs(seen - digits.astype(int)).max() <= 1
    files[1].write_bytes(files[1].read_bytes()[:-30])
    with pytest.raises(ClientError, match=r"image_bytes\[1\] is damaged") as error:
        client.predict("convnet", files)
    assert error.value.status == 400


def test_image_files_in_rows_and_in_columns(server, digits, expected):
    files = [as_base64(png(digit)) for digit in digits]
    for content in (
        {"instances": files},
        {"instances": [{"image_bytes": file} for file in files]},
        {"inputs": files},
        {"inputs": {"image_bytes": files}},
    ):
        request = {"signature_name": "image_bytes", **content}
        status, response = server.post("/v1/models/convnet:predict", request)
        assert status == 200, response
        if "outputs" in response:
            found = response["outputs"]["probabilities"]
        else:
            found = [row["probabilities"] for row in response["predictions"]]
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_classify(client, digits, expected):
    examples = [{"image": (digit.ravel() / 255).tolist()} for digit in digits]
    for pairs, row in zip(
        client.classify("convnet", examples, signature="classify"), expected, strict=True
    ):
        assert [label for label, _ in pairs] == LABELS
        np.testing.assert_allclose([score for _, score in pairs], row, atol=1e-5)
    with pytest.raises(ClientError, match=r"Key: image, Index: 1.*784"):
        client.classify("convnet", [examples[0], {"image": [0.5] * 3}], signature="classify")


def test_the_feature_map_of_the_diagonal_classifier(client):
    images, labels, segments = diagonals.generate(4)
    counted = client.predict("diagonal", images.astype(float))
    np.testing.assert_array_equal(counted["class"], labels)
    steps = client.predict("diagonal", images.astype(float), signature="feature_map")
    np.testing.assert_array_equal(steps["peaks"].sum(axis=(1, 2)), labels)
    for number, (row, column) in enumerate(segments[:, 0]):
        assert steps["feature_map"][number, row, column] == 3


def test_what_a_model_shows_is_small(server, digits):
    """The demo page asks for it while one draws."""
    for request, inputs in (
        ("inside", {"image": digits[0].tolist()}),
        ("attributions", {"image": digits[0].tolist()}),
        ("weights", {"unit": 3}),
    ):
        content = {"signature_name": request, "instances": [inputs]}
        status, response = server.post("/v1/models/convnet:predict", content)
        assert status == 200, response
        (shown,) = response["predictions"]
        files = [base64.b64decode(x["b64"]) for key, x in shown.items() if key.endswith("_bytes")]
        assert files
        assert all(file.startswith(b"\x89PNG") for file in files)
        assert len(json.dumps(response)) < 60_000
    described = json.loads(shown["layers"])
    assert [layer["name"] for layer in described] == ["conv_1", "conv_2", "hidden", "probabilities"]


def test_warm_up_prepares_all_signatures_that_predict(exports):
    for path in (exports / "convnet" / "1", exports / "diagonal" / "1"):
        model = LoadedModel(path)
        signatures = [
            each
            for name, each in model.signatures.items()
            if name[:2] != "__" and name not in EXPLANATIONS
        ]
        assert all(signature._callable is None for signature in signatures)
        assert warm_up(model, path) >= len(signatures)
        assert all(signature._callable is not None for signature in signatures)


def test_warm_up_logs_no_warning(server, log_file):
    lines = without_info_of_tensorflow(log_file.read_text()).splitlines()
    assert len(lines) >= 2
    assert all(" INFO " in line for line in lines), lines

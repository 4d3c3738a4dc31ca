"""SavedModels in memory: their outputs, and errors with TensorFlow's codes and messages."""

import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from kerashw.export import export_saved_model
from kerashw.models import convnet, softmax_regression
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.loaded_model import LoadedModel


def test_a_signature_returns_the_outputs_of_the_saved_model(models):
    path = models / "keras_fashion" / "1"
    image = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)
    ours = LoadedModel(path).signatures["serving_default"].run({"image": image})
    theirs = tf.saved_model.load(path).signatures["serving_default"](image=tf.constant(image))
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-6)


def test_errors_of_kernels_have_their_code_and_message(models):
    signature = LoadedModel(models / "fashion" / "1").signatures["serving_default"]
    with pytest.raises(RequestError, match="requires a multiple of 784") as error:
        signature.run({"image": np.zeros((1, 3), np.float32)})
    assert error.value.code == "INVALID_ARGUMENT"


def test_damaged_variables(models, tmp_path):
    path = pathlib.Path(shutil.copytree(models / "fashion" / "1", tmp_path / "1"))
    for file in (path / "variables").iterdir():
        file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(RequestError) as error:
        LoadedModel(path)
    assert error.value.code in ("DATA_LOSS", "OUT_OF_RANGE", "UNKNOWN")


@pytest.fixture(scope="module")
def pixels(tmp_path_factory):
    """The signature `pixels` of an exported convolutional network."""
    path = export_saved_model(convnet(), tmp_path_factory.mktemp("convnet"))
    return LoadedModel(path).signatures["pixels"]


# Some of these shapes would end the process in oneDNN's convolution.
@pytest.mark.parametrize(
    "shape", [(28, 28), (2, 28), (0,), (), (0, 28, 28), (1, 28, 28, 1), (1, 2, 2)]
)
def test_invalid_shapes_for_a_convolution_are_refused(shape, pixels):
    with pytest.raises(RequestError, match=r"must have the shape \[\?,28,28\]") as error:
        pixels.run({"image": np.zeros(shape, np.uint8)})
    assert error.value.code == "INVALID_ARGUMENT"
    outputs = pixels.run({"image": np.zeros((3, 28, 28), np.uint8)})
    assert outputs["class"].shape == (3,)


def test_only_signatures_with_image_operations_check_shapes(tmp_path):
    # The signature for image files pools; the model itself only reshapes its input.
    model = LoadedModel(export_saved_model(softmax_regression(), tmp_path))
    flat = {"image": np.zeros((2, 784), "float32")}
    assert model.signatures["serving_default"].run(flat)["class"].shape == (2,)
    convnet_model = LoadedModel(export_saved_model(convnet(), tmp_path / "convnet"))
    with pytest.raises(RequestError, match="must have the shape"):
        convnet_model.signatures["serving_default"].run(flat)

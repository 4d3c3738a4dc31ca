"""SavedModels in memory: run as they are, warmed up before they are served."""

import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from kerashw.export import export_saved_model
from kerashw.models import convnet
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.loaded_model import SavedModel
from kerashw.serve.servables.warmup import FILE, warm_up


def test_a_signature_gives_what_the_saved_model_gives(models):
    path = models / "keras_fashion" / "1"
    image = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)
    ours = SavedModel(path).signatures["serving_default"].run({"image": image})
    theirs = tf.saved_model.load(path).signatures["serving_default"](image=tf.constant(image))
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-6)


def test_an_error_of_a_kernel_has_its_code_and_text(models):
    signature = SavedModel(models / "fashion" / "1").signatures["serving_default"]
    with pytest.raises(RequestError, match="requires a multiple of 784") as error:
        signature.run({"image": np.zeros((1, 3), np.float32)})
    assert error.value.code == "INVALID_ARGUMENT"


def test_a_version_whose_variables_are_damaged(models, tmp_path):
    path = pathlib.Path(shutil.copytree(models / "fashion" / "1", tmp_path / "1"))
    for file in (path / "variables").iterdir():
        file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(RequestError) as error:
        SavedModel(path)
    assert error.value.code in ("DATA_LOSS", "OUT_OF_RANGE", "UNKNOWN")


def with_warmup(models, tmp_path, *values):
    """A version with warm-up requests for `half_plus_two`."""
    path = pathlib.Path(shutil.copytree(models / "half_plus_two" / "123", tmp_path / "1"))
    (path / FILE).parent.mkdir()
    with tf.io.TFRecordWriter(str(path / FILE)) as writer:
        for value in values:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString())
    return path


def test_warm_up_requests_are_run(models, tmp_path):
    path = with_warmup(models, tmp_path, [1.0], [2.0, 3.0])
    model = SavedModel(path)
    ran, signature = [], model.signatures["serving_default"]
    run, signature.run = signature.run, lambda tensors: ran.append(run(tensors)["y"].tolist())
    assert warm_up(model, path, iterations=2) == 2
    assert ran == [[2.5], [2.5], [3.0, 3.5], [3.0, 3.5]]


def test_warm_up_that_fails(models, tmp_path):
    path = with_warmup(models, tmp_path, [1.0])
    (path / FILE).write_bytes((path / FILE).read_bytes()[:-3])
    with pytest.raises(RequestError) as error:
        warm_up(SavedModel(path), path)
    assert error.value.code == "DATA_LOSS"


def test_no_warm_up(models):
    path = models / "half_plus_two" / "123"
    assert warm_up(SavedModel(path), path) == 0


@pytest.fixture(scope="module")
def exported_convnet(tmp_path_factory):
    return export_saved_model(convnet(), tmp_path_factory.mktemp("convnet"))


# Some of these end the process where they reach oneDNN's convolution.
@pytest.mark.parametrize(
    "shape", [(28, 28), (2, 28), (0,), (), (0, 28, 28), (1, 28, 28, 1), (1, 2, 2)]
)
def test_a_shape_that_a_convolution_cannot_take(shape, exported_convnet):
    loaded = SavedModel(exported_convnet)
    with pytest.raises(RequestError, match=r"must have the shape \[\?,28,28\]") as error:
        loaded.signatures["pixels"].run({"image": np.zeros(shape, np.uint8)})
    assert error.value.code == "INVALID_ARGUMENT"
    answer = loaded.signatures["pixels"].run({"image": np.zeros((3, 28, 28), np.uint8)})
    assert answer["class"].shape == (3,)

"""Warm-up requests run before a model is served."""

import pathlib
import shutil

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.loaded_model import LoadedModel
from kerashw.serve.servables.warmup import FILE, warm_up


def version_with_requests(models, tmp_path, *values):
    """Copy a version of `half_plus_two` and add warm-up requests."""
    path = pathlib.Path(shutil.copytree(models / "half_plus_two" / "123", tmp_path / "1"))
    (path / FILE).parent.mkdir()
    with tf.io.TFRecordWriter(str(path / FILE)) as writer:
        for value in values:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString())
    return path


def test_warm_up_requests_are_run(models, tmp_path):
    path = version_with_requests(models, tmp_path, [1.0], [2.0, 3.0])
    model = LoadedModel(path)
    outputs, signature = [], model.signatures["serving_default"]
    run, signature.run = signature.run, lambda tensors: outputs.append(run(tensors)["y"].tolist())
    assert warm_up(model, path, iterations=2) == 2
    assert outputs == [[2.5], [2.5], [3.0, 3.5], [3.0, 3.5]]


def test_a_damaged_file_is_an_error(models, tmp_path):
    path = version_with_requests(models, tmp_path, [1.0])
    (path / FILE).write_bytes((path / FILE).read_bytes()[:-3])
    with pytest.raises(RequestError) as error:
        warm_up(LoadedModel(path), path)
    assert error.value.code == "DATA_LOSS"


def test_a_version_without_requests(models):
    path = models / "half_plus_two" / "123"
    assert warm_up(LoadedModel(path), path) == 0

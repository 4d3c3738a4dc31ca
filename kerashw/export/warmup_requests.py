"""Warm-up requests: a server runs them when it loads a model, before it accepts real requests."""

import math

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from kerashw.export.signatures import CLASSIFY, EXPLANATIONS

WARMUP_REQUESTS = "tf_serving_warmup_requests"  # in the folder assets.extra of a SavedModel
# A single request, and a typical largest batch of a server with batching.
BATCH_SIZES = (1, 32)


def write_warmup_requests(path, signatures):
    """Write requests for every signature of an exported model that predicts.

    Args:
        path: `Path` of the file to write: `assets.extra/tf_serving_warmup_requests` in the folder
            of the SavedModel.
        signatures: Dictionary of `kerashw.export.signatures.Signature` by name.

    Reference:
        https://www.tensorflow.org/tfx/serving/saved_model_warmup.
    """
    image_size = math.prod(signatures["serving_default"].input_spec.shape[1:])
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, signature in signatures.items():
            if name in EXPLANATIONS:
                continue
            if name == CLASSIFY:
                logs = [_classify_log(image_size)]
            else:
                logs = _predict_logs(name, signature.input_spec)
            for log in logs:
                writer.write(log.SerializeToString())


def _classify_log(image_size):
    log = prediction_log_pb2.PredictionLog()
    request = log.classify_log.request
    request.model_spec.signature_name = CLASSIFY
    example = request.input.example_list.examples.add()
    example.features.feature["image"].float_list.value.extend([0.0] * image_size)
    return log


def _predict_logs(name, spec):
    return [predict_log(name, {spec.name: batch}) for batch in _batches(spec)]


def predict_log(signature, inputs):
    """Return a warm-up request for `:predict`, as a `PredictionLog`.

    Args:
        signature: String, the name of the signature.
        inputs: Dictionary of arrays by the names of the inputs.
    """
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, array in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return log


def _batches(spec):
    """Return arrays for an input: blank images, or a batch of image files in both formats."""
    if spec.dtype == tf.string:
        line = np.zeros((20, 3, 1), np.uint8)
        image = np.pad(line, [(9, 9), (20, 20), (0, 0)], constant_values=255)
        files = tf.io.encode_png(image).numpy(), tf.io.encode_jpeg(image).numpy()
        return [np.array(files, np.object_)]
    dtype = spec.dtype.as_numpy_dtype
    return [np.zeros((size, *spec.shape[1:]), dtype) for size in BATCH_SIZES]

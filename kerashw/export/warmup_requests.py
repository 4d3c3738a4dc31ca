"""Warm-up requests: a server runs them when it loads a model, before it accepts real requests."""

import math

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from kerashw.export.signatures import CLASSIFY

# A single request, and a typical largest batch of a server with batching.
BATCH_SIZES = (1, 32)


def write_warmup_requests(path, signatures):
    """Write requests for every signature of an exported model.

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
    for batch in _batches(spec):
        log = prediction_log_pb2.PredictionLog()
        request = log.predict_log.request
        request.model_spec.signature_name = name
        request.inputs[spec.name].CopyFrom(tf.make_tensor_proto(batch))
        yield log


def _batches(spec):
    """Return arrays for an input: blank images, or a batch of image files in both formats."""
    if spec.dtype == tf.string:
        line = np.zeros((20, 3, 1), np.uint8)
        image = np.pad(line, [(9, 9), (20, 20), (0, 0)], constant_values=255)
        files = tf.io.encode_png(image).numpy(), tf.io.encode_jpeg(image).numpy()
        return [np.array(files, np.object_)]
    dtype = spec.dtype.as_numpy_dtype
    return [np.zeros((size, *spec.shape[1:]), dtype) for size in BATCH_SIZES]

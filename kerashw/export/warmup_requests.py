"""Warm-up requests, written beside a SavedModel for the server that loads it."""

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from kerashw.export.signatures import CLASSIFY


def warmup_request(name, tensors):
    """Return a request with these inputs as a `PredictionLog`."""
    log = prediction_log_pb2.PredictionLog()
    if name == CLASSIFY:
        request = log.classify_log.request
        for example in tensors["inputs"]:
            request.input.example_list.examples.add().ParseFromString(example)
    else:
        request = log.predict_log.request
        for key, array in tensors.items():
            request.inputs[key].CopyFrom(tf.make_tensor_proto(array))
    request.model_spec.signature_name = name
    return log

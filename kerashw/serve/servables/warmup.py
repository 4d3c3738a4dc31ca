"""Warm-up: requests that a SavedModel carries, run before it is served."""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from kerashw.serve.api.predict import DEFAULT_SIGNATURE
from kerashw.serve.api.status_codes import RequestError

FILE = "assets.extra/tf_serving_warmup_requests"
MAX_REQUESTS = 1000


def warm_up(model, path, iterations=1):
    """Run the requests in a version's `assets.extra/tf_serving_warmup_requests`.

    Args:
        model: `kerashw.serve.servables.loaded_model.SavedModel`.
        path: `Path` of its folder.
        iterations: Integer, how often to run each.

    Returns:
        Integer, how many requests there are.

    Raises:
        RequestError: If one fails, or the file is damaged.
    """
    file = path / FILE
    if not file.is_file():
        return 0
    count = 0
    try:
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            count += 1
            if count > MAX_REQUESTS:
                raise RequestError(f"Number of warmup records exceeds the maximum: {MAX_REQUESTS}")
            name, tensors = _request(record)
            if name not in model.signatures:
                raise RequestError(f'Warmup request for a signature "{name}", which is not there')
            for _ in range(iterations):
                model.signatures[name].run(tensors)
    except tf.errors.OpError as error:
        raise RequestError.from_tensorflow(error) from error
    return count


def _request(record):
    """Return the signature's name and the tensors of a serialized PredictionLog."""
    try:
        log = prediction_log_pb2.PredictionLog.FromString(record)
    except Exception as error:  # DecodeError, of another class in each of protobuf's versions
        raise RequestError("Failed to parse warmup record", "DATA_LOSS") from error
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        tensors = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
    elif kind in ("classify_log", "regress_log"):
        request = getattr(log, kind).request
        found = [example.SerializeToString() for example in request.input.example_list.examples]
        tensors = {"inputs": np.array(found, np.object_)}
    else:
        raise RequestError(f"Unsupported log_type for warmup: {kind}", "UNIMPLEMENTED")
    return request.model_spec.signature_name or DEFAULT_SIGNATURE, tensors

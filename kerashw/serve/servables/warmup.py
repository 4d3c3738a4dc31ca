"""Warm-up: requests in a SavedModel's folder, which run before the model is served."""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from kerashw.serve.api.status_codes import RequestError

FILE = "assets.extra/tf_serving_warmup_requests"
MAX_REQUESTS = 1000


def warm_up(model, path, iterations=1):
    """Run the requests of a version's `assets.extra/tf_serving_warmup_requests`.

    Args:
        model: `kerashw.serve.servables.loaded_model.LoadedModel`.
        path: `Path` of its folder.
        iterations: Integer, how often each request runs.

    Returns:
        Integer, the number of requests.

    Raises:
        RequestError: If a request fails, or the file is damaged.
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
            name, tensors = _read_request(record)
            if name not in model.signatures:
                raise RequestError(f'Warmup request for a signature "{name}", which is not there')
            for _ in range(iterations):
                model.signatures[name].run(tensors)
    except tf.errors.OpError as error:
        raise RequestError.from_tensorflow(error) from error
    return count


def _read_request(record):
    """Return the signature's name and the tensors of a serialized `PredictionLog`."""
    try:
        log = prediction_log_pb2.PredictionLog.FromString(record)
    except Exception as error:  # DecodeError, whose class differs between versions of protobuf
        raise RequestError("Failed to parse warmup record", "DATA_LOSS") from error
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        tensors = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
    elif kind in ("classify_log", "regress_log"):
        request = getattr(log, kind).request
        examples = [example.SerializeToString() for example in request.input.example_list.examples]
        tensors = {"inputs": np.array(examples, np.object_)}
    else:
        raise RequestError(f"Unsupported log_type for warmup: {kind}", "UNIMPLEMENTED")
    default = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
    return request.model_spec.signature_name or default, tensors

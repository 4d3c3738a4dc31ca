"""Calls of the gRPC API, with TensorFlow Serving's own stubs."""

import contextlib

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

TIMEOUT = 60


class Client:
    """The stubs of both services.

    Args:
        address: String.
        channel: `grpc.Channel` to it.
    """

    def __init__(self, address, channel):
        self.address = address
        self.channel = channel
        self.stubs = (
            prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model_service_pb2_grpc.ModelServiceStub(channel),
        )

    def call(self, method, message, timeout=TIMEOUT):
        """Call a method; return the response."""
        stub = next(stub for stub in self.stubs if hasattr(stub, method))
        return getattr(stub, method)(message, timeout=timeout)

    def fail(self, method, message, timeout=TIMEOUT):
        """Call a method that fails; return the name of the status code, and the message."""
        try:
            response = self.call(method, message, timeout)
        except grpc.RpcError as error:
            return error.code().name, error.details()
        raise AssertionError(f"{method} did not fail: {response}")

    def predict(self, name, inputs, **options):
        """Predict with arrays; return the outputs as arrays."""
        response = self.call("Predict", predict_request(name, inputs, **options))
        return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}

    def signatures(self, spec):
        """Return the signatures of a model by name."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=spec, metadata_field=["signature_def"]
        )
        response = self.call("GetModelMetadata", request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        return signatures.signature_def


@contextlib.contextmanager
def connected_client(address, credentials=None, **options):
    """Connect to a server, with options of the channel, such as compression."""
    if credentials:
        channel = grpc.secure_channel(address, credentials, **options)
    else:
        channel = grpc.insecure_channel(address, **options)
    with channel:
        yield Client(address, channel)


def predict_request(name, inputs, signature="", **spec):
    """Return a `PredictRequest` with arrays or `TensorProto`s."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    if "version" in spec:
        request.model_spec.version.value = spec["version"]
    if "label" in spec:
        request.model_spec.version_label = spec["label"]
    request.output_filter.extend(spec.get("output_filter", ()))
    for alias, value in inputs.items():
        proto = tf.make_tensor_proto(value) if isinstance(value, np.ndarray) else value
        request.inputs[alias].CopyFrom(proto)
    return request

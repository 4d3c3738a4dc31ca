"""A connection to TensorFlow Serving's gRPC API. Its messages import TensorFlow."""

from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from kerashw.errors import ClientError
from kerashw.serve.api.classify_and_regress_request import serialize_example
from kerashw.serve.api.inference_request import DEFAULT_SIGNATURE
from kerashw.serve.api.metadata import describe_signatures
from kerashw.serve.api.status_codes import HTTP_STATUS, RequestError
from kerashw.serve.client.connection import Connection
from kerashw.serve.client.inputs import read_values, to_json
from kerashw.serve.client.tensors import cast, from_tensor, to_array

OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", -1),
    # The longest time between two attempts to connect. By default it grows to two minutes, in which
    # requests fail although the server runs again.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 400),
]


class GrpcConnection(Connection):
    """A connection to TensorFlow Serving's gRPC API.

    Args:
        url: String, the address of the server: grpc:// or grpcs://, a host and a port.
        root_certificates: Path of a PEM file, or `None` for those of gRPC.
        settings: The other arguments of `Connection`.
    """

    def __init__(self, url, root_certificates, **settings):
        super().__init__(url, **settings)
        scheme, _, address = url.partition("://")
        if scheme == "grpcs":
            roots = Path(root_certificates).read_bytes() if root_certificates else None
            credentials = grpc.ssl_channel_credentials(roots)
            self._channel = grpc.secure_channel(f"dns:///{address}", credentials, OPTIONS)
        else:
            self._channel = grpc.insecure_channel(f"dns:///{address}", OPTIONS)
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._types = {}  # ModelVersion → the result of `_read_types`

    def close(self):
        """Close the connection. Requests that wait for a response fail."""
        self._channel.close()

    def predict(self, version, inputs, signature):
        """Return the outputs of a signature."""
        values = read_values(inputs)
        if isinstance(values, dict):
            arrays = {name: to_array(value) for name, value in values.items()}
        else:
            arrays = to_array(values)
        known = self._types.get(version)
        types = known or self._read_types(version)
        try:
            response = self._predict(version, arrays, signature, types)
        except ClientError as error:
            # The newest version, or that of a label, may be another one by now.
            if error.status != 400 or not known:
                raise
            types = self._read_types(version)
            if types == known:
                raise
            response = self._predict(version, arrays, signature, types)
        outputs = {name: from_tensor(name, response[name]) for name in sorted(response)}
        return outputs if len(outputs) != 1 else next(iter(outputs.values()))

    def classify(self, version, examples, signature):
        """Return the classes and scores of each example."""
        request = classification_pb2.ClassificationRequest()
        response = self._request_examples("Classify", request, version, examples, signature)
        return [
            [(each.label, each.score) for each in classifications.classes]
            for classifications in response.result.classifications
        ]

    def regress(self, version, examples, signature):
        """Return the value of each example."""
        request = regression_pb2.RegressionRequest()
        response = self._request_examples("Regress", request, version, examples, signature)
        return [each.value for each in response.result.regressions]

    def status(self, version):
        """Return the states of the versions of a model."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(version))
        response = self._request("GetModelStatus", request)
        name_of = get_model_status_pb2.ModelVersionStatus.State.Name
        return {each.version: name_of(each.state) for each in response.model_version_status}

    def metadata(self, version):
        """Return the signatures of a model."""
        return describe_signatures(self._read_signatures(version))

    def _read_signatures(self, version):
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=_spec(version), metadata_field=["signature_def"]
        )
        response = self._request("GetModelMetadata", request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        return signatures.signature_def

    def _read_types(self, version):
        """Return the types of a model's inputs: signature → name → `DataType`; and keep them."""
        self._types[version] = {
            signature: {name: info.dtype for name, info in signature_def.inputs.items()}
            for signature, signature_def in self._read_signatures(version).items()
        }
        return self._types[version]

    def _predict(self, version, arrays, signature, types):
        request = predict_pb2.PredictRequest(model_spec=_spec(version, signature))
        name = signature or DEFAULT_SIGNATURE
        # Without the signature, there are no names of inputs either: the server responds so.
        types = types.get(name, {})
        if not isinstance(arrays, dict):
            if len(types) > 1:
                raise ClientError(
                    f"The signature {name} of {version.model} has the inputs "
                    f"{', '.join(sorted(types))}. Pass a dictionary with these names. Received: an "
                    f"array {arrays.shape}",
                    400,
                )
            arrays = dict.fromkeys(types, arrays)
        for name, array in arrays.items():
            array = cast(array, types[name]) if types.get(name) else array
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        return self._request("Predict", request).outputs

    def _request_examples(self, method, request, version, examples, signature):
        request.model_spec.CopyFrom(_spec(version, signature))
        for example in examples:
            try:
                serialized = serialize_example(to_json(read_values(dict(example))))
            except RequestError as error:
                raise ClientError(error.message, error.http_status) from None
            request.input.example_list.examples.add().ParseFromString(serialized)
        return self._request(method, request)

    def _request(self, method, request):
        stub = self._models if method == "GetModelStatus" else self._service
        return self.repeat(self._send, getattr(stub, method), method, request)

    def _send(self, call, method, request):
        try:
            return call(request, timeout=self.timeout)
        except grpc.RpcError as error:
            status, details = HTTP_STATUS[error.code().name], error.details()
            if details == "Deadline Exceeded":  # not an error of the server
                details = f"no answer in {self.timeout:g} s"
            raise ClientError(f"{self.url} {method}: {details}", status) from None


def _spec(version, signature=None):
    spec = model_pb2.ModelSpec(
        name=version.model, version_label=version.label, signature_name=signature
    )
    if version.version is not None:
        spec.version.value = version.version
    return spec

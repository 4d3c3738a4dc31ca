"""The connection to the gRPC API: types, retries, time limits, restarts and TLS."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from kerashw.errors import ClientError
from kerashw.serve.client import Client
from tests.ports import free_port


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """A model whose only signature returns its input `x`. It refuses other types than `dtype`."""

    def __init__(self):
        self.dtype = types_pb2.DT_FLOAT
        self.overloaded = 0  # the number of requests that fail first
        self.release = threading.Event()  # until it is set, requests to the model slow wait
        self.calls, self.tensors = [], []

    def GetModelMetadata(self, request, context):  # noqa: N802
        self.calls.append("metadata")
        signatures = get_model_metadata_pb2.SignatureDefMap()
        signatures.signature_def["serving_default"].inputs["x"].dtype = self.dtype
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(signatures)
        return response

    def Predict(self, request, context):  # noqa: N802
        self.calls.append("predict")
        if request.model_spec.name == "slow":
            self.release.wait(60)
        if self.overloaded:
            self.overloaded -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "busy")
        tensor = request.inputs["x"]
        if tensor.dtype != self.dtype:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "another type is expected")
        self.tensors.append(tensor)
        return predict_pb2.PredictResponse(outputs={"y": tensor})


@contextlib.contextmanager
def serving(service, port=0, credentials=None):
    """Run a server in this process; return its port."""
    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    address = f"127.0.0.1:{port}"
    if credentials:
        port = server.add_secure_port(address, credentials)
    else:
        port = server.add_insecure_port(address)
    server.start()
    try:
        yield port
    finally:
        service.release.set()
        server.stop(0).wait()


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def client(service):
    with (
        serving(service) as port,
        Client(f"grpc://127.0.0.1:{port}", retries=2, wait=0.01) as client,
    ):
        yield client


def test_arrays_are_bytes_of_the_type_of_the_signature(service, client):
    for values in ([1, 2.5], np.array([1, 2.5]), np.array([[1, 2.5]], ">f2")):
        np.testing.assert_array_equal(client.predict("m", values), values)
        tensor = service.tensors.pop()
        assert tensor.dtype == types_pb2.DT_FLOAT
        assert tensor.tensor_content == np.float32(values).tobytes()
    assert service.calls == ["metadata", *["predict"] * 3]


def test_types_are_asked_for_again_if_they_do_not_fit(service, client):
    assert client.predict("m", [1]).dtype == np.float32
    service.dtype = types_pb2.DT_INT32  # that of a new version
    assert client.predict("m", [1]).dtype == np.int32
    assert service.calls == ["metadata", "predict", "predict", "metadata", "predict"]
    with pytest.raises(ClientError, match="another type") as error:
        client.predict("m", [1.5])
    assert error.value.status == 400
    assert service.calls[5:] == ["predict", "metadata"]


def test_a_request_is_repeated_if_the_server_is_overloaded(service, client):
    service.overloaded = 2
    assert client.predict("m", [1], version=3).tolist() == [1]
    assert service.calls == ["metadata", *["predict"] * 3]


def test_a_server_that_stays_overloaded(service, client):
    service.overloaded = 9
    with pytest.raises(ClientError, match="Predict: busy") as error:
        client.predict("m", [1])
    assert (error.value.status, service.calls.count("predict")) == (503, 3)


def test_a_slow_server_times_out(service):
    with (
        serving(service) as port,
        Client(f"grpc://127.0.0.1:{port}", timeout=0.2) as client,
        pytest.raises(ClientError, match=r"no answer in 0\.2 s") as error,
    ):
        client.predict("slow", [1])
    assert error.value.status == 504


def test_a_client_survives_a_restart_of_the_server(service, monkeypatch):
    port = free_port()

    def start(_):
        monkeypatch.undo()
        stack.enter_context(serving(service, port))

    with (
        contextlib.ExitStack() as stack,
        Client(f"grpc://127.0.0.1:{port}", retries=9) as client,
    ):
        with serving(service, port):
            assert client.predict("m", [1]).tolist() == [1]
        monkeypatch.setattr(time, "sleep", start)  # the server starts before the first retry
        assert client.predict("m", [2]).tolist() == [2]
    assert service.calls == ["metadata", "predict", "predict"]


def test_a_closed_client_sends_nothing(service):
    with serving(service) as port:
        with Client(f"grpc://127.0.0.1:{port}") as client:
            pass
        with pytest.raises(ValueError, match="closed channel"):
            client.predict("m", [1])
    assert not service.calls


def test_tls_with_a_given_root_certificate(service, certificate):
    key, chain = certificate
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), chain.read_bytes())])
    with serving(service, credentials=credentials) as port:
        with Client(f"grpcs://127.0.0.1:{port}", root_certificates=chain) as client:
            assert client.predict("m", [1]).tolist() == [1]
        for url in (f"grpcs://127.0.0.1:{port}", f"grpc://127.0.0.1:{port}"):
            with Client(url, retries=0) as client, pytest.raises(ClientError) as error:
                client.predict("m", [1])
            assert error.value.status == 503

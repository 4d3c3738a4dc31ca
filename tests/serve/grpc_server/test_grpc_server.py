"""The gRPC server: its limits, its other services, TLS, and how it stops."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tensorflow_serving.apis import get_model_status_pb2

from kerashw.errors import ServeError
from kerashw.serve.http_server.request_limits import Limits
from kerashw.serve.servables.config_file_reader import read_ssl_config
from tests.serve.grpc_server.calls import TIMEOUT, connected_client
from tests.serve.grpc_server.in_process import Registry, Server, request, serving
from tests.serve.processes import wait_until

SERVICES = ["tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"]


def values(response):
    return tf.make_ndarray(response.outputs["y"]).tolist()


class Gate:
    """A function of a model that waits until the gate is open.

    Attributes:
        waiting: `threading.Semaphore`, released by each call.
        opened: `threading.Event`.
    """

    def __init__(self):
        self.waiting = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self, x):
        self.waiting.release()
        assert self.opened.wait(TIMEOUT)
        return x


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.opened.set()


def test_requests_that_have_begun_are_answered_when_the_server_stops(gate):
    with serving(Registry(gate)) as (server, client), ThreadPoolExecutor() as threads:
        stub = client.stubs[0]
        calls = [stub.Predict.future(request(number), timeout=TIMEOUT) for number in range(20)]
        for _ in calls:
            assert gate.waiting.acquire(timeout=TIMEOUT)
        health = health_pb2_grpc.HealthStub(client.channel)
        statuses = health.Watch(health_pb2.HealthCheckRequest(service=SERVICES[0]))
        assert next(statuses).status == health_pb2.HealthCheckResponse.SERVING
        stopped = threads.submit(server.stop)
        assert [each.status for each in statuses] == [health_pb2.HealthCheckResponse.NOT_SERVING]
        other = get_model_status_pb2.GetModelStatusRequest()
        wait_until(lambda: client.fail("GetModelStatus", other)[0] == "UNAVAILABLE")
        assert not stopped.done()
        gate.opened.set()
        assert [values(call.result()) for call in calls] == [[number] for number in range(20)]
        stopped.result(TIMEOUT)


def test_time_limits(gate):
    with serving(Registry(gate), timeout=0.2) as (_, client):
        assert client.fail("Predict", request(1)) == (
            "DEADLINE_EXCEEDED",
            "Timed out waiting for the model",
        )
        code, _ = client.fail("Predict", request(1), timeout=0.1)
        assert code == "DEADLINE_EXCEEDED"
        gate.opened.set()


def test_the_number_of_calls_is_limited(gate):
    with serving(Registry(gate), limits=Limits(connections=3)) as (_, client):
        calls = [client.stubs[0].Predict.future(request(1), timeout=TIMEOUT) for _ in range(3)]
        for _ in calls:
            assert gate.waiting.acquire(timeout=TIMEOUT)
        assert client.fail("Predict", request(1))[0] == "RESOURCE_EXHAUSTED"
        gate.opened.set()
        assert [values(call.result()) for call in calls] == [[1]] * 3


def test_a_bug_is_logged_and_answered(caplog):
    with serving(Registry(lambda x: x.nosuch)) as (_, client):
        for _ in range(2):
            code, message = client.fail("Predict", request(1))
            assert (code, message) == (
                "INTERNAL",
                "Internal error. The server's log has the details",
            )
    assert "has no attribute 'nosuch'" in caplog.text


def test_messages_have_a_limit_also_after_decompression(client):
    big = request(*[0.0] * 300_000)
    code, message = client.fail("Predict", big)
    assert code == "RESOURCE_EXHAUSTED"
    assert "larger than max" in message
    with connected_client(client.address, compression=grpc.Compression.Gzip) as other:
        assert other.fail("Predict", big)[0] == "RESOURCE_EXHAUSTED"
        assert other.fail("Predict", request(1))[0] == "NOT_FOUND"


def test_channel_arguments_and_a_unix_socket(tmp_path):
    path = f"unix:{tmp_path}/socket"
    arguments = {"grpc.max_receive_message_length": 100}
    with serving(Registry(), more=(path,), channel_arguments=arguments) as (_, client):
        assert client.fail("Predict", request(*range(100)))[0] == "RESOURCE_EXHAUSTED"
        with connected_client(path) as other:
            assert values(other.call("Predict", request(1))) == [1]


def test_health(client):
    stub = health_pb2_grpc.HealthStub(client.channel)
    for service in ["", *SERVICES]:
        response = stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert response.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as error:
        stub.Check(health_pb2.HealthCheckRequest(service="nosuch"))
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_reflection_describes_the_services(client):
    stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICES[0]),
    ]
    services, files = stub.ServerReflectionInfo(iter(requests))
    names = {service.name for service in services.list_services_response.service}
    assert {*SERVICES, "grpc.health.v1.Health"} < names
    data = files.file_descriptor_response.file_descriptor_proto
    found = [descriptor_pb2.FileDescriptorProto.FromString(each).name for each in data]
    assert "tensorflow_serving/apis/prediction_service.proto" in found


def test_tls(certificate):
    key, pem = ((certificate / f"{name}.pem").read_bytes() for name in ("key", "certificate"))
    anonymous, known = (
        grpc.ssl_channel_credentials(pem, *pair) for pair in ((None, None), (key, pem))
    )
    ssl = read_ssl_config(certificate / "ssl.config")
    with serving(Registry(), ssl=ssl) as (server, plain):
        assert plain.fail("Predict", request(1))[0] == "UNAVAILABLE"
        with connected_client(server.address, anonymous) as client:
            assert values(client.call("Predict", request(1))) == [1]
    with serving(Registry(), ssl=ssl._replace(client_verify=True)) as (server, _):
        with connected_client(server.address, anonymous) as client:
            assert client.fail("Predict", request(1))[0] == "UNAVAILABLE"
        with connected_client(server.address, known) as client:
            assert values(client.call("Predict", request(1))) == [1]


def test_wrong_tls_configurations_are_refused(tmp_path):
    file = tmp_path / "ssl.config"
    for text, message in {
        'server_key: "x"': "needs server_key and server_cert",
        'server_key: "x" server_cert: "x" client_verify: true': "client_verify needs custom_ca",
        "nosuch: 1": "Invalid protobuf file",
    }.items():
        file.write_text(text)
        with pytest.raises(ServeError, match=message):
            read_ssl_config(file)
    file.write_text('server_key: "x" server_cert: "x"')
    with pytest.raises(ServeError, match="Check the keys and certificates"):
        Server(Registry(), ssl=read_ssl_config(file))

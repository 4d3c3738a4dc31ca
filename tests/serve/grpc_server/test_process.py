"""A server process: what its flags of gRPC do, and that it answers all requests when it stops."""

import signal

import grpc
import numpy as np
import pytest
import tensorflow as tf

from tests.ports import free_port
from tests.serve.grpc_server.calls import TIMEOUT, connected_client, predict_request
from tests.serve.processes import running_server

X = np.arange(200_000, dtype=np.float32)


@pytest.mark.slow
def test_accepted_requests_are_answered_after_sigterm(models, certificate, tmp_path):
    port, socket = free_port(), tmp_path / "socket"
    flags = [
        f"--model_base_path={models / 'half_plus_two'}",
        f"--port={port}",
        f"--ssl_config_file={certificate / 'ssl.config'}",
        f"--grpc_socket_path={socket}",
        "--grpc_channel_arguments=grpc.max_receive_message_length=900000",
    ]
    credentials = grpc.ssl_channel_credentials((certificate / "certificate.pem").read_bytes())
    request = predict_request("default", {"x": X})
    with running_server(*flags) as server:
        host = ("grpc.ssl_target_name_override", "localhost")  # a file has no name to verify
        with connected_client(f"unix:{socket}", credentials, options=[host]) as client:
            assert_answered(client.call("Predict", request))
        with connected_client(f"127.0.0.1:{port}", credentials) as client:
            too_long = predict_request("default", {"x": np.tile(X, 2)})
            assert client.fail("Predict", too_long)[0] == "RESOURCE_EXHAUSTED"
            calls = [client.stubs[0].Predict.future(request, timeout=TIMEOUT) for _ in range(40)]
            assert_answered(calls[0].result())
            server.process.send_signal(signal.SIGTERM)
            for call in calls:
                if call.exception() is None:
                    assert_answered(call.result())
                else:  # the server had not accepted it
                    assert call.code() == grpc.StatusCode.UNAVAILABLE
        assert server.process.wait(60) == 0


def assert_answered(response):
    assert np.array_equal(tf.make_ndarray(response.outputs["y"]), X / 2 + 2)

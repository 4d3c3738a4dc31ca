"""Server processes, and requests to them."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

from tests.ports import free_port

COMMAND = [sys.executable, "-m", "kerashw.serve"]
PREDICT = "/v1/models/half_plus_two:predict"


class Server:
    """A server process.

    Args:
        flags: Strings, the flags of the command. Without `--port`, there is no gRPC.
        stderr: File that receives the standard error.
        prefix: Strings, a command that starts the command in its arguments.
    """

    def __init__(self, *flags, stderr=subprocess.DEVNULL, prefix=()):
        self.port = free_port()
        self.process = subprocess.Popen(
            [*prefix, *COMMAND, f"--rest_api_port={self.port}", "--port=0", *map(str, flags)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        )
        line = self.process.stdout.readline()
        assert "Serving" in line
        self.grpc_address = line.strip().partition(", grpc://")[2]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout=60):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def request(self, method, path, body=None, headers=()):
        """Send a request; return the status, the body and the headers of the response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read(), response.headers

    def post(self, path, request):
        """Send JSON; return the status and the JSON of the response."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        status, body, _ = self.request("POST", path, body)
        return status, json.loads(body)

    def get(self, path):
        status, body, _ = self.request("GET", path)
        return status, json.loads(body)

    def states(self, model):
        """Return the states of the versions of a model."""
        _, response = self.get(f"/v1/models/{model}")
        return {
            int(version["version"]): version["state"]
            for version in response.get("model_version_status", [])
        }

    def stop(self):
        """Send SIGTERM to the process; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextlib.contextmanager
def running_server(*flags, **settings):
    server = Server(*flags, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait(60)
        server.process.stdout.close()


def send_bytes(port, data, method="GET", timeout=60):
    """Send raw bytes; return the status, the body and the headers of the response."""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(data)
        return read_response(connection, method)


def read_response(connection, method="GET"):
    """Read a response from a socket; return its status, body and headers."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    return response.status, response.read(), response.headers


def wait_until(condition, timeout=60):
    """Wait until a function returns a true value; fail after a timeout in seconds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "the condition did not become true"
        time.sleep(0.05)


def assert_serving(server):
    """Check that the process runs and answers a request."""
    assert server.process.poll() is None
    assert server.post(PREDICT, {"instances": [1.0]}) == (200, {"predictions": [2.5]})

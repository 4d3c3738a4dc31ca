"""The server as a real process, and plain sockets to talk to it."""

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
    """A running server.

    Args:
        flags: The command's flags.
        stderr: Where its messages go.
    """

    def __init__(self, *flags, stderr=subprocess.DEVNULL):
        self.port = free_port()
        self.process = subprocess.Popen(
            [*COMMAND, f"--rest_api_port={self.port}", *map(str, flags)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        )
        assert "Serving" in self.process.stdout.readline()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout=30):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def ask(self, method, path, body=None, headers=()):
        """Send a request; return the status, the body, and the headers of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers

    def post(self, path, request):
        """Send JSON; return the status, and the answer's JSON."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        status, body, _ = self.ask("POST", path, body)
        return status, json.loads(body)

    def get(self, path):
        status, body, _ = self.ask("GET", path)
        return status, json.loads(body)

    def states(self, model):
        """The states of a model's versions."""
        _, answer = self.get(f"/v1/models/{model}")
        return {
            int(version["version"]): version["state"]
            for version in answer.get("model_version_status", [])
        }

    def stop(self):
        """End the process as an operator does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


@contextlib.contextmanager
def serving(*flags, **settings):
    server = Server(*flags, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait(30)
        server.process.stdout.close()


def raw(port, data, method="GET", timeout=30):
    """Send bytes as they are; return the status, the body and the headers of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(data)
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        return answer.status, answer.read(), answer.headers


def until(condition, seconds=10):
    """Wait for something to come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


def assert_well(server):
    assert server.process.poll() is None
    assert server.post(PREDICT, {"instances": [1.0]}) == (200, {"predictions": [2.5]})

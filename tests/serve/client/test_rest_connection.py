"""The connection to the REST API: retries, time limits, and inputs that JSON does not have."""

import http.server
import json
import ssl
import threading

import pytest

from kerashw.errors import ClientError
from kerashw.serve.client import Client


class OverloadedHandler(http.server.BaseHTTPRequestHandler):
    """Answers two requests with 503, then others with 200; the model slow gets half a response."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        paths = self.server.paths
        paths.append(self.path)
        overloaded = len(paths) <= 2
        response = {"error": "busy"} if overloaded else {"outputs": [1]}
        body = json.dumps(response).encode()
        slow = "slow" in self.path
        self.send_response(503 if overloaded else 200)
        self.send_header("Content-Length", str(len(body) + slow))
        self.end_headers()
        self.wfile.write(body)
        if slow:
            self.server.release.wait(60)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def overloaded_server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), OverloadedHandler) as server:
        server.paths, server.release = [], threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


def test_a_request_is_repeated_if_the_server_is_overloaded(overloaded_server):
    client = Client(overloaded_server.url, wait=0.01)
    assert client.predict("m", [1], version=3).tolist() == [1]
    assert overloaded_server.paths == ["/v1/models/m/versions/3:predict"] * 3


def test_a_server_that_stays_overloaded(overloaded_server):
    with pytest.raises(ClientError, match="busy") as error:
        Client(overloaded_server.url, retries=1, wait=0.01).predict("m", [1])
    assert (error.value.status, len(overloaded_server.paths)) == (503, 2)


def test_a_slow_server_times_out(overloaded_server):
    overloaded_server.paths = ["", ""]
    with pytest.raises(ClientError, match=r"no answer in 0\.2 s"):
        Client(overloaded_server.url, timeout=0.2).predict("slow", [1])


def test_tls_with_a_given_root_certificate(overloaded_server, certificate):
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    overloaded_server.socket = context.wrap_socket(overloaded_server.socket, server_side=True)
    url = overloaded_server.url.replace("http:", "https:")
    assert Client(url, wait=0.01, root_certificates=chain).predict("m", [1]).tolist() == [1]
    with pytest.raises(ClientError, match="certificate verify failed") as error:
        Client(url, retries=0).predict("m", [1])
    assert error.value.status is None

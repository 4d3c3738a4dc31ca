"""The client: it sends arrays and files, and returns arrays and the errors of the server."""

import http.server
import json
import threading

import numpy as np
import pytest

from kerashw.errors import ClientError
from kerashw.serve.client import Client
from tests.ports import free_port


@pytest.fixture
def client(server):
    return Client(server.url, timeout=60)


def test_arrays_are_sent_and_returned(client):
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    answer = client.predict("fashion", images)
    assert answer["probabilities"].shape == (3, 10)
    np.testing.assert_array_equal(answer["class"], answer["probabilities"].argmax(-1))
    one = client.predict("fashion", {"image": images[:1]}, signature="named")
    np.testing.assert_allclose(one["probabilities"], answer["probabilities"][:1], rtol=1e-5)
    assert client.predict("half_plus_two", [1, 2.0]).tolist() == [2.5, 3.0]
    assert client.predict("types", np.float32(1.5), signature="scalar").tolist() == 1.5
    assert np.isnan(client.predict("half_plus_two", [np.nan]))


def test_a_model_without_pixels_refuses_uint8_arrays(client):
    with pytest.raises(ClientError, match="half_plus_two has no signature pixels") as error:
        client.predict("half_plus_two", np.uint8([1, 2]))
    assert error.value.status == 400
    answer = client.predict("half_plus_two", np.uint8([1, 2]), signature="serving_default")
    assert answer.tolist() == [2.5, 3.0]
    assert client.predict("types", np.uint8([1, 200]), signature="u8").tolist() == [1, 200]
    with pytest.raises(ClientError, match='"pixels" not found in signature def'):
        client.predict("half_plus_two", [1.0], signature="pixels")


def test_versions_and_labels(client):
    images = np.ones((1, 28, 28, 1))
    first = client.predict("fashion", images, version=1)["probabilities"]
    stable = client.predict("fashion", images, label="stable")["probabilities"]
    newest = client.predict("fashion", images)["probabilities"]
    np.testing.assert_array_equal(first, stable)
    assert not np.allclose(first, newest)


def test_image_files_are_sent_unchanged(client, tmp_path):
    png = tmp_path / "seven.png"
    png.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    for file in (png, str(png)):
        answer = client.predict("b64", [file, file], signature="only_bytes")
        assert answer.tolist() == [png.read_bytes()] * 2
        alone = client.predict("b64", file, signature="only_bytes")
        assert alone.tolist() == [png.read_bytes()]
    with pytest.raises(ClientError, match='"image_bytes" not found in signature def'):
        client.predict("b64", [png])
    with pytest.raises(OSError, match=r"gone\.png"):
        client.predict("b64", ["gone.png"])


def test_classify_and_regress(client):
    examples = [{"x": np.float32([1, 2]), "name": b"bob"}]
    assert client.classify("classes", examples)[0][0] == ("cat", 1.0)
    assert client.regress("classes", examples, signature="regress") == [1.0]


def test_status_and_metadata(client):
    assert client.status("fashion") == {1: "AVAILABLE", 2: "AVAILABLE"}
    assert "image" in client.metadata("fashion", label="canary")["serving_default"]["inputs"]


@pytest.mark.parametrize(
    ("ask", "message", "status"),
    [
        (lambda c: c.predict("nosuch", [1.0]), r"Servable not found.*Latest\(nosuch\)", 404),
        (lambda c: c.predict("a/b", [1.0]), r"Latest\(a/b\)", 404),
        (lambda c: c.predict("half_plus_two", ["a"]), "not of expected type: float", 400),
        (lambda c: c.predict("fashion", [1.0], label="x"), "Unrecognized .* label: x", 400),
    ],
)
def test_errors_have_the_message_of_the_server(client, ask, message, status):
    with pytest.raises(ClientError, match=message) as error:
        ask(client)
    assert error.value.status == status


def test_a_server_that_cannot_be_reached():
    with pytest.raises(ClientError, match="refused") as error:
        Client(f"http://127.0.0.1:{free_port()}", retries=1, wait=0.01).predict("m", [1])
    assert error.value.status is None


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8501",
        "http://",
        "http://127.0.0.1:8501/v1/models/convnet:predict",
        "http://127.0.0.1:8501/v1",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://[::1",
        b"http://127.0.0.1:8501",
        None,
    ],
)
def test_other_addresses_than_those_of_servers_are_refused(url):
    with pytest.raises(ClientError, match=r"must be like http://127\.0\.0\.1:8501, without"):
        Client(url)


def test_space_around_an_address_is_ignored():
    """As in a line of a file, or behind a proxy that adds a path."""
    assert Client(" http://[::1]:8501/\n").url == "http://[::1]:8501"
    assert Client("https://example.org/team/digits/").url == "https://example.org/team/digits"


@pytest.mark.parametrize("value", [{1.0}, [1j], (each for each in [1.0]), np.zeros(2, "M8[s]")])
def test_inputs_that_json_does_not_have_are_refused(value):
    client = Client("http://127.0.0.1:1", retries=0)
    with pytest.raises(ClientError, match=r"inputs must be arrays.* Received: Object of type "):
        client.predict("digits", value)
    with pytest.raises(ClientError, match="inputs must be arrays"):
        client.classify("digits", [{"x": value}])


def test_a_name_is_no_version():
    with pytest.raises(ClientError, match=r"label='latest'\. Received: version='latest'"):
        Client("http://127.0.0.1:1").predict("digits", [1.0], version="latest")


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

"""The client by both APIs: it sends arrays and files, and returns arrays or the server's errors."""

import subprocess
import sys

import numpy as np
import pytest

from kerashw.errors import ClientError
from kerashw.serve.client import Client
from tests.ports import free_port

# Servers that do not run.
REST, GRPC = "http://127.0.0.1:1", "grpc://127.0.0.1:1"


@pytest.fixture
def clients(server):
    """The clients of both APIs."""
    with Client(server.url) as rest, Client(f"grpc://{server.grpc_address}") as grpc:
        yield rest, grpc


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
    with pytest.raises(ClientError, match='"pixels" not found'):
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
    png.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff\x00")
    for file in (png, str(png)):
        answer = client.predict("b64", [file, file], signature="only_bytes")
        assert answer.tolist() == [png.read_bytes()] * 2
        alone = client.predict("b64", file, signature="only_bytes")
        assert alone.tolist() == [png.read_bytes()]
    with pytest.raises(ClientError, match='"image_bytes" not found'):
        client.predict("b64", [png])
    with pytest.raises(OSError, match=r"gone\.png"):
        client.predict("b64", ["gone.png"])


def test_classify_and_regress(client):
    examples = [{"x": np.float32([1, 2]), "name": b"bob"}]
    assert client.classify("classes", examples)[0][0] == ("cat", 1.0)
    assert client.regress("classes", examples, signature="regress") == [1.0]


def test_status_and_metadata(clients):
    statuses = [client.status("fashion") for client in clients]
    assert statuses == [{1: "AVAILABLE", 2: "AVAILABLE"}] * 2
    rest, grpc = (client.metadata("fashion", label="canary") for client in clients)
    assert rest == grpc
    assert "image" in rest["serving_default"]["inputs"]


def outcome(call, client):
    """Return the shape and the values of a response, or the status of an error."""
    try:
        array = np.array(call(client))
    except ClientError as error:
        return error.status
    if array.dtype.kind not in "biuUO":
        array = array.astype(np.float32)  # JSON has as many digits
    return array.shape, array.ravel().tolist()


# The signatures of the model types.
INTEGERS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"]
FLOATS = ["f16", "bf16", "f32", "f64", "scalar", "matrix", "unknown"]
VALUES = {
    "integers": [1, 2],
    "floats": [1.5, -2.0],
    "whole floats": [1.0, 2.0],
    "rows": [[1, 2, 3], [4, 5, 6]],
    "int64": np.array([3, 4]),
    "float64": np.array([0.25, 0.5]),
    "a number": 7,
    "a large number": [3_000_000_000],
    "a negative number": [-1],
    "booleans": [True, False],
    "texts": ["a", "é", ""],
    "bytes": [b"a\0", b"\0"],
    "an array of texts": np.array([["a"], ["b"]]),
    "numbers and texts": [1, "a"],
    "objects": np.array([1.5, 2], object),
    "None": [1.5, None],
    "nothing": [],
    "ragged": [[1], [2, 3]],
}
# The REST API wraps integers around that do not fit; the gRPC API refuses them.
WRAPPED = {("a negative number", "u8"), ("a large number", "i8"), ("a large number", "i16")}


@pytest.mark.parametrize("value", VALUES)
def test_both_apis_have_the_same_results_and_errors(clients, value):
    for signature in (*INTEGERS, *FLOATS, "bool", "string"):
        if (value, signature) in WRAPPED:
            continue

        def call(client, signature=signature):
            return client.predict("types", VALUES[value], signature=signature)

        rest, grpc = (outcome(call, client) for client in clients)
        assert rest == grpc, signature


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (lambda c: c.predict("nosuch", [1.0]), 404),
        (lambda c: c.predict("fashion", [1.0], version=9), 404),
        (lambda c: c.predict("fashion", [1.0], label="x"), 400),
        (lambda c: c.predict("types", [1.0], signature="nosuch"), 400),
        (lambda c: c.predict("types", [1.0], signature="two"), 400),
        (lambda c: c.predict("types", {"a": [1.0]}, signature="two"), 400),
        (lambda c: c.predict("types", {"a": [1], "c": [1]}, signature="two"), 400),
        (lambda c: c.predict("types", [11.0], signature="fails"), 400),
        (lambda c: c.classify("classes", [{"x": [1.0]}]), None),
        (lambda c: c.classify("classes", [{"x": [None, 2.0]}]), 400),
        (lambda c: c.classify("classes", [{"x": [1.0, "a"]}]), 400),
        (lambda c: c.classify("classes", []), 400),
        (lambda c: c.classify("fashion", [{"x": [1.0, 2.0]}]), 400),
        (lambda c: c.status("nosuch"), 404),
        (lambda c: c.status("fashion", version=9), 404),
        (lambda c: c.metadata("nosuch"), 404),
    ],
)
def test_both_apis_have_the_same_status_of_an_error(clients, call, status):
    rest, grpc = (outcome(call, client) for client in clients)
    assert rest == grpc
    assert status in (rest, None)


@pytest.mark.parametrize(
    ("ask", "message", "status"),
    [
        (lambda c: c.predict("nosuch", [1.0]), r"Servable not found.*Latest\(nosuch\)", 404),
        (lambda c: c.predict("a/b", [1.0]), r"Latest\(a/b\)", 404),
        (lambda c: c.predict("half_plus_two", ["a"]), "float", 400),
        (lambda c: c.predict("fashion", [1.0], label="x"), "Unrecognized .* label: x", 400),
    ],
)
def test_errors_have_the_message_of_the_server(client, ask, message, status):
    with pytest.raises(ClientError, match=message) as error:
        ask(client)
    assert error.value.status == status


@pytest.mark.parametrize(("scheme", "status"), [("http", None), ("grpc", 503)])
def test_a_server_that_cannot_be_reached(scheme, status):
    with (
        Client(f"{scheme}://127.0.0.1:{free_port()}", retries=1, wait=0.01) as client,
        pytest.raises(ClientError, match="refused") as error,
    ):
        client.predict("m", [1])
    assert error.value.status == status


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8501",
        "http://",
        "http://:8501",
        "http://127.0.0.1:8501/v1/models/convnet:predict",
        "http://127.0.0.1:8501/v1",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://[::1",
        b"http://127.0.0.1:8501",
        None,
        "grpc://127.0.0.1",
        "grpc://127.0.0.1:0",
        "grpc://127.0.0.1:8500/v1/models/convnet",
        "grpc://127.0.0.1:8500/digits",
        "unix:/run/serving",
    ],
)
def test_other_addresses_than_those_of_servers_are_refused(url):
    with pytest.raises(ClientError, match=r"must be like http://127\.0\.0\.1:8501, without"):
        Client(url)


def test_space_around_an_address_is_ignored():
    """As in a line of a file, or behind a proxy that adds a path."""
    assert Client(" http://[::1]:8501/\n").url == "http://[::1]:8501"
    assert Client("https://example.org/team/digits/").url == "https://example.org/team/digits"
    assert Client(" grpc://[::1]:8500/\n").url == "grpc://[::1]:8500"


def test_certificates_are_not_ignored():
    for url in (REST, GRPC):
        with pytest.raises(ClientError, match=f"Use {url[:4]}s:// or leave them out"):
            Client(url, root_certificates="roots.pem")
        with pytest.raises(OSError, match="No such file"):
            Client(f"{url[:4]}s{url[4:]}", root_certificates="gone.pem")


@pytest.mark.parametrize("url", [REST, GRPC])
@pytest.mark.parametrize("value", [{1.0}, (each for each in [1.0]), np.zeros(2, "M8[s]"), [{"a"}]])
def test_inputs_that_no_request_has_are_refused(url, value):
    with Client(url, retries=0) as client:
        with pytest.raises(ClientError, match=r"inputs must be arrays.* Received: Object of type "):
            client.predict("digits", value)
        with pytest.raises(ClientError, match=r"inputs must be arrays|unexpected JSON type"):
            client.classify("digits", [{"x": value}])


def test_a_name_is_no_version():
    with pytest.raises(ClientError, match=r"label='latest'\. Received: version='latest'"):
        Client(REST).predict("digits", [1.0], version="latest")


def test_only_grpc_imports_grpc_and_tensorflow(monkeypatch):
    script = f"""
import sys
from kerashw.serve.client import Client
Client("{REST}")
assert not {{"grpc", "keras", "tensorflow", "tensorflow_serving"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    monkeypatch.delitem(sys.modules, "kerashw.serve.client.grpc_connection", raising=False)
    monkeypatch.setitem(sys.modules, "grpc", None)  # as if it were not installed
    with pytest.raises(ClientError, match=r"grpc is missing.* pip install tensorflow-serving-api"):
        Client(GRPC)

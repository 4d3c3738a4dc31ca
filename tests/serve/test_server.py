"""The server as a real process: versions under load, hostile clients, start and stop."""

import concurrent.futures
import gzip
import http.client
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from random import Random

import pytest

import kerashw.serve
from tests.serve.processes import COMMAND, free_port, raw, serving, until
from tests.serve.recordings import load, request_of


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("config")
    (folder / "monitoring.config").write_text("prometheus_config { enable: true }")
    (folder / "batching.txt").write_text(
        "max_batch_size { value: 16 } batch_timeout_micros { value: 2000 } "
        "max_enqueued_batches { value: 2 } num_batch_threads { value: 1 }"
    )
    return folder


@pytest.fixture(scope="module")
def server(models, config):
    with serving(
        f"--model_config_file={models / 'models.config'}",
        "--allow_version_labels_for_unavailable_models",
        f"--monitoring_config_file={config / 'monitoring.config'}",
        "--rest_api_timeout_in_ms=3000",
        "--max_body_bytes=1000000",
        "--max_connections=60",
    ) as running:
        yield running
        assert running.stop() == 0


PREDICT = "/v1/models/half_plus_two:predict"


def assert_well(server):
    assert server.process.poll() is None
    assert server.post(PREDICT, {"instances": [1.0]}) == (200, {"predictions": [2.5]})


def copy(models, name, base, version):
    """Put a version into a model's folder in one step, as an export does."""
    aside = base.parent / f".{version}"
    shutil.copytree(models / name, aside)
    aside.rename(base / str(version))


class Load(threading.Thread):
    """Asks and asks; keeps what went wrong."""

    def __init__(self, server, path, request):
        super().__init__()
        self.server, self.path, self.body = server, path, json.dumps(request)
        self.answers, self.failures, self.stopped = set(), [], threading.Event()
        self.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        while not self.stopped.is_set():
            try:
                connection.request("POST", self.path, self.body)
                answer = connection.getresponse()
                body = answer.read()
            except OSError as error:
                self.failures.append(repr(error))
                continue
            (self.answers.add if answer.status == 200 else self.failures.append)(body)
        connection.close()

    def end(self):
        self.stopped.set()
        self.join(30)


def image(value):
    return [[[[value]] * 28] * 28]


def test_versions_come_and_go_under_load_without_a_failed_request(models, tmp_path):
    base = tmp_path / "dyn"
    base.mkdir()
    copy(models, "fashion/1", base, 1)
    with serving(f"--model_base_path={base}", "--model_name=dyn") as server:
        loads = [
            Load(server, "/v1/models/dyn:predict", {key: image(0.5)})
            for key in ("instances", "inputs")
        ]
        copy(models, "fashion/2", base, 2)
        start = time.monotonic()
        until(lambda: server.states("dyn") == {2: "AVAILABLE", 1: "END"})
        took = time.monotonic() - start
        (base / "3").mkdir()
        (base / "3" / "saved_model.pb").write_text("garbage")
        until(lambda: server.states("dyn").get(3) == "END")
        time.sleep(1.2)
        for each in loads:
            each.end()
            assert not each.failures
            assert len(each.answers) == 2  # version 1's and version 2's
        assert took < 4  # two seconds on a machine that has nothing else to do
        assert server.states("dyn")[2] == "AVAILABLE"
        status, answer = server.get("/v1/models/dyn/versions/3")
        recorded = next(e for e in load() if e["name"] == "dyn_after_corrupt_v3")
        expected = json.loads(recorded["response_body"])["model_version_status"]
        assert answer["model_version_status"] == [expected[0]]
        status, answer = server.post("/v1/models/dyn/versions/1:predict", {"instances": [1]})
        assert (status, answer["error"]) == (
            404,
            "Servable not found for request: Specific(dyn, 1)",
        )
        assert server.stop() == 0


def test_accepted_requests_are_answered_at_sigterm(models):
    with serving(f"--model_base_path={models / 'half_plus_two'}") as server:
        body = json.dumps({"instances": [1.0] * 50_000}).encode()
        head = f"POST /v1/models/default:predict HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        waiting = [server.connect() for _ in range(20)]
        for number, connection in enumerate(waiting):
            # Some requests are whole, some still under way.
            sent = len(body) if number % 2 else len(body) // 2
            connection.sendall(head.encode() + body[:sent])
        idle = server.connect()
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        for number, connection in enumerate(waiting):
            if number % 2 == 0:
                connection.sendall(body[len(body) // 2 :])
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 200
            assert len(json.loads(answer.read())["predictions"]) == 50_000
            connection.close()
        assert idle.recv(1) == b""
        idle.close()
        assert server.process.wait(20) == 0


def test_a_thousand_requests_at_once_are_not_mixed_up(models, config):
    with serving(
        f"--model_config_file={models / 'models.config'}",
        "--allow_version_labels_for_unavailable_models",
        "--enable_batching",
        f"--batching_parameters_file={config / 'batching.txt'}",
    ) as server:

        def ask(worker):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            for number in range(worker * 100, worker * 100 + 100):
                connection.request("POST", PREDICT, json.dumps({"instances": [number, -number]}))
                answer = connection.getresponse()
                expected = {"predictions": [number / 2 + 2, -number / 2 + 2]}
                assert (answer.status, json.loads(answer.read())) == (200, expected)
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            list(pool.map(ask, range(10)))


def test_a_body_that_is_too_big(server):
    with server.connect() as connection:
        connection.sendall(f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n".encode())
        try:  # a client that goes on sending gets its answer none the less
            for _ in range(100):
                connection.sendall(b" " * 1_000_000)
        except OSError:
            pass
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 413
        assert "1000000 bytes" in json.loads(answer.read())["error"]
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = f"POST {PREDICT} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert raw(server.port, head + chunk * 20)[0] == 413
    assert_well(server)


def test_a_body_that_gets_too_big_when_decompressed(server):
    body = gzip.compress(b" " * 50_000_000)
    assert len(body) < 100_000
    status, body, _ = server.ask("POST", PREDICT, body, {"Content-Encoding": "gzip"})
    assert status == 400
    assert b"1000000 bytes" in body
    assert server.ask("POST", PREDICT, b"\x1f\x8b", {"Content-Encoding": "gzip"})[0] == 400
    assert_well(server)


def test_headers_that_are_too_big(server):
    head = b"GET /v1/models/half_plus_two HTTP/1.1\r\n"
    assert raw(server.port, head + b"X: " + b"a" * 100_000 + b"\r\n\r\n")[0] == 431
    assert raw(server.port, head + b"X: a\r\n" * 20_000 + b"\r\n")[0] == 431
    assert raw(server.port, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n")[0] == 431
    assert_well(server)


def test_clients_that_are_too_slow(server):
    half = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 100\r\n\r\n".encode()
    starts = [half + b"{", half[:30], half[:-2]]
    connections = [server.connect() for _ in starts]
    silent = server.connect()
    for connection, start in zip(connections, starts, strict=True):
        connection.sendall(start)
    assert_well(server)  # nobody else has to wait
    for connection in connections:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 408
        connection.close()
    assert silent.recv(1) == b""
    silent.close()


def test_bodies_that_end_too_early(server):
    for _ in range(20):
        with server.connect() as connection:
            connection.sendall(f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert_well(server)


def test_too_many_connections(server):
    crowd = [server.connect() for _ in range(60)]
    try:
        assert raw(server.port, b"GET /v1/models/half_plus_two HTTP/1.1\r\n\r\n")[0] == 503
    finally:
        for connection in crowd:
            connection.close()
    time.sleep(0.2)
    assert_well(server)


HOSTILE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /v1/models/../../etc/passwd HTTP/1.1\r\n\r\n",
    b"GET /v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\n\r\n",
    b"GET /../../../../etc/passwd HTTP/1.1\r\n\r\n",
    b"GET /v1/models/\xff\xfe HTTP/1.1\r\n\r\n",
    b"GET /v1/models/%00 HTTP/1.1\r\n\r\n",
    b"GET /v1/models/m HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n\r\n",
    b"CONNECT localhost:80 HTTP/1.1\r\n\r\n",
    b"TRACE /v1/models/half_plus_two HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET http://elsewhere/v1/models/half_plus_two HTTP/1.1\r\n\r\n",
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_requests(server, data):
    status, body, _ = raw(server.port, data)
    assert status in (200, 400, 404, 501)
    assert b"root:" not in body
    assert_well(server)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b'{"instances": ' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"instances": ' + b"[" * 100 + b"1" + b"]" * 100 + b"}",
        b'{"a":' * 100_000,
        b"9" * 900_000,
        b'{"instances": [' + b"NaN," * 200_000 + b"1]}",
        b'{"instances": [1.0], "signature_name": "' + b"\xff" * 1000 + b'"}',
        bytes(range(256)) * 1000,
    ],
    ids=range(8),
)
def test_hostile_bodies(server, body):
    status, answer, _ = server.ask("POST", PREDICT, body)
    assert status in (200, 400)
    assert answer
    assert_well(server)


def fuzzed(random, requests):
    """One of the recorded requests with a few bytes changed."""
    data = bytearray(random.choice(requests))
    for _ in range(random.randrange(4)):
        place = random.randrange(len(data) + 1)
        piece = random.choice(
            [b"", b"[", b"]", b"{", b'"', b"\0", b"\xff", b"9" * 9, b"-", b"\r\n"]
        )
        data[place : place + random.randrange(9)] = piece
    return bytes(data)


@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_fuzzed_requests(server, count):
    random = Random(count)
    requests = [request_of(entry) for entry in load() if len(entry.get("request_body") or "") < 999]
    for _ in range(count):
        data = fuzzed(random, requests)
        with server.connect() as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        statuses = re.findall(rb"^HTTP/1.1 (\d+) ", answer, re.MULTILINE)
        assert set(statuses) <= {b"100", b"200", b"400", b"404", b"413", b"431", b"501"}, data
    assert_well(server)


def test_a_client_that_asks_and_then_only_listens(server):
    body = json.dumps({"instances": [1.0] * 20_000}).encode()
    head = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with server.connect() as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.read().count(b"2.5")) == (200, 20_000)


def test_pipelined_requests_are_answered_in_order(server):
    body = b'{"instances": [%d]}'
    data = b"".join(
        b"POST %b HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b"
        % (PREDICT.encode(), len(body % number), body % number)
        for number in range(1, 10)
    )
    with server.connect() as connection:
        connection.sendall(data)
        received = b""
        while received.count(b"HTTP/1.1 200") < 9 or not received.endswith(b"}"):
            received += connection.recv(65536)
    assert re.findall(rb"\[([\d.]+)\]", received) == [b"%.1f" % (n / 2 + 2) for n in range(1, 10)]


def test_metrics_have_the_names_of_the_original(server):
    server.post(PREDICT, {"instances": [1.0, 2.0]})
    server.post("/v1/models/invented:predict", {"instances": [1.0]})
    status, page, headers = server.ask("GET", "/monitoring/prometheus/metrics")
    page = page.decode()
    assert (status, headers["content-type"]) == (200, "text/plain")
    for line in (
        r"^# TYPE :tensorflow:serving:request_count counter$",
        r'^:tensorflow:serving:request_count{model_name="half_plus_two",status="OK"} \d',
        r'^:tensorflow:serving:request_latency_bucket{model_name="half_plus_two",API="predict",'
        r'entrypoint="REST",le="10.0"} ',
        r'^:tensorflow:serving:runtime_latency_count{model_name="half_plus_two",API="Predict",'
        r'runtime="TF1"} ',
        r'^:tensorflow:serving:request_example_counts_sum{model="half_plus_two"} ',
        r'^:tensorflow:serving:request_example_count_total{model="half_plus_two"} ',
    ):
        assert re.search(line, page, re.MULTILINE), line
    assert "invented" not in page  # clients do not make the page grow


PAGE = pathlib.Path(kerashw.serve.__file__).parent / "page"


def test_the_page_and_its_files(server):
    types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for file in PAGE.iterdir():
        path = "/" if file.name == "index.html" else f"/page/{file.name}"
        status, body, headers = server.ask("GET", path)
        assert (status, body) == (200, file.read_bytes()), path
        assert headers["content-type"].startswith(types.get(file.suffix[1:], "text/html"))
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-cache"
        assert server.ask("HEAD", path)[:2] == (200, b"")
        assert server.ask("POST", path)[0] == 404


def test_nothing_but_the_page_is_reached(server):
    for path in ("index.html", "", "nosuch.js", "../demo.py", "%2e%2e/demo.py", "./main.js"):
        assert server.ask("GET", f"/page/{path}")[0] == 404, path
    assert server.ask("GET", "/page")[0] == 404


def test_the_page_learns_what_the_models_take(server):
    status, answer = server.get("/page/models.json")
    models = {model["name"]: model for model in answer["models"]}
    assert status == 200
    for name, model in models.items():
        _, metadata = server.get(f"/v1/models/{name}/metadata")
        assert model["versions"][0] == metadata["model_spec"]["version"]
        definitions = metadata["metadata"]["signature_def"]["signature_def"]
        for signature, sides in model["signatures"].items():
            for side, tensors in sides.items():
                assert tensors == {
                    key: plain_info(info) for key, info in definitions[signature][side].items()
                }
    assert models["half_plus_two"]["signatures"]["serving_default"]["inputs"] == {
        "x": {"dtype": "DT_FLOAT", "shape": None}  # of any rank
    }


def plain_info(info):
    shape = info["tensor_shape"]
    sizes = [int(dimension["size"]) for dimension in shape["dim"]]
    return {"dtype": info["dtype"], "shape": None if shape["unknown_rank"] else sizes}


def refused(*flags):
    """Start a server that cannot start; return its only line."""
    ended = subprocess.run([*COMMAND, *map(str, flags)], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    lines = [line for line in ended.stderr.splitlines() if " INFO " not in line]
    assert lines[-1].startswith("python -m kerashw.serve: error: ")
    return lines[-1]


# In the words of the recorded server's log, most of them. Some made it wait for ever.
FAILURES = {
    "missing_base_path": "Expected model default to have an absolute path",
    "empty_base_path": "No versions of servable",
    "relative_base_path": "Expected model default to have an absolute path or URI",
    "corrupt_only_version": "OUT_OF_RANGE: Read less bytes than requested",
    "no_flags": "Neither --model_base_path nor --model_config_file",
    "bad_config_file": 'has no field named "nosuch"',
    "missing_config_file": "nosuch.config",
    "label_at_startup_without_allow_flag": "Request to assign label to version 1 of model a",
    "specific_missing_version": "No versions of servable a found",
    "wrong_tags": "Could not find meta graph def matching supplied tags: { foo }",
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_to_start_is_one_line(case, models, tmp_path):
    recorded = next(entry for entry in load("startup.json") if entry["case"] == case)
    folder = tmp_path / "START"
    (folder / "empty").mkdir(parents=True)
    (folder / "corrupt" / "1").mkdir(parents=True)
    (folder / "corrupt" / "1" / "saved_model.pb").write_text("garbage")
    entry = f'name: "a" base_path: "{models}/fashion" model_platform: "tensorflow"'
    for name, text in {
        "bad": "config { nosuch: 1 }",
        "lab2": f'config {{ {entry} version_labels {{ key: "x" value: 1 }} '
        "model_version_policy { all {} } }",
        "spec": f"config {{ {entry} model_version_policy {{ specific {{ versions: 9 }} }} }}",
    }.items():
        (folder / f"{name}.config").write_text(f"model_config_list {{ {text} }}")
    places = {"START": folder, "MODELS": models}
    flags = [
        re.sub("START|MODELS", lambda found: str(places[found[0]]), flag)
        for flag in recorded["flags"]
    ]
    assert FAILURES[case] in refused(*flags, f"--rest_api_port={free_port()}")


def test_flags_that_cannot_be_followed(models):
    base = f"--model_base_path={models / 'fashion'}"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "in use" in refused(base, f"--rest_api_port={taken.getsockname()[1]}")
    assert "--ssl_config_file is not supported" in refused(base, "--ssl_config_file=x")
    assert "--nosuch" in refused(base, "--nosuch=1")
    assert "expected true or false" in refused(base, "--enable_batching=maybe")


def test_the_server_listens_here_only(server):
    address = next(
        (each[4][0] for each in socket.getaddrinfo(socket.gethostname(), server.port)), None
    )
    if address and not address.startswith("127.") and ":" not in address:
        with pytest.raises(OSError):
            socket.create_connection((address, server.port), 5).close()


def test_nothing_unsafe_is_called():
    for module in pathlib.Path(kerashw.serve.__file__).parent.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        assert not re.search(r"\b(pickle|eval\(|exec\(|load_model|marshal|shell=True)", text), (
            module
        )

"""Concurrent clients: while versions are loaded and unloaded, and while the server stops."""

import asyncio
import http.client
import json
import pathlib
import re
import shutil
import signal
import threading

import numpy as np
import pytest

from tests.serve.processes import PREDICT, read_response, running_server, wait_until
from tests.serve.recordings import load


def copy(models, name, base, version):
    """Copy a version into the folder of a model in one step, as an export does."""
    temporary = base.parent / f".{version}"
    shutil.copytree(models / name, temporary)
    temporary.rename(base / str(version))


class Load(threading.Thread):
    """Sends a request again and again, and records the responses."""

    def __init__(self, server, path, request):
        super().__init__()
        self.server, self.path, self.body = server, path, json.dumps(request)
        self.count, self.responses, self.failures = 0, set(), []
        self.stopped = threading.Event()
        self.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        while not self.stopped.is_set():
            try:
                connection.request("POST", self.path, self.body)
                response = connection.getresponse()
                body = response.read()
            except OSError as error:
                self.failures.append(repr(error))
                continue
            (self.responses.add if response.status == 200 else self.failures.append)(body)
            self.count += 1
        connection.close()

    def stop(self):
        self.stopped.set()
        self.join(60)


def image(value):
    return [[[[value]] * 28] * 28]


def distinct(responses):
    """Return those that differ by more than the rounding of calls with several requests."""
    found = []
    for response in responses:
        numbers = np.array(re.findall(rb"[\d.]+", response), float)
        if not any(np.allclose(numbers, other, rtol=1e-5) for other in found):
            found.append(numbers)
    return found


def write_config(base, stable):
    """Write a models.config with a label in one step."""
    config = f'name: "dyn" base_path: "{base}" model_platform: "tensorflow"'
    config += f' version_labels {{ key: "stable" value: {stable} }}'
    new = base.with_suffix(".new")
    new.write_text(f"model_config_list {{ config {{ {config} }} }}")
    return new.rename(base.with_suffix(".config"))


def test_versions_are_loaded_and_unloaded_without_a_failed_request(models, tmp_path):
    base, log = tmp_path / "dyn", tmp_path / "log"
    base.mkdir()
    copy(models, "fashion/1", base, 1)
    flags = [
        f"--model_config_file={write_config(base, stable=1)}",
        "--model_config_file_poll_wait_seconds=0.2",
        "--allow_version_labels_for_unavailable_models",
        "--file_system_poll_wait_seconds=0.2",
    ]
    with log.open("w") as stderr, running_server(*flags, stderr=stderr) as server:
        loads = [
            Load(server, f"/v1/models/dyn{label}:predict", {key: image(0.5)})
            for key, label in [("instances", ""), ("inputs", ""), ("inputs", "/labels/stable")]
        ]
        wait_until(lambda: all(each.responses or each.failures for each in loads))
        write_config(base, stable=2)
        wait_until(lambda: "stays at version 1 until version 2 is available" in log.read_text())
        copy(models, "fashion/2", base, 2)
        wait_until(lambda: server.states("dyn") == {2: "AVAILABLE", 1: "END"})
        (base / "3").mkdir()
        (base / "3" / "saved_model.pb").write_text("garbage")
        wait_until(lambda: server.states("dyn").get(3) == "END")
        enough = [each.count + 100 for each in loads]
        wait_until(lambda: all(each.count >= n for each, n in zip(loads, enough, strict=True)))
        for each in loads:
            each.stop()
            assert not each.failures
            assert len(distinct(each.responses)) == 2  # of version 1 and of version 2
        assert server.states("dyn")[2] == "AVAILABLE"
        status, response = server.get("/v1/models/dyn/versions/3")
        recorded = next(e for e in load() if e["name"] == "dyn_after_corrupt_v3")
        expected = json.loads(recorded["response_body"])["model_version_status"]
        assert response["model_version_status"] == [expected[0]]
        status, response = server.post("/v1/models/dyn/versions/1:predict", {"instances": [1]})
        message = "Servable not found for request: Specific(dyn, 1)"
        assert (status, response["error"]) == (404, message)
        assert server.stop() == 0


def test_accepted_requests_are_answered_after_sigterm(models):
    with running_server(f"--model_base_path={models / 'half_plus_two'}") as server:
        body = json.dumps({"instances": [1.0] * 50_000}).encode()
        head = (
            f"POST /v1/models/default:predict HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
            "Expect: 100-continue\r\n\r\n"
        ).encode()
        connections = [server.connect() for _ in range(20)]
        for connection in connections:
            connection.sendall(head)
        for connection in connections:  # the server has accepted each request
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        for number, connection in enumerate(connections):
            connection.sendall(body if number % 2 else body[: len(body) // 2])
        idle = server.connect()
        idle.sendall(b"GET /v1/models/default HTTP/1.1\r\n\r\n")
        assert read_response(idle)[0] == 200
        server.process.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b""  # the server is stopping
        idle.close()
        for number, connection in enumerate(connections):
            if number % 2 == 0:
                connection.sendall(body[len(body) // 2 :])
            status, response, _ = read_response(connection)
            assert status == 200
            assert len(json.loads(response)["predictions"]) == 50_000
            connection.close()
        assert server.process.wait(60) == 0


BATCHING = """
max_batch_size { value: 16 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 2 }
"""


@pytest.fixture(scope="module")
def batching_server(models, tmp_path_factory):
    batching = tmp_path_factory.mktemp("config") / "batching.txt"
    batching.write_text(BATCHING)
    with running_server(
        f"--model_config_file={models / 'models.config'}",
        "--allow_version_labels_for_unavailable_models",
        "--enable_batching",
        f"--batching_parameters_file={batching}",
    ) as running:
        yield running


def exchange(number):
    """Return the path and JSON of a unique request, and the status and JSON of its response."""
    if number % 10 == 0:
        error = f"Servable not found for request: Latest(m{number})"
        return f"/v1/models/m{number}:predict", {"instances": [1]}, 404, {"error": error}
    if number % 10 < 4:
        x = [number] * (number % 7 + 1)
        request = {"signature_name": "i64", "inputs": x}
        return "/v1/models/types:predict", request, 200, {"outputs": x}
    predictions = [number / 2 + 2, -number / 2 + 2]
    return PREDICT, {"instances": [number, -number]}, 200, {"predictions": predictions}


def send_all(port, exchanges, clients=48):
    """Send requests from several clients; return those with an unexpected response."""

    async def client(waiting, unexpected):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path, request, status, expected in waiting:
            body = json.dumps(request)
            head = f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write((head + body).encode())
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(re.search(rb"content-length: (\d+)", head)[1])
            response = json.loads(await reader.readexactly(size))
            if (int(head[9:12]), response) != (status, expected):
                unexpected.append((request, head, response))
        writer.close()
        await writer.wait_closed()

    async def all_clients():
        waiting, unexpected = iter(exchanges), []
        await asyncio.gather(*(client(waiting, unexpected) for _ in range(clients)))
        return unexpected

    return asyncio.run(all_clients())


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("server", 2000),
        ("batching_server", 2000),
        pytest.param("batching_server", 20_000, marks=pytest.mark.slow),
    ],
)
def test_concurrent_requests_get_their_own_responses(name, count, request):
    port = request.getfixturevalue(name).port
    assert not send_all(port, map(exchange, range(count)))


def memory(process):
    """Return the resident memory of a process in bytes."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["server", "batching_server"])
def test_memory_does_not_grow_with_requests(name, request):
    server = request.getfixturevalue(name)
    send_all(server.port, map(exchange, range(5000)))
    start = memory(server.process)
    assert not send_all(server.port, map(exchange, range(5000, 55_000)))
    assert 0.95 < memory(server.process) / start < 1.05

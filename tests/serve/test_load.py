"""Many clients at once: while versions come and go, and while the server stops."""

import asyncio
import http.client
import json
import pathlib
import re
import shutil
import signal
import threading
import time

import pytest

from tests.serve.processes import PREDICT, serving, until
from tests.serve.recordings import load


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
        until(lambda: server.states("dyn") == {2: "AVAILABLE", 1: "END"})
        (base / "3").mkdir()
        (base / "3" / "saved_model.pb").write_text("garbage")
        until(lambda: server.states("dyn").get(3) == "END")
        time.sleep(1.2)
        for each in loads:
            each.end()
            assert not each.failures
            assert len(each.answers) == 2  # version 1's and version 2's
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
    with serving(
        f"--model_config_file={models / 'models.config'}",
        "--allow_version_labels_for_unavailable_models",
        "--enable_batching",
        f"--batching_parameters_file={batching}",
    ) as running:
        yield running


def exchange(number):
    """A request like no other, its status, and what its answer says."""
    if number % 10 == 0:
        error = f"Servable not found for request: Latest(m{number})"
        return f"/v1/models/m{number}:predict", {"instances": [1]}, 404, {"error": error}
    if number % 10 < 4:
        x = [number] * (number % 7 + 1)
        request = {"signature_name": "i64", "inputs": x}
        return "/v1/models/types:predict", request, 200, {"outputs": x}
    predictions = [number / 2 + 2, -number / 2 + 2]
    return PREDICT, {"instances": [number, -number]}, 200, {"predictions": predictions}


def ask_all(port, exchanges, clients=48):
    """Send all the requests, many at a time; return those that were not answered as expected."""

    async def client(waiting, unexpected):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path, request, status, expected in waiting:
            body = json.dumps(request)
            head = f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write((head + body).encode())
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(re.search(rb"content-length: (\d+)", head)[1])
            answer = json.loads(await reader.readexactly(size))
            if (int(head[9:12]), answer) != (status, expected):
                unexpected.append((request, head, answer))
        writer.close()
        await writer.wait_closed()

    async def all_clients():
        waiting, unexpected = iter(exchanges), []
        await asyncio.gather(*(client(waiting, unexpected) for _ in range(clients)))
        return unexpected

    return asyncio.run(all_clients())


@pytest.mark.parametrize(("name", "count"), [("server", 2000), ("batching_server", 20_000)])
def test_requests_at_once_are_neither_lost_nor_mixed_up(name, count, request):
    port = request.getfixturevalue(name).port
    assert not ask_all(port, map(exchange, range(count)))


def memory(process):
    """The bytes of memory that a process holds."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["server", "batching_server"])
def test_memory_stays_as_it_is_over_many_requests(name, request):
    server = request.getfixturevalue(name)
    ask_all(server.port, map(exchange, range(5000)))
    start = memory(server.process)
    assert not ask_all(server.port, map(exchange, range(5000, 55_000)))
    assert 0.95 < memory(server.process) / start < 1.05

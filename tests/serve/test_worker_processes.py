"""Several processes that serve the same addresses: what a client sees when one of them ends."""

import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

from kerashw.errors import ServeError
from kerashw.serve.listening_socket import bound_socket, is_shared, share_address
from tests.ports import free_port
from tests.serve.processes import COMMAND, PREDICT, running_server, wait_until


@pytest.fixture(scope="module")
def flags(models, tmp_path_factory):
    monitoring = tmp_path_factory.mktemp("config") / "monitoring.config"
    monitoring.write_text("prometheus_config { enable: true }")
    return [
        f"--model_base_path={models / 'half_plus_two'}",
        "--model_name=half_plus_two",
        f"--monitoring_config_file={monitoring}",
        "--workers=2",
    ]


def workers_of(server):
    """Return the process numbers of the workers."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [
        int(number)
        for number in children.split()
        if "spawn_main" in Path(f"/proc/{number}/cmdline").read_text()
    ]


def total_requests(server):
    _, page, _ = server.request("GET", "/monitoring/prometheus/metrics")
    pattern = rb'request_count\{model_name="half_plus_two",status="OK"\} (\S+)'
    return sum(map(float, re.findall(pattern, page)))


class Client(threading.Thread):
    """Sends requests over one connection after another, until it is stopped.

    Attributes:
        answers: List with a list for each connection, of the status and body of each response.
    """

    def __init__(self, server, path=PREDICT, request=b'{"instances": [1.0]}'):
        super().__init__()
        self.server, self.path, self.request, self.answers = server, path, request, []
        self.stopped = threading.Event()
        self.start()

    def run(self):
        while not self.stopped.is_set():
            self.answers.append([])
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            with (
                contextlib.closing(connection),
                contextlib.suppress(OSError, http.client.HTTPException),
            ):
                while not self.stopped.is_set():
                    connection.request("POST", self.path, self.request)
                    response = connection.getresponse()
                    self.answers[-1].append((response.status, response.read()))

    @property
    def count(self):
        return sum(map(len, self.answers))


@contextlib.contextmanager
def clients_of(server, number=8, **settings):
    """Run clients, and stop them at the end."""
    clients = [Client(server, **settings) for _ in range(number)]
    try:
        wait_until(lambda: all(client.count for client in clients))
        yield clients
    finally:
        for client in clients:
            client.stopped.set()
        for client in clients:
            client.join(60)


def wait_for_answers(clients, number=20):
    counts = [client.count + number for client in clients]
    wait_until(lambda: all(c.count >= n for c, n in zip(clients, counts, strict=True)))


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_the_others_go_on(flags, tmp_path):
    log = tmp_path / "log"
    with log.open("w") as stderr, running_server(*flags, stderr=stderr) as server:
        killed, other = workers_of(server)
        with clients_of(server) as clients:
            os.kill(killed, signal.SIGKILL)
            wait_for_answers(clients)
            wait_until(lambda: log.read_text().count("is available") == 3, 600)
            wait_for_answers(clients)
        answers = [answer for client in clients for each in client.answers for answer in each]
        assert set(answers) == {(200, b'{"predictions": [2.5]}')}
        assert f"(process {killed}) ended with SIGKILL. Another one starts" in log.read_text()
        assert other in workers_of(server)
        assert len(workers_of(server)) == 2
        # Each connection may have had one request that was answered but not received.
        assert len(answers) <= total_requests(server) <= len(answers) + len(clients)
        assert server.stop() == 0


@pytest.mark.slow
def test_versions_change_for_each_connection_once(models, tmp_path):
    base, copies = tmp_path / "model", [tmp_path / "first", tmp_path / "second"]
    base.mkdir()
    for source, copied in zip(("fashion/1", "fashion/2"), copies, strict=True):
        shutil.copytree(models / source, copied)
    copies[0].rename(base / "1")
    image = [[[[0.5]] * 28] * 28]
    with running_server(f"--model_base_path={base}", "--workers=2") as server:
        path, request = "/v1/models/default:predict", json.dumps({"instances": image}).encode()
        with clients_of(server, path=path, request=request) as clients:
            copies[1].rename(base / "2")
            first = [client.answers[0][0] for client in clients]
            wait_until(
                lambda: all(
                    client.answers[-1][-1] != answer
                    for client, answer in zip(clients, first, strict=True)
                )
            )
            wait_for_answers(clients)
        for client in clients:
            (answers,) = client.answers  # no connection ended
            assert {status for status, _ in answers} == {200}
            probabilities = [
                json.loads(body)["predictions"][0]["probabilities"] for _, body in answers
            ]
            changes = sum(
                not np.allclose(a, b, rtol=1e-4) for a, b in itertools.pairwise(probabilities)
            )
            assert changes == 1


@pytest.mark.slow
def test_workers_end_with_their_parent_and_drain_at_sigterm(flags):
    with running_server(*flags) as server:
        with clients_of(server) as clients:
            workers = workers_of(server)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(60) == 0
            assert not any(map(is_running, workers))
        assert all(status == 200 for c in clients for each in c.answers for status, _ in each)
    with running_server(*flags) as server:
        workers = workers_of(server)
        server.process.kill()
        wait_until(lambda: not any(map(is_running, workers)))


@pytest.mark.slow
def test_workers_that_are_stopped_before_they_serve_were_interrupted(flags):
    command = [*COMMAND, f"--rest_api_port={free_port()}", "--port=0", *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_until(lambda: len(children.read_text().split()) > 1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Nothing was served" in errors


def is_running(number):
    try:
        return ") Z " not in Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_a_worker_that_cannot_start_ends_the_command(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_text("garbage")
    command = [*COMMAND, f"--model_base_path={tmp_path}", "--workers=2", "--port=0"]
    ended = subprocess.run(
        [*command, f"--rest_api_port={free_port()}"], capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].count("did not become available") == 1


def test_a_port_in_use_is_reported_before_workers_start(flags):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ended = subprocess.run(
            [*COMMAND, *flags, "--port=0", f"--rest_api_port={port}"],
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 2
    assert "Address already in use" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_system_without_shared_ports_is_reported(monkeypatch):
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with bound_socket("127.0.0.1", 0) as listener:
        assert is_shared(listener) == 0
        with pytest.raises(ServeError, match="Use --workers=1"):
            share_address(listener)

"""Malformed requests: recorded ones with changed bytes, and those that a fuzzer generates."""

import pathlib
import re
import socket
import subprocess
import sys
from random import Random

import pytest

from tests.serve.processes import PREDICT, assert_serving
from tests.serve.recordings import content, load, request_of


def mutated(random, requests):
    """A recorded request with a few changed bytes."""
    data = bytearray(random.choice(requests))
    for _ in range(random.randrange(4)):
        place = random.randrange(len(data) + 1)
        piece = random.choice(
            [b"", b"[", b"]", b"{", b'"', b"\0", b"\xff", b"9" * 9, b"-", b"\r\n"]
        )
        data[place : place + random.randrange(9)] = piece
    return bytes(data)


@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_mutated_requests(server, count):
    random = Random(count)
    requests = [request_of(entry) for entry in load() if len(entry.get("request_body") or "") < 999]
    whole = b"POST %b HTTP/1.1\r\nContent-Length: 20\r\n\r\n" % PREDICT.encode()
    whole += b'{"instances": [1.0]}'
    for number in range(count):
        before = whole if number % 2 else b""
        data = before + mutated(random, requests)
        with server.connect() as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            response = b"".join(iter(lambda: connection.recv(65536), b""))
        statuses = re.findall(rb"^HTTP/1.1 (\d+) ", response, re.MULTILINE)
        if before:  # the valid request is answered, whatever follows it
            assert statuses.pop(0) == b"200", data
            assert b'{"predictions": [2.5]}' in response
        assert set(statuses) <= {b"100", b"200", b"400", b"404", b"413", b"431", b"501"}, data
    assert_serving(server)


@pytest.mark.slow
def test_a_fuzzer_finds_no_error(tmp_path):
    pytest.importorskip("atheris")
    for entry in load():
        # The first byte determines the type of the model's input.
        body = b"\0" + content(entry, "request_body")
        if len(body) < 1000:
            (tmp_path / entry["name"]).write_bytes(body)
    # By a shell, because the most memory of a process, as the fuzzer measures it, is at least that
    # of the process that starts it.
    target = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-m", "tests.serve.fuzz_protocol"]
    limits = ["-runs=200000", "-max_total_time=60", "-timeout=10", "-seed=1"]
    folder = pathlib.Path(__file__).parents[2]
    finished = subprocess.run(
        [*target, *limits, f"-artifact_prefix={tmp_path}/found-", tmp_path],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr[-3000:]
    assert int(re.search(r"Done (\d+) runs", finished.stderr)[1]) > 10_000

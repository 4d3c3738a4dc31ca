"""Limits: a client that exceeds one gets an error, and other clients are served."""

import asyncio
import contextlib
import gzip
import json
import pathlib
import select
import socket
import time

import pytest

from kerashw.serve.http_server.http_server import serving_http
from kerashw.serve.http_server.messages import Response
from kerashw.serve.http_server.request_limits import Limits
from kerashw.serve.listening_socket import bound_socket
from tests.serve.http_server.raw_requests import receive_all
from tests.serve.processes import (
    PREDICT,
    assert_serving,
    read_response,
    running_server,
    send_bytes,
    wait_until,
)

GET = b"GET /v1/models/half_plus_two HTTP/1.1\r\n\r\n"
HEAD = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 100\r\n\r\n".encode()


@pytest.fixture(scope="module")
def impatient_server(models):
    """A server with time limits of two seconds."""
    flags = [f"--model_base_path={models / 'half_plus_two'}", "--model_name=half_plus_two"]
    flags += ["--rest_api_timeout_in_ms=2000", "--keep_alive_timeout_in_ms=2000"]
    with running_server(*flags) as running:
        yield running


def test_a_body_is_limited(server):
    with server.connect() as connection:
        connection.sendall(f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n".encode())
        with contextlib.suppress(OSError):  # a client that goes on sending gets the response too
            for _ in range(100):
                connection.sendall(b" " * 1_000_000)
        status, body, _ = read_response(connection)
        assert status == 413
        assert "1000000 bytes" in json.loads(body)["error"]
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = f"POST {PREDICT} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert send_bytes(server.port, head + chunk * 20)[0] == 413
    assert_serving(server)


def test_a_decompressed_body_is_limited(server):
    body = gzip.compress(b" " * 50_000_000)
    assert len(body) < 100_000
    status, body, _ = server.request("POST", PREDICT, body, {"Content-Encoding": "gzip"})
    assert status == 400
    assert b"1000000 bytes" in body
    assert server.request("POST", PREDICT, b"\x1f\x8b", {"Content-Encoding": "gzip"})[0] == 400
    assert_serving(server)


def test_headers_are_limited(server):
    head = b"GET /v1/models/half_plus_two HTTP/1.1\r\n"
    assert send_bytes(server.port, head + b"X: " + b"a" * 100_000 + b"\r\n\r\n")[0] == 431
    assert send_bytes(server.port, head + b"X: a\r\n" * 20_000 + b"\r\n")[0] == 431
    # Headers without an end:
    assert send_bytes(server.port, head + b"X: " + b"a" * 1_000_000)[0] == 431
    last = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
    assert send_bytes(server.port, last + b"a" * 1_000_000)[0] == 431
    assert send_bytes(server.port, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n")[0] == 431
    assert_serving(server)


def test_connections_are_limited(server):
    connections = [server.connect() for _ in range(60)]
    try:
        assert send_bytes(server.port, GET)[0] == 503
    finally:
        for connection in connections:
            connection.close()
    wait_until(lambda: server.request("GET", "/v1/models/half_plus_two")[0] == 200)
    assert_serving(server)


def test_an_incomplete_request_times_out(impatient_server):
    starts = [HEAD + b"{", HEAD[:30], HEAD[:-2], HEAD[:-2] + b"X: "]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(impatient_server.connect()) for _ in starts]
        for connection, start in zip(connections, starts, strict=True):
            connection.sendall(start)
        assert_serving(impatient_server)
        # Further bytes do not extend the time limit.
        end = time.monotonic() + 60
        while not select.select(connections[-1:], [], [], 0.1)[0]:
            assert time.monotonic() < end
            connections[-1].sendall(b"a")
        for connection in connections:
            assert read_response(connection)[0] == 408


def test_a_connection_without_a_request_is_closed(impatient_server):
    starts = [b"", b"\r\n", GET, GET + b"\r\n"]  # empty lines belong to no request
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(impatient_server.connect()) for _ in starts]
        for connection, start in zip(connections, starts, strict=True):
            connection.sendall(start)
        for connection, start in zip(connections, starts, strict=True):
            assert receive_all(connection).count(b"HTTP/1.1 200") == start.count(b"GET")


def test_a_connection_without_a_request_outlives_the_time_limit_of_requests():
    async def respond(request):
        return Response(200, b"")

    async def serve():
        with bound_socket("127.0.0.1", 0) as listener:
            async with serving_http(respond, listener, Limits(timeout=0.1)):
                return await asyncio.to_thread(request, listener.getsockname())

    def request(address):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(socket.create_connection(address, 60)) for _ in "123"]
            # The second request is incomplete. Its time limit ends after those of the others would.
            data = [(0, GET), (1, GET[:-2]), (0, GET), (2, GET)]
            return [answer(clients[number], sent) for number, sent in data]

    def answer(client, data):
        client.sendall(data)
        return read_response(client)[0]

    assert asyncio.run(serve()) == [200, 408, 200, 200]


def test_a_client_that_does_not_read_is_disconnected(impatient_server):
    get = b"GET /page/style.css HTTP/1.1\r\n\r\n"
    count = 5000  # the responses are larger than all buffers of the operating system
    with impatient_server.connect() as connection:
        client_port = connection.getsockname()[1]
        connection.sendall(get * count)
        wait_until(lambda: not is_established(impatient_server.port, client_port))
        responses = b""
        with contextlib.suppress(ConnectionResetError):
            responses = receive_all(connection)
    assert responses.count(b"HTTP/1.1 200") < count
    assert_serving(impatient_server)


def is_established(local_port, remote_port):
    """Return whether the operating system has an open TCP connection between these ports."""
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        ports = [int(address.rpartition(":")[2], 16) for address in (local, remote)]
        if ports == [local_port, remote_port]:
            return state == "01"
    return False


def test_an_early_end_of_a_body_affects_no_other_request(server):
    for _ in range(20):
        with server.connect() as connection:
            connection.sendall(HEAD + b"{")
    assert_serving(server)

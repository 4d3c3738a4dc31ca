"""Hostile, broken, slow and greedy clients: each gets its answer, and nobody else has to wait."""

import gzip
import http.client
import json
import re
import socket
import time

import pytest

from tests.serve.processes import PREDICT, assert_well, raw

BODY = b'{"instances": [1.0]}'


def predict(body=BODY, headers=b""):
    """A predict request as it is sent."""
    return b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (
        PREDICT.encode(),
        headers,
        len(body),
        body,
    )


def received(connection):
    """All that the server sends."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def statuses(server, data):
    """The statuses of the answers to what is sent at once, in order."""
    with server.connect() as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+) ", received(connection))]


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
    # Also where they never come to an end.
    assert raw(server.port, head + b"X: " + b"a" * 1_000_000)[0] == 431
    last = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
    assert raw(server.port, last + b"a" * 1_000_000)[0] == 431
    assert raw(server.port, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n")[0] == 431
    assert_well(server)


def test_clients_that_are_too_slow(server):
    half = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 100\r\n\r\n".encode()
    starts = [half + b"{", half[:30], half[:-2], half[:-2] + b"X: "]
    connections = [server.connect() for _ in starts]
    silent = server.connect()
    for connection, start in zip(connections, starts, strict=True):
        connection.sendall(start)
    for _ in range(10):  # a byte now and then buys no time
        time.sleep(0.25)
        connections[-1].sendall(b"a")
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


# Another server on the way might take another part of these for the body, or for the next request.
TWO_MEANINGS = [
    b"Content-Length: 20\r\nContent-Length: 20\r\n",
    b"Content-Length: 20\r\nContent-Length: 5\r\n",
    b"Content-Length: 20, 20\r\n",
    b"Content-Length: +20\r\n",
    b"Content-Length: 0x14\r\n",
    b"Content-Length: 99999999999999999999999\r\n",
    b"Content-Length: 20\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 20\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Content-Length : 20\r\n",
    b"Content-Length: 20\r\nX: a\0b\r\n",
    b"Content-Length: 20\r\nX: a\r\n b\r\n",
]


@pytest.mark.parametrize("headers", TWO_MEANINGS, ids=range(len(TWO_MEANINGS)))
def test_requests_with_two_meanings_are_refused(server, headers):
    data = b"POST %b HTTP/1.1\r\n%b\r\n%b" % (PREDICT.encode(), headers, BODY)
    assert statuses(server, data) == [400]


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


def test_a_client_that_asks_and_then_only_listens(server):
    body = json.dumps({"instances": [1.0] * 20_000}).encode()
    head = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with server.connect() as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.read().count(b"2.5")) == (200, 20_000)


def test_an_offer_to_speak_another_protocol_is_passed_over(server):
    # As Java's HTTP client makes it.
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    data = predict(headers=offer)
    for cut in (0, 30, data.index(b"\r\n\r\n") + 4, len(data) - 5):
        with server.connect() as connection:
            connection.sendall(data[:cut])
            time.sleep(0.05)
            connection.sendall(data[cut:] + predict() + data)
            connection.shutdown(socket.SHUT_WR)
            answers = received(connection)
        assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b'{"predictions": [2.5]}') == 3


def test_a_client_that_waits_to_be_told_to_go_on(server):
    head, body = predict(headers=b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
    with server.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.read()) == (200, b'{"predictions": [2.5]}')


def test_a_body_where_none_is_due_is_passed_over(server):
    get = b"GET /v1/models/half_plus_two HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b"
    assert statuses(server, get % (len(predict()), predict()) + predict()) == [200, 200]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000, 431),
        (b"GET / HTTP/1.1\r\nX: a", 400),
    ],
    ids=["garbage", "too big", "broken body", "headers", "half"],
)
def test_a_broken_request_does_not_take_the_answers_of_those_before_it(server, data, status):
    slow = predict(b'{"instances": [%b1]}' % (b"1," * 50_000))
    assert statuses(server, slow + data) == [200, status]
    assert statuses(server, slow + predict() + data) == [200, 200, status]
    assert_well(server)


def test_pipelined_requests_are_answered_in_order(server):
    data = b"".join(predict(b'{"instances": [%d]}' % number) for number in range(1, 10))
    with server.connect() as connection:
        connection.sendall(data)
        received = b""
        while received.count(b"HTTP/1.1 200") < 9 or not received.endswith(b"}"):
            received += connection.recv(65536)
    assert re.findall(rb"\[([\d.]+)\]", received) == [b"%.1f" % (n / 2 + 2) for n in range(1, 10)]

"""Connections: pipelining, `Upgrade`, `Expect`, and clients that close their sending side."""

import json
import re
import socket
import time

from tests.serve.http_server.raw_requests import predict_request, receive_all, send_all
from tests.serve.processes import PREDICT, read_response, send_bytes

GET = b"GET /v1/models/half_plus_two HTTP/1.1\r\n"


def test_a_client_may_close_its_sending_side_before_the_response(server):
    body = json.dumps({"instances": [1.0] * 20_000}).encode()
    head = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with server.connect() as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        status, body, _ = read_response(connection)
    assert (status, body.count(b"2.5")) == (200, 20_000)


def test_a_proxy_may_send_the_whole_url(server):
    expected = server.get("/v1/models/half_plus_two")
    for origin in ("http://elsewhere", "HTTPS://user@[::1]:8501"):
        target = f"{origin}/v1/models/half_plus_two"
        data = f"GET {target} HTTP/1.1\r\nHost: elsewhere\r\n\r\n"
        status, body, _ = send_bytes(server.port, data.encode())
        assert (status, json.loads(body)) == expected
    predict = predict_request().replace(b"/v1", b"http://elsewhere/v1", 1)
    assert send_all(server, predict + b"GET http://elsewhere/ HTTP/1.1\r\n\r\n") == [200, 200]
    assert send_all(server, b"GET ftp://elsewhere/v1/models/m HTTP/1.1\r\n\r\n") == [404]


def test_an_upgrade_header_is_ignored(server):
    # Java's HTTP client sends these headers.
    headers = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    data = predict_request(headers=headers)
    for cut in (0, 30, data.index(b"\r\n\r\n") + 4, len(data) - 5):
        with server.connect() as connection:
            connection.sendall(data[:cut])
            time.sleep(0.05)  # so that the server may parse the parts one by one
            connection.sendall(data[cut:] + predict_request() + data)
            connection.shutdown(socket.SHUT_WR)
            responses = receive_all(connection)
        assert responses.count(b"HTTP/1.1 200 OK") == 3
        assert responses.count(b'{"predictions": [2.5]}') == 3


def test_very_many_upgrade_headers(server):
    get = GET + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n"
    assert send_all(server, get * 3000) == [200] * 3000


def test_a_client_may_wait_for_100_continue(server):
    head, body = predict_request(headers=b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
    with server.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        status, body, _ = read_response(connection)
    assert (status, body) == (200, b'{"predictions": [2.5]}')


def test_a_body_of_a_get_request_is_ignored(server):
    get = GET + b"Content-Length: %d\r\n\r\n%b"
    data = get % (len(predict_request()), predict_request())
    assert send_all(server, data + predict_request()) == [200, 200]


def test_pipelined_requests_are_answered_in_order(server):
    data = b"".join(predict_request(b'{"instances": [%d]}' % number) for number in range(1, 10))
    with server.connect() as connection:
        connection.sendall(data)
        responses = b""
        while responses.count(b"HTTP/1.1 200") < 9 or not responses.endswith(b"}"):
            responses += connection.recv(65536)
    expected = [b"%.1f" % (number / 2 + 2) for number in range(1, 10)]
    assert re.findall(rb"\[([\d.]+)\]", responses) == expected

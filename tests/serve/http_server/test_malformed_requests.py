"""Malformed and hostile requests get an error, and affect no other request."""

import pytest

from tests.serve.http_server.raw_requests import BODY, predict_request, send_all
from tests.serve.processes import PREDICT, assert_serving, send_bytes

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
# A proxy could take another part of these for the body or for the next request.
AMBIGUOUS = [
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


@pytest.mark.parametrize("headers", AMBIGUOUS, ids=range(len(AMBIGUOUS)))
def test_ambiguous_requests_are_rejected(server, headers):
    data = b"POST %b HTTP/1.1\r\n%b\r\n%b" % (PREDICT.encode(), headers, BODY)
    assert send_all(server, data) == [400]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_requests(server, data):
    status, body, _ = send_bytes(server.port, data)
    assert status in (200, 400, 404, 501)
    assert b"root:" not in body
    assert_serving(server)


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
    status, response, _ = server.request("POST", PREDICT, body)
    assert status in (200, 400)
    assert response
    assert_serving(server)


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
def test_requests_before_a_malformed_one_are_answered(server, data, status):
    slow = predict_request(b'{"instances": [%b1]}' % (b"1," * 50_000))
    assert send_all(server, slow + data) == [200, status]
    assert send_all(server, slow + predict_request() + data) == [200, 200, status]
    assert_serving(server)

"""Requests as bytes, and the responses to them."""

import re
import socket

from tests.serve.processes import PREDICT

BODY = b'{"instances": [1.0]}'


def predict_request(body=BODY, headers=b""):
    """Return a predict request as it is sent."""
    return b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (
        PREDICT.encode(),
        headers,
        len(body),
        body,
    )


def receive_all(connection):
    """Receive until the server closes the connection; return the bytes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def send_all(server, data):
    """Send data and close the sending side; return the status codes of the responses in order."""
    with server.connect() as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        responses = receive_all(connection)
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+) ", responses)]

"""HTTP requests and responses."""

import functools
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

JSON = b"application/json"


class Request(NamedTuple):
    """A complete HTTP request.

    Args:
        method: String.
        target: String, the path and the query as the client sent them.
        headers: List of pairs of bytes, the names in lower case.
        body: Bytes.
        keep_alive: Boolean, whether the connection stays open after the response.
    """

    method: str
    target: str
    headers: list
    body: bytes
    keep_alive: bool


class Response(NamedTuple):
    """An HTTP response.

    Args:
        status: Integer.
        body: Bytes.
        content_type: Bytes.
        headers: Tuple of pairs of bytes, further headers.
        is_last: Boolean, whether the connection is closed after it.
    """

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple = ()
    is_last: bool = False


def response_head(response, keep_alive):
    """Return the bytes before the body of a response.

    Args:
        response: `Response`.
        keep_alive: Boolean, whether the connection stays open.

    Returns:
        Bytes.
    """
    lines = [
        _status_line(response.status, int(time.time())),
        b"content-type: %b\r\ncontent-length: %d\r\n" % (response.content_type, len(response.body)),
        *[b"%b: %b\r\n" % header for header in response.headers],
        b"\r\n" if keep_alive else b"connection: close\r\n\r\n",
    ]
    return b"".join(lines)


@functools.lru_cache(16)
def _status_line(status, second):
    """Return the status line and the date, which stay the same for a second."""
    reason = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Client Closed Request"
    return f"HTTP/1.1 {status} {reason}\r\ndate: {formatdate(second, usegmt=True)}\r\n".encode()

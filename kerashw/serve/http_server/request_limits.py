"""The limits on what one client may use of the server."""

from typing import NamedTuple


class Limits(NamedTuple):
    """What a client may take of the server.

    Args:
        body_bytes: Integer, of a request's body, also after decompression.
        header_bytes: Integer, of its first line and headers.
        connections: Integer, at once.
        seconds: Float, for sending a request, for the answer to it, and for reading that.
    """

    body_bytes: int = 64 * 2**20
    header_bytes: int = 64 * 2**10
    connections: int = 1000
    seconds: float = 30.0

"""The limits on requests and connections."""

from typing import NamedTuple


class Limits(NamedTuple):
    """The limits on requests and connections.

    Args:
        body_bytes: Integer, the largest body of a request in bytes, also after decompression.
        header_bytes: Integer, the largest size of the request line and the headers in bytes.
        connections: Integer, the largest number of open connections.
        timeout: Float, in seconds: the longest time in which a request arrives, and in which it is
            answered, and in which the client reads the response.
        idle: Float, in seconds: the time after which a connection without a request is closed. A
            load balancer that keeps connections longer sends requests to closed ones.
    """

    body_bytes: int = 64 * 2**20
    header_bytes: int = 64 * 2**10
    connections: int = 1000
    timeout: float = 30.0
    idle: float = 75.0

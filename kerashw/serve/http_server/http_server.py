"""Serves HTTP on a socket, and stops without losing a request."""

import asyncio
import contextlib

from kerashw.serve.http_server.connection import Connection

POLL_SECONDS = 0.02


@contextlib.asynccontextmanager
async def serving_http(respond, listener, limits):
    """Serve HTTP while the block runs.

    At its end, no new client is accepted, and requests that have begun are answered first, at most
    for the time that a request may take.

    Args:
        respond: Coroutine function, `kerashw.serve.http_server.messages.Request` →
            `kerashw.serve.http_server.messages.Response`. It raises nothing.
        listener: Bound socket.
        limits: `kerashw.serve.http_server.request_limits.Limits`.
    """
    connections = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(respond, limits, connections), sock=listener, backlog=2048
    )
    try:
        yield
    finally:
        server.close()
        for connection in list(connections):
            connection.shut_down()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limits.timeout):
                while connections:
                    await asyncio.sleep(POLL_SECONDS)
        for connection in list(connections):
            connection.transport.abort()

"""Each name of uvicorn that `uvicorn_connection.py` uses still exists."""

import ast
import asyncio
import inspect
from unittest import mock

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from kerashw.serve.http_server import uvicorn_connection

# The methods that uvicorn, its parser and asyncio call, and that the connection overrides.
OVERRIDDEN = [
    "connection_made",
    "connection_lost",
    "data_received",
    "eof_received",
    "on_message_begin",
    "on_url",
    "on_header",
    "on_headers_complete",
    "on_body",
    "on_message_complete",
    "on_response_complete",
    "send_400_response",
    "pause_writing",
    "resume_writing",
    "shutdown",
]
# The attributes that the connection reads or sets, of itself and of the objects in two of them.
USED = [
    "_unset_keepalive_if_required",
    "connections",
    "cycle",
    "cycle.disconnected",
    "cycle.keep_alive",
    "cycle.message_event",
    "cycle.response_complete",
    "flow",
    "flow.resume_reading",
    "headers",
    "loop",
    "parser",
    "pipeline",
    "scope",
    "timeout_keep_alive",
    "transport",
    "url",
]


async def application(scope, receive, send):
    """Do nothing."""


async def start_request(data):
    """Return a connection of uvicorn that has received some data."""
    config = uvicorn.Config(application, ws="none", lifespan="off", log_config=None)
    connection = HttpToolsProtocol(config, ServerState(), {})
    transport = mock.create_autospec(asyncio.Transport, instance=True)
    transport.get_extra_info.return_value = None
    transport.is_closing.return_value = False
    connection.connection_made(transport)
    connection.data_received(data)
    return connection


@pytest.fixture(scope="module")
def connection():
    return asyncio.run(start_request(b"GET / HTTP/1.1\r\n\r\n"))


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_uvicorn_has_the_overridden_method(name):
    found = hasattr(HttpToolsProtocol, name)
    assert found, f"uvicorn {uvicorn.__version__} has no HttpToolsProtocol.{name}"


@pytest.mark.parametrize("name", USED)
def test_uvicorn_has_the_used_attribute(name, connection):
    value = connection
    for part in name.split("."):
        found = hasattr(value, part)
        assert found, f"uvicorn {uvicorn.__version__} has no HttpToolsProtocol.{name}"
        value = getattr(value, part)


def test_the_pipeline_has_pairs_that_begin_with_the_newest_cycle():
    async def find_newest():
        connection = await start_request(b"GET / HTTP/1.1\r\n\r\n" * 3)
        return [cycle is connection.cycle for cycle, _ in connection.pipeline]

    found = asyncio.run(find_newest()) == [True, False]
    assert found, f"uvicorn {uvicorn.__version__} has another HttpToolsProtocol.pipeline"


def test_the_lists_of_names_are_complete(connection):
    class_ = uvicorn_connection.LimitedConnection
    tree = ast.parse(inspect.getsource(class_))
    own = {name for name in vars(class_) if name not in OVERRIDDEN}
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner, _, name = ast.unparse(node).removeprefix("self.").rpartition(".")
            if isinstance(node.ctx, ast.Store) and not owner and not hasattr(connection, name):
                own.add(name)
            elif ast.unparse(node).startswith("self.") and owner in ("", "cycle", "flow"):
                used.add(f"{owner}.{name}".removeprefix("."))
    assert used - own - set(OVERRIDDEN) == set(USED)
    assert set(OVERRIDDEN) == {
        name for name in vars(class_) if callable(getattr(HttpToolsProtocol, name, None))
    } - {"__module__", "__doc__"}

"""The HTTP connection of one client, with limits, and with the error responses of evhttp.

A request that is not valid HTTP gets the response of evhttp, the HTTP server inside TensorFlow
Serving. httptools parses the requests: it is the parser of Node.js. The requests of a connection
are answered one after the other, in their order.

Servers in Python such as uvicorn, Hypercorn (1) and Granian (2) leave large bodies, slow bodies
and slow readers to the application, and take longer for a request than most models.

Reference:
    (1) https://hypercorn.readthedocs.io/en/latest/discussion/dos_mitigations.html,
    (2) https://github.com/emmett-framework/granian#options
"""

import asyncio
from collections import deque

import httptools

from kerashw.serve.api.status_codes import RequestError, error_response
from kerashw.serve.http_server.deadline import Deadline
from kerashw.serve.http_server.evhttp import REASONS, error_page, status_of_malformed
from kerashw.serve.http_server.messages import JSON, Request, Response, response_head

LINGER_SECONDS = 5.0
SHUTDOWN_POLL_SECONDS = 0.3


class _LimitExceededError(Exception):
    """Stops the parser, because a request exceeds a limit."""


class Connection(asyncio.Protocol):
    """The connection of one client.

    Args:
        respond: Coroutine function, `Request` → `Response`.
        limits: `kerashw.serve.http_server.request_limits.Limits`.
        connections: Set of all open connections of the server.
    """

    def __init__(self, respond, limits, connections):
        self.respond = respond
        self.limits = limits
        self.connections = connections
        self.parser = httptools.HttpRequestParser(self)
        self.requests = deque()  # the complete requests that wait for their turn
        self.task = None  # the task that answers the requests, while there are any
        self.data = b""  # the bytes that are being parsed
        self.unparsed_bytes = 0  # the number of bytes that the parser buffers, as of half a header
        self.is_reading = False  # whether a part of a request has arrived
        self.eof = False  # whether the client has closed its sending side
        self.shutting_down = False  # whether the connection closes after the next response
        self.failed = False  # whether the connection ends with an error response
        self.error_status = None  # the status of the limit that was exceeded
        self.error_response = None  # the bytes of the error response, until it is sent
        self._start_request()

    def connection_made(self, transport):
        """Accept a client, or reject it with 503 if there are too many connections."""
        self.loop = asyncio.get_running_loop()
        self.transport = transport
        self.read_deadline, self.write_deadline = Deadline(self.loop), Deadline(self.loop)
        self.can_write = asyncio.Event()
        self.can_write.set()
        self.connections.add(self)
        if len(self.connections) > self.limits.connections:
            self.send_error(503, "Too many connections")
        else:
            self.read_deadline.set(self.limits.idle, self.transport.abort)

    def connection_lost(self, exc):
        """Forget the client."""
        self.connections.discard(self)
        self.read_deadline.cancel()
        self.write_deadline.cancel()
        self.requests.clear()
        self.can_write.set()

    def data_received(self, data):
        """Parse the data, and limit the time for the rest of the request."""
        if self.failed:
            return
        self.data = data
        self.unparsed_bytes += len(data)
        was_reading = self.is_reading
        self._parse(data)
        self.data = b""
        if self.unparsed_bytes > self.limits.header_bytes:
            self.error_status = 431
            self.send_parser_error()
        if self.failed:
            return
        if self.is_reading:
            if not was_reading or self.task:
                self.read_deadline.set(self.limits.timeout, self._send_timeout_error)
        elif self.task:
            self.read_deadline.clear()
        if len(self.requests) > 1:
            self.transport.pause_reading()

    def eof_received(self):
        """Keep the connection open for the pending responses after the client's last request."""
        self.eof = True
        if self.is_reading:
            self._fail(400, b"text/html", error_page(400))
        return self.task is not None

    def on_message_begin(self):
        """Start a request."""
        self._start_request()
        self.is_reading = True

    def on_url(self, url):
        """Add a part of the request's target."""
        self._count_header_bytes(len(url))
        self.target += url

    def on_header(self, name, value):
        """Add a header."""
        self._count_header_bytes(len(name) + len(value) + 4)
        self.headers.append((name.lower(), value))

    def on_headers_complete(self):
        """Check the size of the body, and ask for it if the client waits for that."""
        for name, value in self.headers:
            if name == b"content-length" and int(value) > self.limits.body_bytes:
                self._exceed(413)
            if name == b"expect" and value.lower() == b"100-continue" and self.task is None:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.in_body = True

    def on_body(self, body):
        """Add a part of the body."""
        self.unparsed_bytes = 0
        self.body_bytes += len(body)
        if self.body_bytes > self.limits.body_bytes:
            self._exceed(413)
        self.body.append(body)

    def on_message_complete(self):
        """Answer the request, after those before it."""
        if self.parser.should_upgrade() and self.method() != "CONNECT":
            return  # `_parse` parses this request again
        self.is_reading = False
        keep_alive = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        body = self.body[0] if len(self.body) == 1 else b"".join(self.body)
        target = self.target.decode("latin-1")
        self.requests.append(Request(self.method(), target, self.headers, body, keep_alive))
        self._start_request()  # frees the memory of the body
        if self.task is None:
            self.task = self.loop.create_task(self._answer_requests())

    def method(self):
        """Return the method of the request that is being parsed."""
        return self.parser.get_method().decode("ascii")

    def send_parser_error(self):
        """Send the error response to a request that is malformed or exceeds a limit."""
        status = self.error_status or status_of_malformed(self.data)
        if status in (400, 501):
            self._fail(status, b"text/html", error_page(status))
        else:
            self.send_error(status, f"{REASONS[status]}. {self._limit_message(status)}")

    def send_error(self, status, message):
        """Send an error as JSON, and close the connection."""
        self._fail(status, JSON, error_response(RequestError(message)))

    def pause_writing(self):
        """Limit the time in which the client reads the response."""
        self.can_write.clear()
        self.write_deadline.set(self.limits.timeout, self.transport.abort)

    def resume_writing(self):
        """Cancel the time limit of `pause_writing`."""
        self.write_deadline.clear()
        self.can_write.set()

    def shut_down(self):
        """Close the connection when its requests are answered, also one that is still arriving."""
        self.shutting_down = True
        if self.task is None:
            self.loop.call_later(SHUTDOWN_POLL_SECONDS, self._close_when_idle)

    def _close_when_idle(self):
        if self.is_reading and not self.transport.is_closing():
            self.loop.call_later(SHUTDOWN_POLL_SECONDS, self._close_when_idle)
        elif self.task is None:
            self.transport.close()

    async def _answer_requests(self):
        """Answer the complete requests in their order."""
        while self.requests:
            request = self.requests.popleft()
            response = await self.respond(request)
            if not self.can_write.is_set():
                await self.can_write.wait()
            if self.transport.is_closing():
                return
            is_end = self.eof and not self.requests and not self.error_response
            is_last = self.shutting_down or is_end or response.is_last
            keep_alive = request.keep_alive and not is_last
            body = b"" if request.method == "HEAD" else response.body
            self.transport.write(response_head(response, keep_alive) + body)
            if not keep_alive:
                self.transport.close()
                return
        self.task = None
        if self.error_response:
            self._send_error_response()
            return
        self.transport.resume_reading()
        if not self.is_reading:
            self.read_deadline.set(self.limits.idle, self.transport.abort)

    def _start_request(self):
        self.target, self.headers, self.body = b"", [], []
        self.header_bytes = self.body_bytes = 0
        self.in_body = False

    def _parse(self, data):
        """Parse data, and ignore requests to upgrade to another protocol.

        The parser stops at a request with an `Upgrade` header, even if the request has a body, as
        the first request of Java's HTTP client does. Such a request is parsed again without the
        header.
        """
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self.method() == "CONNECT":
                    return
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
            except httptools.HttpParserError:
                self.send_parser_error()
                return

    def _head_without_upgrade(self):
        version = self.parser.get_http_version().encode()
        lines = [b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"]
        head = self.method().encode(), self.target, version, b"".join(lines)
        return b"%b %b HTTP/%b\r\n%b\r\n" % head

    def _count_header_bytes(self, size):
        self.unparsed_bytes = 0
        self.header_bytes += size
        if self.header_bytes > self.limits.header_bytes:
            self._exceed(431)

    def _exceed(self, status):
        self.error_status = status
        raise _LimitExceededError

    def _send_timeout_error(self):
        self.send_error(408, f"The request took more than {self.limits.timeout:g} s to arrive")

    def _limit_message(self, status):
        if status == 413:
            return f"The body may have {self.limits.body_bytes} bytes"
        return f"The request line and headers may have {self.limits.header_bytes} bytes"

    def _fail(self, status, content_type, body):
        """Send an error response after the pending responses, and close the connection."""
        if self.failed or self.transport.is_closing():
            return
        self.failed = True
        self.read_deadline.clear()
        response = Response(status, body, content_type)
        self.error_response = response_head(response, keep_alive=False) + body
        if self.task is None:
            self._send_error_response()

    def _send_error_response(self):
        if self.transport.is_closing():
            return
        self.transport.write(self.error_response)
        self.error_response = None
        if self.eof:
            self.transport.close()
            return
        # If the connection were closed at once, a client that is still sending would lose the
        # response. `data_received` discards what it sends in the meantime.
        self.transport.resume_reading()
        self.transport.write_eof()
        self.read_deadline.set(min(LINGER_SECONDS, self.limits.timeout), self.transport.abort)

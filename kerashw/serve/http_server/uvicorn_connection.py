"""The HTTP connection: uvicorn's, with limits for each client and the error responses of evhttp.

A request that is not valid HTTP gets the response of evhttp, the HTTP server inside TensorFlow
Serving. uvicorn has no settings for these limits, so this module, and no other one, uses private
names of uvicorn; `tests/serve/http_server/test_uvicorn_private.py` checks that they exist.

Other servers do not have the limits either. Hypercorn's documentation leaves large bodies, slow
bodies and slow readers to the application and names no limit on open connections (1); Granian's
options limit the concurrent requests and the time to read headers, but neither the size or the time
of a body nor the time to read a response (2).

Reference:
    (1) https://hypercorn.readthedocs.io/en/latest/discussion/dos_mitigations.html,
    (2) https://github.com/emmett-framework/granian#options
"""

import re

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kerashw.serve.api.status_codes import RequestError, error_response
from kerashw.serve.http_server.evhttp import METHODS, REASONS, error_page
from kerashw.serve.http_server.request_limits import Limits

_REQUEST_LINE = re.compile(rb"(\S+) \S+ HTTP/1\.[01]\r?\n")
LINGER_SECONDS = 5.0
SHUTDOWN_POLL_SECONDS = 0.3


def protocol_class(limits):
    """Return the connection class with these `Limits`, for the argument `http` of uvicorn."""
    return type("Connection", (LimitedConnection,), {"limits": limits})


class _LimitExceededError(Exception):
    """Stops the parser, because a request exceeds a limit."""


class LimitedConnection(HttpToolsProtocol):
    """The connection of one client.

    Attributes:
        limits: `Limits`.
    """

    limits = Limits()

    def connection_made(self, transport):
        """Accept a client, or reject it with 503 if there are too many connections."""
        super().connection_made(transport)
        self.timeout_keep_alive = self.limits.idle
        self.data = b""  # the bytes that are being parsed
        self.unparsed_bytes = 0  # the number of bytes that the parser buffers, as of half a header
        self.header_bytes = self.body_bytes = 0
        self.in_body = False  # whether the application runs a request whose body is arriving
        self.request_complete = True  # whether the last request has arrived completely
        self.pending_responses = 0
        self.eof = False  # whether the client has closed its sending side
        self.shutting_down = False  # whether the next response is the last one
        self.failed = False  # whether the connection ends with an error response
        self.error_status = None  # the status of the limit that was exceeded
        self.error_response = None  # the bytes of the error response, until it is sent
        self.read_timer = self.write_timer = None
        if len(self.connections) > self.limits.connections:
            self.send_error(503, "Too many connections")
        else:
            self._start_read_timer(self.transport.abort, self.limits.idle)

    def connection_lost(self, exc):
        """Cancel the timers."""
        self._cancel_read_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data):
        """Parse the data, and limit the time for the rest of the request."""
        if self.failed:
            return
        self._unset_keepalive_if_required()
        self.data = data
        self.unparsed_bytes += len(data)
        self._parse(data)
        self.data = b""
        if self.unparsed_bytes > self.limits.header_bytes:
            self.error_status = 431
            self.send_400_response("")
        if self.failed or self.read_timer:
            return
        if not self.request_complete:
            self._start_read_timer(self._send_timeout_error)
        elif not self.pending_responses:  # only empty lines, which belong to no request
            self._start_read_timer(self.transport.abort, self.limits.idle)

    def eof_received(self):
        """Keep the connection open for the pending responses after the client's last request."""
        self.eof = True
        if not self.request_complete:
            self._fail(400, "text/html", error_page(400))
        elif self.pending_responses and not self.failed:
            self.cycle.keep_alive = False
        return self.pending_responses > 0

    def on_message_begin(self):
        """Start a request."""
        super().on_message_begin()
        self.request_complete = self.in_body = False
        self._cancel_read_timer()
        self.header_bytes = self.body_bytes = 0

    def on_url(self, url):
        """Add a part of the request's target."""
        self._count_header_bytes(len(url))
        super().on_url(url)

    def on_header(self, name, value):
        """Add a header."""
        self._count_header_bytes(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self):
        """Run the application, which reads the body while it arrives."""
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            return  # `_parse` parses this request again
        for name, value in self.headers:
            if name == b"content-length" and int(value) > self.limits.body_bytes:
                self._exceed(413)
        # The target as the client sent it; uvicorn's `path` is decoded and lacks the query.
        self.scope["kerashw.target"] = self.url.decode("latin-1")
        super().on_headers_complete()
        self.in_body = True
        self.pending_responses += 1
        if self.shutting_down:
            self.cycle.keep_alive = False

    def on_body(self, body):
        """Add a part of the body."""
        self.unparsed_bytes = 0
        self.body_bytes += len(body)
        if self.body_bytes > self.limits.body_bytes:
            self._exceed(413)
        super().on_body(body)

    def on_message_complete(self):
        """Complete the request."""
        if not self.in_body:
            return
        self.request_complete, self.in_body = True, False
        self._cancel_read_timer()
        super().on_message_complete()

    def on_response_complete(self):
        """Start the next request, or send the error response."""
        self.pending_responses -= 1
        super().on_response_complete()
        if self.error_response and not self.pending_responses:
            self._send_error_response()

    def send_400_response(self, msg):
        """Send the error response to a request that is malformed or exceeds a limit."""
        status = self.error_status or _status_of_malformed(self.data)
        if status in (400, 501):
            self._fail(status, "text/html", error_page(status))
        else:
            self.send_error(status, f"{REASONS[status]}. {self._limit_message(status)}")

    def send_error(self, status, message):
        """Send an error as JSON, and close the connection."""
        self._fail(status, "application/json", error_response(RequestError(message)))

    def pause_writing(self):
        """Limit the time in which the client reads the response."""
        super().pause_writing()
        self.write_timer = self.loop.call_later(self.limits.timeout, self.transport.abort)

    def resume_writing(self):
        """Cancel the time limit of `pause_writing`."""
        if self.write_timer:
            self.write_timer.cancel()
            self.write_timer = None
        super().resume_writing()

    def shutdown(self):
        """Close the connection when its requests are answered, also one that is still arriving."""
        self.shutting_down = True
        if self.cycle and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(SHUTDOWN_POLL_SECONDS, self._close_when_idle)

    def _close_when_idle(self):
        if self.transport.is_closing():
            return
        if not self.request_complete:
            self.loop.call_later(SHUTDOWN_POLL_SECONDS, self._close_when_idle)
        elif self.cycle is None or self.cycle.response_complete:
            self.transport.close()

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
                if self.parser.get_method() == b"CONNECT":
                    return
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
            except httptools.HttpParserError:
                self.send_400_response("")
                return

    def _head_without_upgrade(self):
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"]
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, b"".join(lines))

    def _count_header_bytes(self, size):
        self.unparsed_bytes = 0
        self.header_bytes += size
        if self.header_bytes > self.limits.header_bytes:
            self._exceed(431)

    def _exceed(self, status):
        self.error_status = status
        raise _LimitExceededError

    def _send_timeout_error(self):
        self.read_timer = None
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
        self._cancel_read_timer()
        if self.in_body and not self.cycle.response_complete:
            self._cancel_request()
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {content_type}\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.error_response = head.encode() + body
        if not self.pending_responses:
            self._send_error_response()

    def _cancel_request(self):
        """Drop the request that is arriving, or disconnect it from the application."""
        self.pending_responses -= 1
        if self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

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
        self.flow.resume_reading()
        self.transport.write_eof()
        self._start_read_timer(self.transport.abort, min(LINGER_SECONDS, self.limits.timeout))

    def _start_read_timer(self, action, seconds=None):
        self._cancel_read_timer()
        self.read_timer = self.loop.call_later(seconds or self.limits.timeout, action)

    def _cancel_read_timer(self):
        if self.read_timer:
            self.read_timer.cancel()
            self.read_timer = None


def _status_of_malformed(data):
    """Return the status with which evhttp answers a request that the parser rejects."""
    line = _REQUEST_LINE.match(data)
    return 501 if line and line[1].decode("latin-1") not in METHODS else 400

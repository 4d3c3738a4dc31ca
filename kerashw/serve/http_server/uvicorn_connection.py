"""The HTTP connection: uvicorn's, with bounds on what a client may take, and evhttp's answers.

Requests that are no HTTP are answered as by TensorFlow Serving's HTTP server, evhttp.
"""

import re

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kerashw.serve.api.predict import error_answer
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.http_server.error_pages import REASONS, html_page
from kerashw.serve.http_server.request_limits import Limits

_METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH")
_REQUEST_LINE = re.compile(rb"(\S+) \S+ HTTP/1\.[01]\r?\n")
LINGER_SECONDS = 5.0
GRACE_SECONDS = 0.3


def protocol_class(limits):
    """Return the class of connections with these limits; uvicorn makes one for each client."""
    return type("LimitedConnection", (Connection,), {"limits": limits})


class _TooMuchError(Exception):
    """A request is over a limit; says so to the parser, which stops."""


class Connection(HttpToolsProtocol):
    """A client's connection.

    Attributes:
        limits: `Limits`.
    """

    limits = Limits()

    def connection_made(self, transport):
        """Take a client in, or turn it away when there are too many."""
        super().connection_made(transport)
        self.data = b""
        self.problem = None  # the status to end the connection with
        self.refused = False
        self.farewell = None  # the answer to a request that was refused, until it is sent
        self.received = True  # whether all of the last request is here
        self.handed_on = False  # whether the application has it, while its body is still coming
        self.unanswered = 0
        self.ended = False  # whether the client has said that it sends no more
        self.held_bytes = 0  # what the parser keeps to itself, such as half a header
        self.last = False  # whether the next request is the last
        self.header_bytes = self.body_bytes = 0
        self.timer = self.write_timer = None
        if len(self.connections) > self.limits.connections:
            self.refuse(503, "Too many connections")
        else:
            self._arm(self.transport.abort)

    def connection_lost(self, exc):
        """Forget the client."""
        self._disarm()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data):
        """Read on; a request that takes too long to come is not waited for."""
        if self.refused:
            return
        self._unset_keepalive_if_required()
        self.data = data
        self.held_bytes += len(data)
        self._feed(data)
        self.data = b""
        if self.held_bytes > self.limits.header_bytes:
            self.problem = 431
            self.send_400_response("")
        if self.received or self.refused:
            self._disarm(unless=self.refused)
        elif self.timer is None:
            self._arm(self._time_out)

    def eof_received(self):
        """Stay open for the answer, when a client says that it has asked its last question."""
        self.ended = True
        if not self.received:
            self._end(400, b"text/html", html_page(400))
        elif self.unanswered and not self.refused:
            self.cycle.keep_alive = False
        return self.unanswered > 0

    def on_message_begin(self):
        """Start a request."""
        super().on_message_begin()
        self.received = self.handed_on = False
        self._disarm()
        self.header_bytes = self.body_bytes = 0

    def on_url(self, url):
        """Take in a part of the request's target."""
        self._count_header(len(url))
        super().on_url(url)

    def on_header(self, name, value):
        """Take in a header."""
        self._count_header(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self):
        """Hand the request on to the application, while its body is still coming."""
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            return  # it comes again
        for name, value in self.headers:
            if name == b"content-length" and int(value) > self.limits.body_bytes:
                self._stop(413)
        # The target as it came: the path that uvicorn passes on is decoded, and has no query.
        self.scope["kerashw.target"] = self.url.decode("latin-1")
        super().on_headers_complete()
        self.handed_on = True
        self.unanswered += 1
        if self.last:
            self.cycle.keep_alive = False

    def on_body(self, body):
        """Take in a part of the body."""
        self.held_bytes = 0
        self.body_bytes += len(body)
        if self.body_bytes > self.limits.body_bytes:
            self._stop(413)
        super().on_body(body)

    def on_message_complete(self):
        """Note that the whole request is here."""
        if not self.handed_on:
            return
        self.received, self.handed_on = True, False
        super().on_message_complete()

    def on_response_complete(self):
        """Go on with the next request, or end the connection when one was refused."""
        self.unanswered -= 1
        super().on_response_complete()
        if self.farewell and not self.unanswered:
            self._say_farewell()

    def send_400_response(self, msg):
        """Answer what is no HTTP, or is too much."""
        status = self.problem or _status_of_broken(self.data)
        if status in (400, 501):
            self._end(status, b"text/html", html_page(status))
        else:
            self.refuse(status, f"{REASONS[status]}. {self._limit_text(status)}")

    def refuse(self, status, message):
        """Answer with an error and end the connection."""
        self._end(status, b"application/json", error_answer(RequestError(message)))

    def pause_writing(self):
        """Give a client that does not read its answer a while, and no more."""
        super().pause_writing()
        self.write_timer = self.loop.call_later(self.limits.seconds, self.transport.abort)

    def resume_writing(self):
        """Note that the client reads again."""
        if self.write_timer:
            self.write_timer.cancel()
            self.write_timer = None
        super().resume_writing()

    def shutdown(self):
        """End the connection when its requests are answered, also one that is under way."""
        self.last = True
        if self.cycle and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(GRACE_SECONDS, self._close_when_idle)

    def _close_when_idle(self):
        if self.transport.is_closing():
            return
        if not self.received:
            self.loop.call_later(GRACE_SECONDS, self._close_when_idle)
        elif self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _feed(self, data):
        """Parse what came; nobody's offer to speak another protocol is taken up.

        The parser gives up on requests with such an offer, also where they have a body: Java's
        HTTP client makes one with each first request. They are read again without it.
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
        lines = [b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"]
        version = self.parser.get_http_version().encode()
        return b"%b %b HTTP/%b\r\n%b\r\n" % (
            self.parser.get_method(),
            self.url,
            version,
            b"".join(lines),
        )

    def _count_header(self, size):
        self.held_bytes = 0
        self.header_bytes += size
        if self.header_bytes > self.limits.header_bytes:
            self._stop(431)

    def _stop(self, status):
        self.problem = status
        raise _TooMuchError

    def _time_out(self):
        self.timer = None
        self.refuse(408, f"The request took more than {self.limits.seconds:g} s to come")

    def _limit_text(self, status):
        limits = self.limits
        if status == 413:
            return f"The body may have {limits.body_bytes} bytes"
        return f"The request line and headers may have {limits.header_bytes} bytes"

    def _end(self, status, content_type, body):
        if self.refused or self.transport.is_closing():
            return
        self.refused = True
        self._disarm()
        if self.handed_on and not self.cycle.response_complete:
            self._take_back()
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {content_type.decode()}\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.farewell = head.encode() + body
        if not self.unanswered:
            self._say_farewell()

    def _take_back(self):
        """Let the application forget the request that is coming in."""
        self.unanswered -= 1
        if self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _say_farewell(self):
        if self.transport.is_closing():
            return
        self.transport.write(self.farewell)
        self.farewell = None
        if self.ended:
            self.transport.close()
            return
        # Were the connection closed at once, the answer would be lost on a client that is still
        # sending. What it sends is thrown away for a while.
        self.flow.resume_reading()
        self.transport.write_eof()
        self._arm(self.transport.abort, min(LINGER_SECONDS, self.limits.seconds))

    def _arm(self, action, seconds=None):
        self._disarm()
        self.timer = self.loop.call_later(seconds or self.limits.seconds, action)

    def _disarm(self, unless=False):
        if self.timer and not unless:
            self.timer.cancel()
            self.timer = None


def _status_of_broken(data):
    """Return evhttp's status for a request that the parser refused."""
    line = _REQUEST_LINE.match(data)
    return 501 if line and line[1] not in _METHODS else 400

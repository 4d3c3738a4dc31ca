"""The ASGI application, which answers each request. It uses no web framework."""

import asyncio
import contextlib
import logging
import re
import time
import zlib
from typing import NamedTuple

from kerashw.serve.api import routes
from kerashw.serve.api.inference_request import InferenceRequest
from kerashw.serve.api.metadata import describe_model
from kerashw.serve.api.status_codes import RequestError, error_response
from kerashw.serve.http_server.evhttp import METHODS, error_page
from kerashw.serve.http_server.request_limits import Limits
from kerashw.serve.page.demo_page import HEADERS, DemoPage

log = logging.getLogger("kerashw.serve")

JSON = b"application/json"
EVHTTP_TYPE = b"text/html; charset=ISO-8859-1"
CORS_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
)
INLINE_BYTES = 64 * 2**10  # larger requests are parsed on another thread than the event loop's


class Options(NamedTuple):
    """The options of the application.

    Args:
        limits: `kerashw.serve.http_server.request_limits.Limits`.
        cors: Boolean; whether pages of other origins may send requests.
        check_method_name: Boolean; whether `:classify` and `:regress` require a signature with
            that method name.
        metrics_path: String, the path of the metrics; `None` if there are no metrics.
    """

    limits: Limits = Limits()
    cors: bool = False
    check_method_name: bool = False
    metrics_path: str | None = None


class Response(NamedTuple):
    """An HTTP response."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple = ()


class App:
    """The ASGI application.

    Args:
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        executor: `concurrent.futures.Executor`, which runs slow calls.
        options: `Options`.
        batcher: `kerashw.serve.servables.batching.Batcher`; `None` runs each request alone.
        metrics: `kerashw.serve.prometheus_metrics.Metrics`; `None` records nothing.
    """

    def __init__(self, registry, executor, options=None, batcher=None, metrics=None):
        self.registry = registry
        self.executor = executor
        self.options = options or Options()
        self.batcher = batcher
        self.metrics = metrics
        self.page = DemoPage(registry)

    async def __call__(self, scope, receive, send):
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = await _read_body(receive)
        if body is None:
            return
        response = await self._respond(scope, body)
        headers = [
            (b"content-type", response.content_type),
            (b"content-length", b"%d" % len(response.body)),
            *response.headers,
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _respond(self, scope, body):
        method, target = scope["method"], _target(scope)
        if method not in METHODS:
            return _error_page(501)
        if not routes.is_valid_target(target):
            return _error_page(400)
        if routes.is_api_target(target):
            response = await self._respond_api(method, target, scope["headers"], body)
            return response._replace(headers=CORS_HEADERS) if self.options.cors else response
        path = target.partition("?")[0]
        if self.metrics and path == self.options.metrics_path:
            return Response(200, self.metrics.text(), b"text/plain")
        file = self.page.find(path) if method in ("GET", "HEAD") else None
        return Response(200, *file, HEADERS) if file else _error_page(404)

    async def _respond_api(self, method, target, headers, body):
        if method == "OPTIONS":
            return Response(200 if _has_origin(headers) else 400, b"", EVHTTP_TYPE)
        start, route, code = time.perf_counter(), None, "OK"
        try:
            route = routes.match_route(method, target)
            if method == "POST":
                body = _decompress(body, headers, self.options.limits.body_bytes)
                response = Response(200, await self._run(route, body))
            else:
                response = Response(200, describe_model(route, self.registry))
        except RequestError as error:
            code = error.code
            response = Response(error.http_status, error_response(error))
        except Exception:  # a bug must not close the connection
            log.exception("%s %s", method, target)
            code = "INTERNAL"
            error = RequestError("Internal error. The server's log has the details", code)
            response = Response(500, error_response(error))
        self._record(route, code, time.perf_counter() - start)
        return response

    def _record(self, route, code, seconds):
        if not self.metrics:
            return
        # Names of models that do not exist would let clients add metrics without a limit.
        known = route is not None and route.model in self.registry.models
        action = route.action if route else ""
        self.metrics.record_request(route.model if known else "", action, code, seconds)

    async def _run(self, route, body):
        """Run a predict, classify or regress request, and return the body of the response."""
        small = len(body) <= INLINE_BYTES
        request = InferenceRequest(
            route, body, self.registry, self.metrics, self.options.check_method_name
        )
        if self.batcher is None and not small:
            return await self._call_on_thread(request.process)
        await self._call(request.read, small)
        if self.batcher:
            async with self._time_limit():
                request.outputs = await self.batcher.run(request.signature, request.tensors)
        else:
            await self._call(request.run, request.is_fast())
        return await self._call(request.response, small)

    async def _call(self, function, inline):
        return function() if inline else await self._call_on_thread(function)

    async def _call_on_thread(self, function):
        call = asyncio.get_running_loop().run_in_executor(self.executor, function)
        async with self._time_limit():
            return await call

    @contextlib.asynccontextmanager
    async def _time_limit(self):
        try:
            async with asyncio.timeout(self.options.limits.timeout):
                yield
        except TimeoutError:
            message = "Timed out waiting for the model"
            raise RequestError(message, "DEADLINE_EXCEEDED") from None


def _error_page(status):
    return Response(status, error_page(status), b"text/html", ((b"connection", b"close"),))


def _target(scope):
    target = scope.get("kerashw.target")
    if target is None:  # another server than uvicorn_connection.py runs the application
        query = scope["query_string"].decode("latin-1")
        target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    return routes.origin_form(target)


async def _read_body(receive):
    """Return the body of a request; `None` if the client disconnects."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return message["body"]
    parts = []
    while message["type"] == "http.request":
        parts.append(message["body"])
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()
    return None


_ORIGIN = re.compile(rb"https?://")


def _has_origin(headers):
    return any(name == b"origin" and _ORIGIN.search(value) for name, value in headers)


def _decompress(body, headers, max_bytes):
    for name, value in headers:
        if name == b"content-encoding" and b"gzip" in value.lower():
            return _gunzip(body, max_bytes)
    return body


def _gunzip(body, max_bytes):
    decompressor = zlib.decompressobj(wbits=31)
    try:
        text = decompressor.decompress(body, max_bytes)
    except zlib.error as error:
        raise RequestError(f"The body is not gzip: {error}") from None
    if decompressor.unconsumed_tail:
        raise RequestError(f"The body has more than {max_bytes} bytes when decompressed")
    if not decompressor.eof:
        raise RequestError("The body is not gzip: it is cut short")
    return text

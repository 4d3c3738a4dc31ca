"""The application: an HTTP request → its response. It uses no web framework."""

import logging
import re
import time
import zlib
from typing import NamedTuple

from kerashw.serve.api import routes
from kerashw.serve.api.metadata import describe_model
from kerashw.serve.api.rest_request import RestRequest
from kerashw.serve.api.status_codes import RequestError, error_response
from kerashw.serve.http_server.evhttp import METHODS, error_page
from kerashw.serve.http_server.messages import Response
from kerashw.serve.http_server.request_limits import Limits
from kerashw.serve.page.demo_page import HEADERS, DemoPage

log = logging.getLogger("kerashw.serve")

EVHTTP_TYPE = b"text/html; charset=ISO-8859-1"
CORS_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
)


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


class App:
    """The application, which has an answer to each HTTP request.

    Args:
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        runner: `kerashw.serve.api.request_runner.RequestRunner`.
        options: `Options`.
        metrics: `kerashw.serve.prometheus_metrics.Metrics`; `None` records nothing.
    """

    def __init__(self, registry, runner, options=None, metrics=None):
        self.registry = registry
        self.runner = runner
        self.options = options or Options()
        self.metrics = metrics
        self.page = DemoPage(registry)

    async def respond(self, request):
        """Return the response to a request.

        Args:
            request: `kerashw.serve.http_server.messages.Request`.

        Returns:
            `kerashw.serve.http_server.messages.Response`.
        """
        method, target = request.method, routes.origin_form(request.target)
        if method not in METHODS:
            return _error_page(501)
        if not routes.is_valid_target(target):
            return _error_page(400)
        if routes.is_api_target(target):
            response = await self._respond_api(method, target, request.headers, request.body)
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
                request = RestRequest(route, body, self.registry, self.options.check_method_name)
                response = Response(200, await self.runner.respond(request, len(body)))
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


def _error_page(status):
    return Response(status, error_page(status), b"text/html", is_last=True)


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

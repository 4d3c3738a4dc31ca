"""The application: what each request is answered with. An ASGI application without a framework."""

import asyncio
import json
import logging
import re
import time
import zlib
from typing import NamedTuple

from google.protobuf import json_format

from kerashw.serve.api import predict, routes
from kerashw.serve.api.inference_request import Work
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.http_server.error_pages import html_page
from kerashw.serve.http_server.request_limits import Limits
from kerashw.serve.page import page

log = logging.getLogger("kerashw.serve")

JSON = b"application/json"
EVHTTP_TYPE = b"text/html; charset=ISO-8859-1"
CORS_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
# Up to this size a request is read on the event loop's thread.
INLINE_BYTES = 64 * 2**10


class Options(NamedTuple):
    """How requests are answered.

    Args:
        limits: `kerashw.serve.http_server.uvicorn_connection.Limits`.
        cors: Boolean, whether pages of other origins may ask.
        check_method_name: Boolean, whether `:classify` and `:regress` demand signatures that say
            they are for that.
        metrics_path: String; None where there are no metrics.
    """

    limits: Limits = Limits()
    cors: bool = False
    check_method_name: bool = False
    metrics_path: str | None = None


class Answer(NamedTuple):
    """What a request is answered with."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple = ()


class App:
    """The ASGI application.

    Args:
        repository: `kerashw.serve.servables.model_registry.Repository`.
        executor: `concurrent.futures.Executor` for what takes long.
        options: `Options`.
        batcher: `kerashw.serve.servables.batching.Batcher` or None.
        metrics: `kerashw.serve.prometheus_metrics.Metrics` or None.
    """

    def __init__(self, repository, executor, options=None, batcher=None, metrics=None):
        self.repository = repository
        self.executor = executor
        self.options = options or Options()
        self.batcher = batcher
        self.metrics = metrics
        self.page = page.Page(repository)

    async def __call__(self, scope, receive, send):
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = await _read_body(receive)
        if body is None:
            return
        answer = await self._answer(scope, body)
        headers = [
            (b"content-type", answer.content_type),
            (b"content-length", b"%d" % len(answer.body)),
            *answer.headers,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope, body):
        method, target = scope["method"], _target(scope)
        if method not in METHODS:
            return _page(501)
        if not routes.is_target(target):
            return _page(400)
        if routes.is_api(target):
            answer = await self._answer_api(method, target, scope["headers"], body)
            return answer._replace(headers=CORS_HEADERS) if self.options.cors else answer
        path = target.partition("?")[0]
        if self.metrics and path == self.options.metrics_path:
            return Answer(200, self.metrics.page(), b"text/plain")
        file = self.page.find(path) if method in ("GET", "HEAD") else None
        return Answer(200, *file, page.HEADERS) if file else _page(404)

    async def _answer_api(self, method, target, headers, body):
        if method == "OPTIONS":
            return Answer(200 if _has_origin(headers) else 400, b"", EVHTTP_TYPE)
        start, asked, code = time.perf_counter(), None, "OK"
        try:
            asked = routes.route(method, target)
            if method == "POST":
                body = _decompressed(body, headers, self.options.limits.body_bytes)
                answer = Answer(200, await self._run(asked, body))
            else:
                answer = Answer(200, self._describe(asked))
        except RequestError as error:
            code = error.code
            answer = Answer(error.http_status, predict.error_answer(error))
        except Exception:  # a mistake of ours must not end the connection
            log.exception("%s %s", method, target)
            code = "INTERNAL"
            error = RequestError("Internal error. The server's log has more", code)
            answer = Answer(500, predict.error_answer(error))
        if self.metrics:
            known = asked is not None and asked.model in self.repository.models
            name = asked.model if known else ""  # not whatever a client invents
            self.metrics.request(
                name, asked.action if asked else "", code, time.perf_counter() - start
            )
        return answer

    async def _run(self, asked, body):
        """Answer a predict, classify or regress request."""
        small = len(body) <= INLINE_BYTES
        work = Work(asked, body, self)
        if self.batcher is None and not small:
            return await self._elsewhere(work.all)
        await self._here_or_elsewhere(work.prepare, small)
        if self.batcher:
            try:
                async with asyncio.timeout(self.options.limits.seconds):
                    work.outputs = await self.batcher.run(work.signature, work.tensors)
            except TimeoutError:
                raise _too_late() from None
        else:
            await self._here_or_elsewhere(work.run, work.is_quick())
        return await self._here_or_elsewhere(work.answer, small)

    async def _here_or_elsewhere(self, function, here):
        return function() if here else await self._elsewhere(function)

    async def _elsewhere(self, function):
        call = asyncio.get_running_loop().run_in_executor(self.executor, function)
        try:
            async with asyncio.timeout(self.options.limits.seconds):
                return await call
        except TimeoutError:
            raise _too_late() from None

    def _describe(self, asked):
        if asked.model is None:
            raise RequestError("Missing model name in request.")
        if asked.action == "status":
            status = self.repository.status(asked.model, asked.version)
            return json.dumps({"model_version_status": status}, indent=1).encode()
        model, version = self.repository.find(asked.model, asked.version, asked.label)
        spec = {"name": asked.model, "version": str(version), "signature_name": ""}
        definitions = {
            name: json_format.MessageToDict(
                definition,
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
            )
            for name, definition in model.definitions.items()
        }
        metadata = {"signature_def": {"signature_def": definitions}}
        return json.dumps({"model_spec": spec, "metadata": metadata}, indent=1).encode()


def _too_late():
    return RequestError("Timed out waiting for the model", "DEADLINE_EXCEEDED")


def _page(status):
    return Answer(status, html_page(status), b"text/html", ((b"connection", b"close"),))


def _target(scope):
    target = scope.get("kerashw.target")
    if target is None:  # under another server
        query = scope["query_string"].decode("latin-1")
        target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    return target


async def _read_body(receive):
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


def _decompressed(body, headers, most):
    for name, value in headers:
        if name == b"content-encoding" and b"gzip" in value.lower():
            return _gunzip(body, most)
    return body


def _gunzip(body, most):
    reader = zlib.decompressobj(wbits=31)
    try:
        text = reader.decompress(body, most)
    except zlib.error as error:
        raise RequestError(f"The body is not gzip: {error}") from None
    if reader.unconsumed_tail:
        raise RequestError(f"The body has more than {most} bytes when decompressed")
    if not reader.eof:
        raise RequestError("The body is not gzip: it is cut short")
    return text

"""Runs the methods of gRPC services: message → message, or a status code."""

import asyncio
import logging
import time
from functools import partial

import grpc
from google.protobuf.message import DecodeError

from kerashw.serve.api.status_codes import RequestError

log = logging.getLogger("kerashw.serve")

MAX_ERROR_BYTES = 1024  # as in TensorFlow Serving
POLL_SECONDS, MAX_POLLS = 0.05, 20
_RECORDED = ("Predict", "Classify", "Regress")


class Calls:
    """Runs the methods of services.

    Args:
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        metrics: `kerashw.serve.prometheus_metrics.Metrics`; `None` records nothing.

    Attributes:
        started: Integer, the number of calls that have begun.
    """

    def __init__(self, registry, metrics=None):
        self.registry = registry
        self.metrics = metrics
        self.started = 0

    def handler(self, service):
        """Return the gRPC handler of a service.

        Args:
            service: Object with the attributes `NAME`, the name of the service, and `MESSAGES`, the
                class of the request of each method; and with each method: a coroutine, message and
                its size in bytes → message. It raises a `RequestError` if the request fails.
        """
        # Requests arrive as bytes: so their size is known, and bytes that are no message can be
        # answered. The modules `*_service_pb2` with the same table cannot be imported from
        # tensorflow-serving-api 2.20.
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                partial(self._call, name, message_class, getattr(service, name))
            )
            for name, message_class in service.MESSAGES.items()
        }
        return grpc.method_handlers_generic_handler(service.NAME, handlers)

    async def until_quiet(self):
        """Wait until no calls begin any more. gRPC cancels calls that arrive while it stops."""
        for _ in range(MAX_POLLS):
            started = self.started
            await asyncio.sleep(POLL_SECONDS)
            if self.started == started:
                break

    async def _call(self, name, message_class, method, data, context):
        """Call a method of a service: return the response, or abort with a status code."""
        self.started += 1
        started = time.perf_counter()
        request, code, result = message_class(), "OK", ""
        try:
            request.ParseFromString(data)
            result = (await method(request, len(data))).SerializeToString()
        except DecodeError:
            code, result = "INTERNAL", f"The request is not a valid {message_class.__name__}"
        except RequestError as error:
            code, result = error.code, _shorten(error.message)
        except Exception:  # a bug must not end the server
            log.exception("%s", name)
            code, result = "INTERNAL", "Internal error. The server's log has the details"
        if self.metrics and name in _RECORDED:
            self._record(request.model_spec.name, name, code, time.perf_counter() - started)
        if code != "OK":
            await context.abort(grpc.StatusCode[code], result)
        return result

    def _record(self, model, api, code, seconds):
        # Names of models that do not exist would let clients add metrics without a limit.
        known = model in self.registry.models
        self.metrics.record_request(model if known else "", api, code, seconds, "GRPC")


def _shorten(message):
    """Return an error message as gRPC can send it: not too long, and valid Unicode."""
    data = message.encode("utf-8", "surrogateescape")
    if len(data) > MAX_ERROR_BYTES:
        data = data[:MAX_ERROR_BYTES] + b"...TRUNCATED"
    return data.decode("utf-8", "replace")

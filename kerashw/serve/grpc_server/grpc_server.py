"""Serves gRPC, and stops without losing a request."""

import contextlib
import importlib
from typing import NamedTuple

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from kerashw.errors import ServeError
from kerashw.serve.grpc_server.calls import Calls
from kerashw.serve.grpc_server.health import Health
from kerashw.serve.grpc_server.model_service import ModelService
from kerashw.serve.grpc_server.prediction_service import PredictionService
from kerashw.serve.http_server.request_limits import Limits
from kerashw.serve.servables.config_file_reader import SslConfig

HEALTH_SERVICE = health_pb2.DESCRIPTOR.services_by_name["Health"]

# They register the services, which reflection describes. Those of tensorflow-serving-api 2.20 do so
# before they raise this error.
for _module in ("prediction_service_pb2", "model_service_pb2"):
    with contextlib.suppress(AttributeError):
        importlib.import_module(f"tensorflow_serving.apis.{_module}")


class GrpcOptions(NamedTuple):
    """The options of the gRPC server.

    Args:
        addresses: Tuple of strings, such as `127.0.0.1:8500` and `unix:/run/models.socket`.
        limits: `kerashw.serve.http_server.request_limits.Limits`. `connections` is the largest
            number of requests that run.
        channel_arguments: Dictionary, gRPC's channel arguments: integers or strings by name.
        ssl: `kerashw.serve.servables.config_file_reader.SslConfig`; `None` without TLS.
        check_method_name: Boolean; whether Classify and Regress require a signature with that
            method name.
        can_reload: Boolean; whether clients may change the list of models.
    """

    addresses: tuple
    limits: Limits = Limits()
    channel_arguments: dict = {}  # noqa: RUF012 - never changed
    ssl: SslConfig | None = None
    check_method_name: bool = False
    can_reload: bool = True


@contextlib.asynccontextmanager
async def serving_grpc(registry, runner, options, metrics=None):
    """Serve gRPC while the block runs.

    At its end, the server accepts no new request, and requests that have begun are answered first,
    at most for the time that a request may take.

    Args:
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        runner: `kerashw.serve.api.request_runner.RequestRunner`.
        options: `GrpcOptions`.
        metrics: `kerashw.serve.prometheus_metrics.Metrics`; `None` records nothing.

    Raises:
        ServeError: If it cannot listen on an address.
    """
    limits = options.limits
    server = grpc.aio.server(
        options=list((_channel_arguments(limits) | options.channel_arguments).items()),
        maximum_concurrent_rpcs=limits.connections,
    )
    calls = Calls(registry, metrics)
    services = (
        PredictionService(registry, runner, limits.body_bytes, options.check_method_name),
        ModelService(registry, options.can_reload),
    )
    server.add_generic_rpc_handlers([calls.handler(service) for service in services])
    names = [service.NAME for service in services]
    health = Health(names)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection(
        [*names, HEALTH_SERVICE.full_name, reflection.SERVICE_NAME], server
    )
    for address in options.addresses:
        _listen(server, address, options.ssl)
    await server.start()
    try:
        yield
    finally:
        health.stop()
        await calls.until_quiet()
        await server.stop(limits.timeout)


def _channel_arguments(limits):
    return {
        "grpc.max_receive_message_length": limits.body_bytes,
        "grpc.max_send_message_length": -1,
        "grpc.max_connection_idle_ms": round(limits.idle * 1000),
    }


def _listen(server, address, ssl):
    try:
        if ssl is None:
            port = server.add_insecure_port(address)
        else:
            credentials = grpc.ssl_server_credentials(
                [(ssl.key, ssl.certificate)], ssl.authority, ssl.client_verify
            )
            port = server.add_secure_port(address, credentials)
    except RuntimeError:
        port = 0
    if not port:
        flags = "--host, --port and --grpc_socket_path"
        check = "the keys and certificates in --ssl_config_file" if ssl else flags
        raise ServeError(f"Cannot listen on {address} for gRPC. Check {check}")

"""gRPC's health service. The library's own one keeps its streams open when the server stops."""

import asyncio

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


class Health(health_pb2_grpc.HealthServicer):
    """The health service: all services of the server have the same status.

    Args:
        services: Collection of strings, the names of the services.
    """

    def __init__(self, services):
        self.services = {"", *services}
        self._stopping = asyncio.Event()

    def stop(self):
        """Report from now on that the services are not serving, and end all streams."""
        self._stopping.set()

    async def Check(self, request, context):
        """Return the status of a service."""
        if request.service not in self.services:
            message = f"There is no service {request.service!r}"
            await context.abort(grpc.StatusCode.NOT_FOUND, message)
        return _response("NOT_SERVING" if self._stopping.is_set() else "SERVING")

    async def Watch(self, request, context):
        """Yield the status of a service, and then its changes."""
        known = request.service in self.services
        if not self._stopping.is_set():
            yield _response("SERVING" if known else "SERVICE_UNKNOWN")
            await self._stopping.wait()
        if known:
            yield _response("NOT_SERVING")


def _response(status):
    return health_pb2.HealthCheckResponse(status=status)

"""A gRPC server in the test's process, on an event loop in a thread."""

import asyncio
import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from kerashw.serve.api.request_runner import RequestRunner
from kerashw.serve.grpc_server.grpc_server import GrpcOptions, serving_grpc
from kerashw.serve.http_server.request_limits import Limits
from tests.ports import free_port
from tests.serve.grpc_server.calls import connected_client, predict_request


class Signature:
    """A signature that applies a function to a float32 input `x`; the output is `y`."""

    joinable = False
    types = {"x": "float"}  # noqa: RUF012

    def __init__(self, function):
        self.function = function
        self.signature_def = meta_graph_pb2.SignatureDef()
        self.signature_def.inputs["x"].dtype = types_pb2.DT_FLOAT
        self.signature_def.outputs["y"].dtype = types_pb2.DT_FLOAT

    def is_fast(self, size):
        return False

    def run(self, tensors):
        return {"y": self.function(tensors["x"])}


class Registry:
    """A registry of one model `m` with one such signature."""

    def __init__(self, function=lambda x: x):
        self.models = {"m": self}
        self.signatures = {"serving_default": Signature(function)}

    def find(self, name, version, label):
        return self, 1


def request(*values):
    """A request to the model `m`."""
    return predict_request("m", {"x": np.array(values, np.float32)})


class Server(threading.Thread):
    """A running server. `stop` stops it, and returns when it has stopped."""

    def __init__(self, registry, timeout=60.0, **options):
        super().__init__(daemon=True)
        self.address = f"127.0.0.1:{free_port()}"
        self.registry = registry
        limits = options.pop("limits", Limits(timeout=timeout))
        self.options = GrpcOptions((self.address, *options.pop("more", ())), limits, **options)
        self.started = Future()
        self.start()
        self.loop, self.stopping = self.started.result(60)

    def run(self):
        try:
            asyncio.run(self.serve())
        except Exception as error:
            self.started.set_exception(error)

    async def serve(self):
        stopping = asyncio.Event()
        with ThreadPoolExecutor(32) as executor:
            runner = RequestRunner(executor, self.options.limits.timeout)
            async with serving_grpc(self.registry, runner, self.options):
                self.started.set_result((asyncio.get_running_loop(), stopping))
                await stopping.wait()

    def stop(self):
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.join(60)
        assert not self.is_alive()


@contextlib.contextmanager
def serving(registry, **options):
    """Run a server; yield it and a client."""
    server = Server(registry, **options)
    try:
        with connected_client(server.address) as client:
            yield server, client
    finally:
        if server.is_alive():
            server.stop()

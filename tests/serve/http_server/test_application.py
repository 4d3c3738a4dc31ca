"""The application, called without a server."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from kerashw.serve.api.request_runner import RequestRunner
from kerashw.serve.http_server.application import App
from kerashw.serve.http_server.messages import Request
from kerashw.serve.servables.batching import Batcher
from kerashw.serve.servables.config_file_reader import BatchingParameters


class BlockedSignature:
    """A signature that returns after `release` is set, and the registry of its model."""

    def __init__(self):
        self.types = {"x": "float"}
        self.release = threading.Event()
        self.models = {}

    def is_fast(self, size):
        return False

    def find(self, model, version, label):
        return SimpleNamespace(signatures={"serving_default": self}), 1

    def run(self, tensors):
        assert self.release.wait(60)
        return {"y": tensors["x"]}


async def request(app, body):
    """Send a predict request; return the status and the body of the response."""
    response = await app.respond(Request("POST", "/v1/models/m:predict", [], body, True))
    return response.status, json.loads(response.body)


@pytest.mark.parametrize("batching", [False, True])
def test_a_slow_model_times_out(batching):
    signature = BlockedSignature()
    with ThreadPoolExecutor(1) as executor:
        batcher = Batcher(BatchingParameters(num_batch_threads=1), executor) if batching else None
        runner = RequestRunner(executor, 0.2, batcher)
        app = App(signature, runner)

        async def request_twice():
            late = await request(app, b'{"instances": [1.0]}')
            signature.release.set()
            runner.timeout = 30.0
            return late, await request(app, b'{"instances": [2.0]}')

        late, response = asyncio.run(request_twice())
    assert late == (504, {"error": "Timed out waiting for the model"})
    assert response == (200, {"predictions": [2.0]})

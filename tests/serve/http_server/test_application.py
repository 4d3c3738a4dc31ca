"""The ASGI application, called without a server."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from kerashw.serve.http_server.application import App, Options
from kerashw.serve.http_server.request_limits import Limits
from kerashw.serve.servables.batching import Batcher
from kerashw.serve.servables.config_file_reader import BatchingParameters


class BlockedSignature:
    """A signature that returns after `release` is set, and the registry of its model."""

    def __init__(self):
        self.types, self.inline_size = {"x": "float"}, 0
        self.release = threading.Event()
        self.models = {}

    def find(self, model, version, label):
        return SimpleNamespace(signatures={"serving_default": self}), 1

    def run(self, tensors):
        assert self.release.wait(60)
        return {"y": tensors["x"]}


async def request(app, body):
    """Send a predict request; return the status and the body of the response."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    target = "/v1/models/m:predict"
    await app(
        {"type": "http", "method": "POST", "headers": [], "kerashw.target": target}, receive, send
    )
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize("batching", [False, True])
def test_a_slow_model_times_out(batching):
    signature = BlockedSignature()
    with ThreadPoolExecutor(1) as executor:
        batcher = Batcher(BatchingParameters(num_batch_threads=1), executor) if batching else None
        app = App(signature, executor, Options(Limits(timeout=0.2)), batcher)

        async def request_twice():
            late = await request(app, b'{"instances": [1.0]}')
            signature.release.set()
            app.options = Options()  # without the short time limit
            return late, await request(app, b'{"instances": [2.0]}')

        late, response = asyncio.run(request_twice())
    assert late == (504, {"error": "Timed out waiting for the model"})
    assert response == (200, {"predictions": [2.0]})

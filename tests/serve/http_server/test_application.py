"""The application without a server around it."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from kerashw.serve.http_server.application import App, Options
from kerashw.serve.http_server.uvicorn_connection import Limits
from kerashw.serve.servables.batching import Batcher
from kerashw.serve.servables.config_file_reader import Batching


class Stuck:
    """A signature, and the repository of its model, that gives no answer until it is told to."""

    def __init__(self):
        self.types, self.quick_size = {"x": "float"}, 0
        self.told = threading.Event()
        self.models = {}

    def find(self, model, version, label):
        return SimpleNamespace(signatures={"serving_default": self}), 1

    def run(self, tensors):
        assert self.told.wait(30)
        return {"y": tensors["x"]}


async def ask(app, body):
    """Send a predict request; return the status and the body of the answer."""
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
def test_an_answer_that_takes_too_long_is_not_waited_for(batching):
    stuck = Stuck()
    with ThreadPoolExecutor(1) as executor:
        batcher = Batcher(Batching(num_batch_threads=1), executor) if batching else None
        app = App(stuck, executor, Options(Limits(seconds=0.2)), batcher)

        async def ask_twice():
            late = await ask(app, b'{"instances": [1.0]}')
            stuck.told.set()
            return late, await ask(app, b'{"instances": [2.0]}')

        late, answer = asyncio.run(ask_twice())
    assert late == (504, {"error": "Timed out waiting for the model"})
    assert answer == (200, {"predictions": [2.0]})

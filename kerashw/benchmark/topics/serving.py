"""Throughput and latency of the model server under load.

wrk sends requests to real server processes on this machine. They are compared with calls of the
same SavedModel in this process, which no server can exceed by much, and with TensorFlow Serving if
`tensorflow_model_server` is installed. wrk needs a part of the processor too, so the results are
those of a machine that runs both the client and the server.

Batches of 32 images are also sent by gRPC and by JSON alternately, over one connection, including
the work of the client: arrays → message → arrays.
"""

import contextlib
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from kerashw import models
from kerashw.benchmark import wrk
from kerashw.benchmark.alternating_timing import Comparison, time_alternately
from kerashw.benchmark.result_table import Table
from kerashw.benchmark.subprocesses import free_ports, last_line
from kerashw.environment import environment
from kerashw.errors import BenchmarkError
from kerashw.export import export_saved_model, write_models_config

MODELS = {"softmax": models.softmax_regression, "convnet": models.convnet}
IMAGES = (1, 32)  # per request
CONNECTIONS = (1, 8, 64)
SECONDS = 3  # per measurement; wrk accepts integers only
START_SECONDS = 60  # until a server serves all models
BATCHING = """\
max_batch_size { value: 64 }
batch_timeout_micros { value: 0 }
max_enqueued_batches { value: 1000 }
num_batch_threads { value: %d }
"""


class Load(NamedTuple):
    """The load of one row of the table: a model, images per request, and connections."""

    model: str
    images: int
    connections: int

    def __str__(self):
        return f"{self.model}, {self.images} × {self.connections}"


def measure(setup):
    """Measure all servers under all loads.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.

    Yields:
        `Comparison`s of gRPC and JSON, `Table` of requests per second and latency, and remarks.
    """
    if not wrk.is_installed():
        yield "wrk is not installed (on Debian: apt-get install wrk), so nothing was measured."
        return
    loads = [Load(model, n, c) for model in MODELS for n in IMAGES for c in CONNECTIONS]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        setup.progress("exporting the models")
        for name, build in MODELS.items():
            export_saved_model(build(), folder / "exports" / name)
        scripts = {count: _write_request(count, folder) for count in IMAGES}
        results = {}
        for name, command in _server_commands(folder).items():
            setup.progress(name)
            try:
                with _running_server(command, folder) as ports:
                    results[name] = [_measure_load(ports[0], load, scripts) for load in loads]
                    if name == "kerashw.serve":
                        for model in MODELS:
                            yield _compare_grpc_with_json(ports, model)
            except ChildProcessError as error:
                yield f"{name} did not start: {error}"
        setup.progress("calls in this process")
        calls = [_calls_per_second(folder / "exports" / load.model / "1", load) for load in loads]
    yield _table(loads, results, calls)
    yield "images × connections; p50 and p99 are milliseconds; wrk ran on the same machine."
    if not shutil.which("tensorflow_model_server"):
        yield "tensorflow_model_server is not installed, so it is left out."


def _table(loads, results, calls):
    rows = [
        (
            str(load),
            name,
            measured[number]["rate"],
            measured[number]["p50"] / 1000,
            measured[number]["p99"] / 1000,
            measured[number]["rate"] / calls[number],
        )
        for number, load in enumerate(loads)
        for name, measured in results.items()
    ]
    headings = (
        "model,\nimages",
        "server",
        "requests/s",
        "p50",
        "p99",
        "requests / calls\nin process",
    )
    formats = ("{}", "{}", "{:,.0f}", "{:.2f}", "{:.1f}", "{:.2f}")
    return Table("Throughput and latency of the server", headings, rows, formats)


def _compare_grpc_with_json(ports, model, images=32, rounds=200):
    """Compare sequential requests by gRPC and by JSON over one connection each."""
    values = np.random.default_rng(0).random((images, 28, 28, 1), "float32")
    path = f"/v1/models/{model}:predict"
    connection = http.client.HTTPConnection("127.0.0.1", ports[0], timeout=30)
    channel = grpc.insecure_channel(f"127.0.0.1:{ports[1]}")
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    classes = []

    def by_grpc():
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.inputs["image"].CopyFrom(tf.make_tensor_proto(values))
        outputs = stub.Predict(request, timeout=30).outputs
        arrays = {name: tf.make_ndarray(proto) for name, proto in outputs.items()}
        classes.append(arrays["class"].tolist())

    def by_json():
        connection.request("POST", path, json.dumps({"inputs": values.tolist()}))
        outputs = json.loads(connection.getresponse().read())["outputs"]
        arrays = {name: np.array(value) for name, value in outputs.items()}
        classes.append(arrays["class"].tolist())

    with contextlib.closing(connection), channel:
        seconds = time_alternately(by_grpc, by_json, rounds, warm_up=10)
    quality = "same classes" if all(one == classes[0] for one in classes) else "other classes"
    return Comparison(f"{model}, {images} images by gRPC", "by JSON", *seconds, quality)


def _write_request(images, folder):
    """Write wrk's script for a request of this many images, as sparse as those of MNIST."""
    random = np.random.default_rng(0)
    values = random.integers(0, 256, (images, 28, 28, 1)) / 255
    values *= random.random(values.shape) < 0.2
    body = folder / f"{images}.json"
    body.write_text(json.dumps({"instances": values.round(4).tolist()}), encoding="utf-8")
    return wrk.write_script(body, folder / f"{images}.lua")


def _measure_load(port, load, scripts):
    url = f"http://127.0.0.1:{port}/v1/models/{load.model}:predict"
    try:
        return wrk.measure_load(url, scripts[load.images], load.connections, SECONDS)
    except BenchmarkError as error:
        raise BenchmarkError(f"{load}: {error}") from error


def _server_commands(folder):
    """Return the command of each server, without its ports."""
    config = f"--model_config_file={write_models_config(folder / 'exports')}"
    batching = folder / "batching.txt"
    batching.write_text(BATCHING % environment()["device"]["cores"], encoding="utf-8")
    ours = [sys.executable, "-m", "kerashw.serve", config]
    batching_flags = ["--enable_batching=true", f"--batching_parameters_file={batching}"]
    commands = {
        "kerashw.serve": ours,
        "2 workers": [*ours, "--workers=2"],
        "batching": [*ours, *batching_flags],
    }
    if shutil.which("tensorflow_model_server"):
        commands["TF Serving"] = ["tensorflow_model_server", config]
    return commands


@contextlib.contextmanager
def _running_server(command, folder):
    """Run a server, and yield its ports for REST and gRPC when it serves all models."""
    port, grpc_port = free_ports(2)
    with (folder / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*command, f"--rest_api_port={port}", f"--port={grpc_port}"],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not all(_is_served(port, model) for model in MODELS):
                timed_out = time.monotonic() > deadline
                if timed_out or process.poll() is not None:
                    log.seek(0)
                    message = last_line(log.read()) or "its log is empty"
                    prefix = f"not every model is served after {START_SECONDS} s; "
                    raise ChildProcessError(f"{prefix if timed_out else ''}{message}")
                time.sleep(0.1)
            yield port, grpc_port
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _is_served(port, model):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        try:
            connection.request("GET", f"/v1/models/{model}/metadata")
            return connection.getresponse().status == 200
        except OSError:
            return False


def _calls_per_second(path, load):
    """Return the calls of a SavedModel per second in this process, from several threads."""
    loaded = tf.saved_model.load(path)
    function = loaded.signatures["serving_default"]
    image = tf.zeros((load.images, 28, 28, 1))
    threads = min(load.connections, environment()["device"]["cores"])

    def call_until(deadline):
        count = 0
        while time.perf_counter() < deadline:
            for output in function(image=image).values():
                output.numpy()
            count += 1
        return count

    call_until(time.perf_counter() + 0.3)
    with ThreadPoolExecutor(threads) as pool:
        counts = pool.map(call_until, [time.perf_counter() + 1] * threads)
        return sum(counts)

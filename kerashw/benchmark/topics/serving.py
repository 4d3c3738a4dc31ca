"""Throughput and latency of the model server under load.

wrk sends requests to real server processes on this machine. They are compared with calls of the
same SavedModel in this process, which no server can exceed by much, and with TensorFlow Serving if
`tensorflow_model_server` is installed. wrk needs a part of the processor too, so the results are
those of a machine that runs both the client and the server.
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

import numpy as np
import tensorflow as tf

from kerashw import models
from kerashw.benchmark import wrk
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
        `Table` of requests per second and latency, and remarks.
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
        columns = {}
        for name, command in _server_commands(folder).items():
            setup.progress(name)
            try:
                with _running_server(command, folder) as port:
                    columns[name] = [_measure_load(port, load, scripts) for load in loads]
            except ChildProcessError as error:
                yield f"{name} did not start: {error}"
        setup.progress("calls in this process")
        calls = [_calls_per_second(folder / "exports" / load.model / "1", load) for load in loads]
    yield _table(loads, columns, calls)
    yield "images × connections; p50 and p99 are milliseconds; wrk ran on the same machine."
    if not shutil.which("tensorflow_model_server"):
        yield "tensorflow_model_server is not installed, so it is left out."


def _table(loads, columns, calls):
    parts = ("requests/s", "p50", "p99")
    headings = [f"{name}\n{part}" for name in columns for part in parts]
    rows = []
    for number, load in enumerate(loads):
        cells = [
            column[number][part] / scale
            for column in columns.values()
            for part, scale in (("rate", 1), ("p50", 1000), ("p99", 1000))
        ]
        rows.append((str(load), *cells, calls[number]))
    formats = ("{}", *("{:,.0f}", "{:.2f}", "{:.1f}") * len(columns), "{:,.0f}")
    title = "Throughput and latency of the server"
    return Table(title, ("model,\nimages", *headings, "in process\ncalls/s"), rows, formats)


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
    """Return the command of each server, without its port."""
    config = f"--model_config_file={write_models_config(folder / 'exports')}"
    batching = folder / "batching.txt"
    batching.write_text(BATCHING % environment()["device"]["cores"], encoding="utf-8")
    ours = [sys.executable, "-m", "kerashw.serve", config]
    batching_flags = ["--enable_batching=true", f"--batching_parameters_file={batching}"]
    commands = {"kerashw.serve": ours, "batching": [*ours, *batching_flags]}
    if shutil.which("tensorflow_model_server"):
        commands["TF Serving"] = ["tensorflow_model_server", "--port=0", config]
    return commands


@contextlib.contextmanager
def _running_server(command, folder):
    """Run a server, and yield its port when it serves all models."""
    (port,) = free_ports(1)
    with (folder / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*command, f"--rest_api_port={port}"], stdout=log, stderr=subprocess.STDOUT
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
            yield port
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

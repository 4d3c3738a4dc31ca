"""What the server answers under load: wrk asks real processes on this machine.

Beside it stands what the same SavedModel does when it is called in this process, which no server
can beat by much; and TensorFlow Serving's own server where `tensorflow_model_server` is installed.
wrk takes its share of the processor, so the numbers are those of a machine that does both.
"""

import contextlib
import http.client
import json
import shutil
import socket
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
from kerashw.benchmark.result_table import Table
from kerashw.benchmark.subprocesses import last_line
from kerashw.environment import environment
from kerashw.errors import BenchmarkError
from kerashw.export import export_saved_model, write_models_config

MODELS = {"softmax": models.softmax_regression, "convnet": models.convnet}
IMAGES = (1, 32)  # a request
CONNECTIONS = (1, 8, 64)
SECONDS = 3  # wrk takes whole ones
START_SECONDS = 60  # for a server to serve every model
BATCHING = """\
max_batch_size { value: 64 }
batch_timeout_micros { value: 0 }
max_enqueued_batches { value: 1000 }
num_batch_threads { value: %d }
"""
# wrk's script: what to send, and the result as one line of JSON. Times are microseconds.
SCRIPT = """\
wrk.method = "POST"
local file = io.open("%s")
wrk.body = file:read("*a")
file:close()
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{"rate": %%f, "p50": %%f, "p99": %%f, "failed": %%d}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


class Cell(NamedTuple):
    """One row of the table: who is asked what, by how many at once."""

    model: str
    images: int
    connections: int

    def __str__(self):
        return f"{self.model}, {self.images} × {self.connections}"


def measure(setup):
    """Measure everything, as `kerashw.benchmark.result_table` says.

    Args:
        setup: `kerashw.benchmark.result_table.Setup`.

    Yields:
        `Table` of requests a second and of their times, and remarks.
    """
    if not shutil.which("wrk"):
        yield "wrk is not installed (on Debian: apt-get install wrk), so nothing was asked."
        return
    cells = [Cell(model, n, c) for model in MODELS for n in IMAGES for c in CONNECTIONS]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        setup.progress("exporting the models")
        for name, build in MODELS.items():
            export_saved_model(build(), folder / "exports" / name)
        requests = {count: _write_request(count, folder) for count in IMAGES}
        columns = {}
        for name, command in _commands(folder).items():
            setup.progress(name)
            try:
                with _running(command, folder) as port:
                    columns[name] = [_ask(port, cell, requests[cell.images]) for cell in cells]
            except ChildProcessError as error:
                yield f"{name} did not start: {error}"
        setup.progress("calls in this process")
        calls = [_calls(folder / "exports" / cell.model / "1", cell) for cell in cells]
    yield _table(cells, columns, calls)
    yield "images × connections; p50 and p99 are milliseconds; wrk ran on the same machine."
    if not shutil.which("tensorflow_model_server"):
        yield "tensorflow_model_server is not installed, so it is left out."


def _table(cells, columns, calls):
    parts = ("requests/s", "p50", "p99")
    headings = [f"{name}\n{part}" for name in columns for part in parts]
    rows = []
    for number, cell in enumerate(cells):
        answers = [
            column[number][part] / scale
            for column in columns.values()
            for part, scale in (("rate", 1), ("p50", 1000), ("p99", 1000))
        ]
        rows.append((str(cell), *answers, calls[number]))
    formats = ("{}", *("{:,.0f}", "{:.2f}", "{:.1f}") * len(columns), "{:,.0f}")
    title = "Answers of the server"
    return Table(title, ("model,\nimages", *headings, "in process\ncalls/s"), rows, formats)


def _write_request(images, folder):
    """Write wrk's script for a request of so many images, which are as empty as MNIST's are."""
    random = np.random.default_rng(0)
    values = random.integers(0, 256, (images, 28, 28, 1)) / 255
    values *= random.random(values.shape) < 0.2
    body = folder / f"{images}.json"
    body.write_text(json.dumps({"instances": values.round(4).tolist()}), encoding="utf-8")
    script = folder / f"{images}.lua"
    script.write_text(SCRIPT % body, encoding="utf-8")
    return script


def _commands(folder):
    """Return how each server is started, without its port."""
    config = f"--model_config_file={write_models_config(folder / 'exports')}"
    batching = folder / "batching.txt"
    batching.write_text(BATCHING % environment()["device"]["cores"], encoding="utf-8")
    ours = [sys.executable, "-m", "kerashw.serve", config]
    batched = ["--enable_batching=true", f"--batching_parameters_file={batching}"]
    commands = {"kerashw.serve": ours, "batching": [*ours, *batched]}
    if shutil.which("tensorflow_model_server"):
        commands["TF Serving"] = ["tensorflow_model_server", "--port=0", config]
    return commands


@contextlib.contextmanager
def _running(command, folder):
    """Run a server; give its port when it answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with (folder / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*command, f"--rest_api_port={port}"], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            until = time.monotonic() + START_SECONDS
            while not all(_is_served(port, model) for model in MODELS):
                late = time.monotonic() > until
                if late or process.poll() is not None:
                    log.seek(0)
                    said = last_line(log.read()) or "it said nothing"
                    waited = f"not every model is served after {START_SECONDS} s; "
                    raise ChildProcessError(f"{waited if late else ''}{said}")
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


def _ask(port, cell, script):
    """Let wrk ask, first for a while that does not count."""
    url = f"http://127.0.0.1:{port}/v1/models/{cell.model}:predict"
    clients = ["wrk", "--threads=1", f"--connections={cell.connections}", "--timeout=30"]
    for seconds in (1, SECONDS):
        duration = f"--duration={seconds}s"
        ended = subprocess.run(
            [*clients, duration, f"--script={script}", url],
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            why = last_line(ended.stderr) or f"exit code {ended.returncode}"
            raise BenchmarkError(f"wrk failed at {cell}: {why}")
    found = json.loads(ended.stdout.splitlines()[-1])
    if found["failed"]:
        raise BenchmarkError(f"{cell}: {found['failed']} requests failed")
    return found


def _calls(path, cell):
    """Return how often a second TensorFlow runs the SavedModel, called from here."""
    loaded = tf.saved_model.load(path)
    function = loaded.signatures["serving_default"]
    image = tf.zeros((cell.images, 28, 28, 1))
    threads = min(cell.connections, environment()["device"]["cores"])

    def call(until):
        count = 0
        while time.perf_counter() < until:
            for output in function(image=image).values():
                output.numpy()
            count += 1
        return count

    call(time.perf_counter() + 0.3)
    with ThreadPoolExecutor(threads) as pool:
        counts = pool.map(call, [time.perf_counter() + 1] * threads)
        return sum(counts)

"""The time from the start of a training command to its last line of output."""

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from kerashw.benchmark.alternating_timing import Comparison, time_alternately
from kerashw.benchmark.result_table import Table
from kerashw.benchmark.subprocesses import start_process
from kerashw.benchmark.topics import training
from kerashw.datasets import mnist
from kerashw.errors import BenchmarkError

ROUNDS = 3
# Exactly the imports of `kerashw.train` before it starts to train.
IMPORTS = """
import rich.console
import kerashw.startup
import kerashw.streams
import kerashw.train.settings
from kerashw.console import quiet_import
with quiet_import():
    kerashw.startup.import_keras()
    import kerashw.distribution
    import kerashw.train.progress
    import kerashw.train.run
print("imported")
"""


def measure(setup):
    """Compare loading of the data and the whole command; see the two functions below.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.

    Yields:
        `Comparison`s and a `Table`.
    """
    setup.progress("loading MNIST")
    yield from compare_loading(setup.data_dir)
    yield from compare_commands(setup)


def compare_commands(setup, rounds=ROUNDS):
    """Time commands that train softmax regression for one epoch, by kerashw and by its peers.

    The processes of the peers only load, train and test. The command of kerashw also draws figures,
    writes a report and exports the model.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.
        rounds: Integer.

    Yields:
        `Comparison`, one per peer that is installed, and a `Table` of the time of the imports.
    """
    peers = training.installed_peers(training.KERAS | {"PyTorch": training.PYTORCH["PyTorch"]})
    seconds = {"kerashw": [], "importing": []} | {name: [] for name in peers}
    for number in range(1, rounds + 1):
        for name, times in seconds.items():
            setup.progress(f"the whole command, round {number} of {rounds}, {name}")
            with tempfile.TemporaryDirectory() as folder:
                times.append(_seconds_to_last_line(_command(name, peers, folder, setup.data_dir)))
    for name in peers:
        quality = "the peer writes no files"
        ours = seconds["kerashw"]
        yield Comparison("softmax, 1 epoch, whole command", name, ours, seconds[name], quality)
    whole, importing = seconds["kerashw"], seconds["importing"]
    share = statistics.median(importing) / statistics.median(whole)
    rows = [
        ("to the last line", whole, None),
        ("of which imports", importing, share),
    ]
    title = "python -m kerashw.train --model softmax --epochs 1"
    yield Table(title, ("", "seconds", "share"), rows, ("{}", "{:.2f}", "{:.2f}"))


def _command(name, peers, folder, data_dir):
    if name == "importing":
        return [sys.executable, "-c", IMPORTS]
    if name == "kerashw":
        flags = ["--data-dir", data_dir] if data_dir else []
        run = ["kerashw.train", "--model", "softmax", "--epochs", "1", "--output"]
        return [sys.executable, "-m", *run, str(Path(folder, "run")), *flags]
    options = training.worker_options("softmax", data_dir) | {"rounds": 1}
    return [sys.executable, "-m", *peers[name].split(), json.dumps(options)]


def _seconds_to_last_line(command):
    """Run a command, and return the seconds until its last line of output.

    A worker process, which waits for a line before each round, gets more lines than it needs. The
    time until the process has ended is not counted: TensorFlow takes half a second for this.
    """
    started = last = time.perf_counter()
    unbuffered = os.environ | {"PYTHONUNBUFFERED": "1"}
    with start_process(command, stdin=subprocess.PIPE, env=unbuffered) as process:
        process.stdin.write("\n" * 9)
        process.stdin.flush()
        for _ in process.stdout:
            last = time.perf_counter()
        if process.wait():
            raise BenchmarkError(f"{shlex.join(command)} failed: {process.last_error_line()}")
    return last - started


def compare_loading(data_dir=None, rounds=3, warm_up=1):
    """Time how long kerashw and tensorflow-datasets load the prepared MNIST into memory.

    Args:
        data_dir: As in `kerashw.datasets.mnist.load`.
        rounds: Integer, the number of times that each is timed.
        warm_up: Integer, the number of times that each loads before these.

    Yields:
        `Comparison`.
    """
    import tensorflow_datasets as tfds

    loaded = {}

    def load_with_kerashw():
        loaded["kerashw"] = mnist.load(data_dir=data_dir)

    def load_with_tfds():
        loaded["tfds"] = tfds.as_numpy(
            tfds.load("mnist", data_dir=data_dir, download=False, batch_size=-1)
        )

    mnist.load(data_dir=data_dir)  # prepares the data if necessary
    seconds = time_alternately(load_with_kerashw, load_with_tfds, rounds, warm_up)
    same = np.array_equal(loaded["kerashw"].train_labels, loaded["tfds"]["train"]["label"])
    quality = "the same examples" if same else "NOT the same examples"
    yield Comparison("MNIST into memory", "tfds.load", *seconds, quality)

"""How long one waits for a first result, from the command line to the last line."""

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

from kerashw.benchmark.alternating_timing import Comparison, take_turns
from kerashw.benchmark.result_table import Table
from kerashw.benchmark.subprocesses import started
from kerashw.benchmark.topics import training
from kerashw.datasets import mnist
from kerashw.errors import BenchmarkError

ROUNDS = 3
# What `kerashw.train` imports before it starts, and nothing else.
IMPORTS = (
    "from rich.console import Console\n"
    "from kerashw import training\n"
    "from kerashw.train.progress import RunDisplay\n"
    "print('imported')"
)


def measure(setup):
    """Compare the whole command, and loading the data, with the usual ways."""
    setup.progress("loading MNIST")
    yield from compare_loading(setup.data_dir)
    yield from compare_commands(setup)


def compare_commands(setup, rounds=ROUNDS):
    """Time the command that trains softmax regression for an epoch, and what peers would type.

    Args:
        setup: `kerashw.benchmark.result_table.Setup`.
        rounds: Integer.

    Yields:
        `Comparison`, one a peer that is installed, and a `Table`: seconds, the share of importing.
        The peers' processes only load, train and test; ours draws, reports and exports as well.
    """
    peers = training.peers(training.KERAS | {"PyTorch": training.PYTORCH["PyTorch"]})
    seconds = {"kerashw": [], "importing": []} | {name: [] for name in peers}
    for number in range(1, rounds + 1):
        for name, times in seconds.items():
            setup.progress(f"the whole command, round {number} of {rounds}, {name}")
            with tempfile.TemporaryDirectory() as folder:
                times.append(_seconds_to_last_line(_command(name, peers, folder, setup.data_dir)))
    for name in peers:
        quality = "the peer leaves no files"
        ours = seconds["kerashw"]
        yield Comparison("softmax, 1 epoch, as typed", name, ours, seconds[name], quality)
    whole, importing = seconds["kerashw"], seconds["importing"]
    share = statistics.median(importing) / statistics.median(whole)
    rows = [
        ("to the last line", whole, None),
        ("of which importing", importing, share),
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
    options = training.options("softmax", data_dir) | {"rounds": 1}
    return [sys.executable, "-m", *peers[name].split(), json.dumps(options)]


def _seconds_to_last_line(command):
    """Run a command, a waiting one with as many empty lines as it asks for.

    Ending a process that has TensorFlow takes half a second more, when all has been said.
    """
    begun = last = time.perf_counter()
    unbuffered = os.environ | {"PYTHONUNBUFFERED": "1"}
    with started(command, stdin=subprocess.PIPE, env=unbuffered) as process:
        process.process.stdin.write("\n" * 9)
        process.process.stdin.flush()
        for _ in process.process.stdout:
            last = time.perf_counter()
        if process.process.wait():
            raise BenchmarkError(f"{shlex.join(command)} failed: {process.last_words()}")
    return last - begun


def compare_loading(data_dir=None, rounds=3):
    """Time the loading of the prepared MNIST into memory, ours and tensorflow-datasets' way.

    Args:
        data_dir: As in `kerashw.datasets.mnist.load`.
        rounds: Integer, how often each is timed.

    Yields:
        `Comparison`.
    """
    import tensorflow_datasets as tfds

    loaded = {}

    def ours(turn):
        for _ in range(rounds + 1):
            with turn():
                loaded["ours"] = mnist.load(data_dir=data_dir)

    def theirs(turn):
        for _ in range(rounds + 1):
            with turn():
                loaded["theirs"] = tfds.as_numpy(
                    tfds.load("mnist", data_dir=data_dir, download=False, batch_size=-1)
                )

    mnist.load(data_dir=data_dir)  # prepares it, where that is still to do
    seconds = take_turns(ours, theirs)
    same = np.array_equal(loaded["ours"].train_labels, loaded["theirs"]["train"]["label"])
    quality = "the same examples" if same else "NOT the same examples"
    yield Comparison("MNIST into memory", "tfds.load", *seconds, quality)

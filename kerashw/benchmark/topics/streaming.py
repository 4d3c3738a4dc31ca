"""Training on images that stay on disk: its time beside images in memory, its order, its memory."""

import dataclasses
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from kerashw.benchmark.result_table import Table
from kerashw.benchmark.subprocesses import start_process
from kerashw.datasets import mnist
from kerashw.datasets.epoch_order import epoch_order, window_length
from kerashw.datasets.stored_array import Pieces, read_stored, write_npz
from kerashw.datasets.streamed_batches import image_batches
from kerashw.errors import BenchmarkError
from kerashw.files import atomic_write
from kerashw.fitting import fit
from kerashw.model_names import TITLES
from kerashw.models import compiled_model

EXAMPLES = 200_000  # more than a window of the order
ROUNDS = {"softmax": 5, "mlp": 3, "convnet": 3}
BATCH_SIZE = 128
ORDER_EXAMPLES = 2_000_000
CHUNK = 2**16
GIB = 2**30
# The data set of the memory curve, the most memory of its process, and `--memory`.
SIZE, LIMIT, MEMORY = 20 * GIB, 3 * GIB, "1G"
SAMPLING = 0.5  # seconds


def measure(setup):
    """Compare epochs and orders, and train on a data set larger than the memory of the process.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`. With `figures`, the memory curve is drawn.

    Yields:
        Three `Table`s.
    """
    data = mnist.load(data_dir=setup.data_dir)
    with tempfile.TemporaryDirectory(prefix="kerashw-", dir=setup.data_dir) as folder:
        path = Path(folder) / "images.npz"
        write_images(path, data, EXAMPLES)
        yield _times(path, setup.progress)
        yield _orders()
        setup.progress("writing the data set")
        write_images(path, data, SIZE // data.train_images[0].nbytes)
        yield _memory(path, folder, setup)


def write_images(path, data, examples):
    """Write a data set of shifted digits, of which a chunk at a time is in memory.

    Args:
        path: `Path` of the .npz file.
        data: `kerashw.datasets.image_dataset.ImageDataset`, from which digits are drawn.
        examples: Integer, the number of training images.
    """
    labels = []

    def chunks():
        random = np.random.default_rng(0)
        for start in range(0, examples, CHUNK):
            rows = random.integers(len(data.train_images), size=min(CHUNK, examples - start))
            labels.append(data.train_labels[rows])
            shift = random.integers(-2, 3, size=2)
            yield np.roll(data.train_images[rows], shift, axis=(1, 2))

    def members():
        shape = data.train_images.shape[1:]
        yield "x_train", Pieces((examples, *shape), "|u1", chunks())
        yield "y_train", Pieces((examples,), "<i8", labels)
        test = data.test_images, data.test_labels
        for name, array in zip(("x_test", "y_test"), test, strict=True):
            yield name, Pieces(array.shape, array.dtype.str, [array])

    write_npz(path, members())


def _times(path, progress):
    stored = read_stored(path)
    labels = stored["y_train"][np.arange(EXAMPLES)]
    rows = []
    for model, rounds in ROUNDS.items():
        seconds = {}
        for number in range(rounds):
            for place in ("memory", "disk"):
                progress(f"{TITLES[model]}, {place}, round {number + 1} of {rounds}")
                images = stored["x_train"]
                images = images[np.arange(EXAMPLES)] if place == "memory" else images
                seconds.setdefault(place, []).append(_epoch_seconds(model, images, labels))
        ratios = np.divide(seconds["disk"], seconds["memory"])
        medians = np.median(seconds["memory"]), np.median(seconds["disk"]), np.median(ratios)
        rows.append([TITLES[model], *medians, ratios.min(), ratios.max()])
    headings = ["model", "in memory\nseconds", "on disk\nseconds", "ratio", "smallest", "largest"]
    title = f"Time of an epoch of {EXAMPLES:,} images"
    return Table(title, headings, rows, ("{}", *["{:.2f}"] * 5))


def _epoch_seconds(name, images, labels):
    """Train two epochs, and return the seconds of the second. The first traces the graph."""
    model = compiled_model(name, 0, (28, 28, 1), 10)
    timer = _EpochTimer()
    batches = image_batches(images, labels, BATCH_SIZE, seed=0)
    fit(model, batches, epochs=2, verbose=0, callbacks=[timer])
    return timer.seconds


class _EpochTimer(keras.callbacks.Callback):
    """Measures the seconds of the last epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.started


def _orders():
    """Compare the order of large data sets with a complete shuffle."""
    example_bytes = 28 * 28
    orders = {
        "complete shuffle": [epoch_order(ORDER_EXAMPLES, 0, epoch) for epoch in (0, 1)],
        "block shuffle": [epoch_order(ORDER_EXAMPLES, 0, epoch, example_bytes) for epoch in (0, 1)],
    }
    rows = [[name, *order_statistics(*found)] for name, found in orders.items()]
    headings = [
        "order",
        "mean displacement\n/ examples",
        "rank correlation\nwith the file",
        "with the\nnext epoch",
        "spread of a class\nin sorted files",
    ]
    title = (
        f"Order of {ORDER_EXAMPLES:,} images of 28×28, windows of {window_length(example_bytes):,}"
    )
    return Table(title, headings, rows, ("{}", "{:.3f}", "{:+.4f}", "{:+.4f}", "{:.3f}"))


def order_statistics(order, following):
    """Measure how well an order is shuffled.

    Args:
        order: Integer array (N,), the order of an epoch.
        following: Integer array (N,), that of the next epoch.

    Returns:
        Four floats: the mean distance between the places of an example in the file and in the
        epoch, divided by N; the rank correlation of these places; that of the places in both
        epochs; and, for a file sorted by ten equal classes, the standard deviation of the number of
        examples of a class in a batch of 128, divided by that of independent draws.

    Example:
        >>> statistics = order_statistics(np.arange(1000), np.arange(1000)[::-1])
        >>> [round(float(value), 2) for value in statistics]
        [0.0, 1.0, -1.0, 8.25]
    """
    n = len(order)
    places, next_places = np.argsort(order), np.argsort(following)
    batches = (10 * order[: n // BATCH_SIZE * BATCH_SIZE].astype(np.int64) // n).reshape(
        -1, BATCH_SIZE
    )
    counts = np.stack([(batches == number).sum(axis=1) for number in range(10)])
    spread = np.sqrt(np.mean((counts - BATCH_SIZE / 10) ** 2) / (BATCH_SIZE * 0.1 * 0.9))
    return (
        np.mean(abs(places - np.arange(n))) / n,
        np.corrcoef(places, np.arange(n))[0, 1],
        np.corrcoef(places, next_places)[0, 1],
        spread,
    )


@dataclasses.dataclass
class _Curve:
    seconds: list
    sizes: list


def _memory(path, folder, setup):
    command = [sys.executable, "-m", "kerashw.train", "--dataset", str(path), "--model", "softmax"]
    command += ["--epochs", "2", "--memory", MEMORY, "--output", f"{folder}/run"]
    setup.progress(f"training on {SIZE / GIB:.0f} GiB")
    curve = run_with_limit(command, LIMIT)
    if setup.figures:
        from kerashw.plots.memory_curve import memory_curve

        figure = memory_curve(curve.seconds, curve.sizes, LIMIT, SIZE)
        with atomic_write(setup.figures / "streaming.png") as picture:
            figure.savefig(picture, dpi="figure")
    largest, last = max(curve.sizes) / GIB, curve.seconds[-1]
    title = f"Two epochs of softmax regression on {SIZE / GIB:.0f} GiB, limit {LIMIT / GIB:.0f} GiB"
    headings = ["largest memory\nGiB", "seconds"]
    return Table(title, headings, [[largest, last]], ("{:.2f}", "{:.0f}"))


def run_with_limit(command, limit):
    """Run a command that may not use more memory than a limit, and sample what it uses.

    The limit is that of `ulimit -d`: all memory but that of files.

    Args:
        command: List of strings.
        limit: Integer, in bytes.

    Returns:
        Object with the lists `seconds` and `sizes`: times, and the resident memory in bytes.

    Raises:
        BenchmarkError: If the command fails.
    """
    curve, started = _Curve([], []), time.perf_counter()

    def restrict():
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    with start_process(command, preexec_fn=restrict) as process:
        while process.poll() is None:
            if size := _resident_memory(process.pid):  # 0 when it ends
                curve.seconds.append(time.perf_counter() - started)
                curve.sizes.append(size)
            try:
                process.communicate(timeout=SAMPLING)
            except subprocess.TimeoutExpired:
                continue
        if process.returncode:
            raise BenchmarkError(f"{command} failed: {process.last_error_line()}")
    return curve


def _resident_memory(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

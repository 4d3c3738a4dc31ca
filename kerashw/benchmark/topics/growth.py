"""The time of an epoch by the number of examples, and by the batch size."""

import dataclasses
import statistics
import time

import keras

from kerashw.benchmark.result_table import Table
from kerashw.datasets import mnist
from kerashw.datasets.pipeline import Batches
from kerashw.files import atomic_write
from kerashw.fitting import fit
from kerashw.model_names import TITLES
from kerashw.models import TEST_BATCH_SIZE, compiled_model

EXAMPLES = (15_000, 30_000, 60_000)
BATCH_SIZES = (32, 64, 128, 256, 512, 1024)
BATCH_SIZE = 128
ROUNDS = {"softmax": 7, "mlp": 3, "convnet": 1}


@dataclasses.dataclass(frozen=True)
class Growth:
    """The times of a model's epochs, training and test, by size.

    Args:
        model: "softmax", "mlp" or "convnet".
        by_examples: Dict, number of training examples → list of seconds, one per round, with
            batches of 128.
        by_batch_size: Dict, batch size → list of seconds, one per round, with all training
            examples.
    """

    model: str
    by_examples: dict
    by_batch_size: dict


def measure(setup):
    """Time the epochs of each model at all sizes, and draw them if `setup.figures` is set.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.

    Yields:
        Two `Table`s.
    """
    data = mnist.load(data_dir=setup.data_dir)
    growths = [measure_growth(model, data, n, setup.progress) for model, n in ROUNDS.items()]
    yield from tables(growths)
    if setup.figures:
        from kerashw.plots.epoch_times import epoch_times

        with atomic_write(setup.figures / "growth.png") as path:
            epoch_times(growths).savefig(path, dpi="figure")


def measure_growth(model, data, rounds, progress, examples=EXAMPLES, batch_sizes=BATCH_SIZES):
    """Time the epochs of one model at all sizes.

    Args:
        model: "softmax", "mlp" or "convnet".
        data: `kerashw.datasets.image_dataset.ImageDataset`.
        rounds: Integer, the number of epochs of each size.
        progress: Function of a string that describes the current step.
        examples: Tuple of rising integers, numbers of training examples.
        batch_sizes: Tuple of rising integers, including 128; used with the most examples.

    Returns:
        `Growth`.
    """
    by_examples = [(number, BATCH_SIZE) for number in examples]
    by_batch_size = [(examples[-1], batch_size) for batch_size in batch_sizes]
    sizes = list(dict.fromkeys(by_examples + by_batch_size))
    seconds = {size: [] for size in sizes}
    for number in range(1, rounds + 1):
        for size, times in seconds.items():
            progress(f"{TITLES[model]}, round {number} of {rounds}, {size[0]:,} in {size[1]}s")
            times.append(_epoch_seconds(model, data, *size))
    return Growth(
        model,
        {size[0]: seconds[size] for size in by_examples},
        {size[1]: seconds[size] for size in by_batch_size},
    )


def tables(growths):
    """Return two tables of the models' epochs: by number of examples and by batch size.

    Args:
        growths: List of `Growth`.

    Returns:
        Pair of `Table`s.
    """
    return (
        _table(
            "Time of an epoch by number of training examples",
            ("examples", "ratio to\nline above"),
            {TITLES[one.model]: one.by_examples for one in growths},
            lambda sizes, i: sizes[max(i - 1, 0)],
        ),
        _table(
            "Time of an epoch by batch size",
            ("batch size", f"ratio to\nthat at {BATCH_SIZE}"),
            {TITLES[one.model]: one.by_batch_size for one in growths},
            lambda sizes, i: BATCH_SIZE,
        ),
    )


def _table(title, headings, columns, reference_size):
    """Return a table of each model's seconds by size, and their ratio to a reference size."""
    sizes = list(next(iter(columns.values())))
    rows = []
    for i, size in enumerate(sizes):
        reference = reference_size(sizes, i)
        cells = [
            cell
            for seconds in columns.values()
            for cell in (
                seconds[size],
                statistics.median(seconds[size]) / statistics.median(seconds[reference]),
            )
        ]
        rows.append((size, *cells))
    size_heading, ratio_heading = headings
    model_headings = [
        heading for name in columns for heading in (f"{name}\nseconds", ratio_heading)
    ]
    formats = ("{:,}", *["{:.2f}"] * len(model_headings))
    return Table(title, (size_heading, *model_headings), rows, formats)


def _epoch_seconds(model, data, examples, batch_size):
    """Train two epochs, and return the seconds of the second. The first traces the graph."""
    subset = data.first(examples)
    compiled = compiled_model(model, 0, (28, 28, 1), len(data.classes))
    train = Batches(subset.train_images, subset.train_labels, batch_size, seed=0)
    test = Batches(data.test_images, data.test_labels, TEST_BATCH_SIZE)
    timer = _EpochTimer()
    fit(compiled, train, epochs=2, verbose=0, callbacks=[timer], validation_data=test)
    return timer.seconds


class _EpochTimer(keras.callbacks.Callback):
    """Measures the seconds of the last epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.started

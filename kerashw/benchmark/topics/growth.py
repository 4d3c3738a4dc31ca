"""How an epoch's cost grows with the number of examples, and with the batch size."""

import dataclasses
import statistics
import time

import keras

from kerashw.benchmark.result_table import Table
from kerashw.datasets import mnist
from kerashw.datasets.pipeline import Batches
from kerashw.files import written_whole
from kerashw.fitting import fit
from kerashw.models import TEST_BATCH_SIZE, TITLES, compiled_model

EXAMPLES = (15_000, 30_000, 60_000)
BATCH_SIZES = (32, 64, 128, 256, 512, 1024)
BATCH_SIZE = 128
ROUNDS = {"softmax": 7, "mlp": 3, "convnet": 1}


@dataclasses.dataclass(frozen=True)
class Growth:
    """A model's epochs, training and test, by their size.

    Args:
        model: "softmax", "mlp" or "convnet".
        by_examples: Dict, number of training examples → list of seconds, one a round, at
            batches of 128.
        by_batch_size: Dict, batch size → the same, with all training examples.
    """

    model: str
    by_examples: dict
    by_batch_size: dict


def measure(setup):
    """Time ours at every size, size by size in each round; draw it where that is asked for."""
    data = mnist.load(data_dir=setup.data_dir)
    grown = [grow(model, data, rounds, setup.progress) for model, rounds in ROUNDS.items()]
    yield from tables(grown)
    if setup.figures:
        from kerashw.plots.epoch_time_growth import growth_figure

        with written_whole(setup.figures / "growth.png") as aside:
            growth_figure(grown).savefig(aside, dpi="figure")


def grow(model, data, rounds, progress, examples=EXAMPLES, batch_sizes=BATCH_SIZES):
    """Time a model's epochs at every size.

    Args:
        model: "softmax", "mlp" or "convnet".
        data: `kerashw.datasets.mnist.ImageDataset`.
        rounds: Integer, the epochs of each size.
        progress: Function that takes a string.
        examples: Rising integers, numbers of training examples.
        batch_sizes: Rising integers, 128 among them; with the most examples.

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


def tables(grown):
    """Return both tables of the models' growth: by examples and by batch size.

    Args:
        grown: List of `Growth`.

    Returns:
        Pair of `Table`s.
    """
    return (
        _table(
            "An epoch by the number of training examples",
            ("examples", "times the\nline above"),
            {TITLES[one.model]: one.by_examples for one in grown},
            lambda sizes, i: sizes[max(i - 1, 0)],
        ),
        _table(
            "An epoch by the batch size",
            ("batch size", f"share of\nthat at {BATCH_SIZE}"),
            {TITLES[one.model]: one.by_batch_size for one in grown},
            lambda sizes, i: BATCH_SIZE,
        ),
    )


def _table(title, headings, columns, compared_with):
    """Return each model's seconds by size, and their share of those at another size."""
    sizes = list(next(iter(columns.values())))
    rows = []
    for i, size in enumerate(sizes):
        base = compared_with(sizes, i)
        cells = [
            cell
            for seconds in columns.values()
            for cell in (
                seconds[size],
                statistics.median(seconds[size]) / statistics.median(seconds[base]),
            )
        ]
        rows.append((size, *cells))
    first, share = headings
    named = [heading for name in columns for heading in (f"{name}\nseconds", share)]
    return Table(title, (first, *named), rows, ("{:,}", *["{:.2f}"] * len(named)))


def _epoch_seconds(model, data, examples, batch_size):
    """Train two epochs; the first finds the graph's layout, the second is timed."""
    few = data.first(examples)
    ours = compiled_model(model, 0, (28, 28, 1), len(data.classes))
    train = Batches(few.train_images, few.train_labels, batch_size, seed=0)
    test = Batches(data.test_images, data.test_labels, TEST_BATCH_SIZE)
    clock = _Clock()
    fit(ours, train, test, epochs=2, callbacks=[clock], verbose=0)
    return clock.seconds


class _Clock(keras.callbacks.Callback):
    """Knows how long the last epoch took."""

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.started

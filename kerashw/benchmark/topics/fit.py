"""Epochs of ten models of other people's kind, by `kerashw.fitting.fit` and by `Model.fit`.

Both train the same Keras model with Keras' layers and optimizer, in alternating rounds in this
process, at two batch sizes, on shuffled NumPy arrays and on a shuffled `tf.data.Dataset`.

Two more columns compare epochs of `kerashw.fitting.fit` with `kerashw.optimizers.Adam`, for all
models. One is beside `fit` with the update of Keras' Adam. The other is beside eager PyTorch with
its Adam, on the same data (`pytorch_examples.py`): kerashw and PyTorch each train all models in a
process of their own, in alternating rounds.
"""

import contextlib
import itertools
import logging
import statistics
import tempfile
from pathlib import Path

import keras
import numpy as np

from kerashw.benchmark.alternating_timing import Comparison, time_alternately
from kerashw.benchmark.example_models import EXAMPLE_MODELS, random_data
from kerashw.benchmark.peers.keras_examples import EPOCHS, epochs
from kerashw.benchmark.process_rounds import run_rounds
from kerashw.benchmark.result_table import Table
from kerashw.benchmark.topics import training
from kerashw.errors import BenchmarkError
from kerashw.fitting import fit
from kerashw.optimizers import Adam

BATCH_SIZES = (32, 256)
ROUNDS = 7
# The name in the tables → the worker process, as in `run_rounds`.
WORKERS = {
    "kerashw": "kerashw.benchmark.peers.keras_examples",
    "PyTorch": "kerashw.benchmark.peers.pytorch_examples",
}


class KerasAdam(keras.optimizers.Adam):
    """Keras' Adam with Keras' update: `fit` replaces that of `keras.optimizers.Adam` itself."""


def measure(setup, models=EXAMPLE_MODELS, batch_sizes=BATCH_SIZES, rounds=ROUNDS):
    """Compare the epochs of each model.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.
        models: Dict, name → function that builds a model, and the number of examples.
        batch_sizes: Tuple of integers.
        rounds: Integer, the number of calls of each that are timed.

    Yields:
        `Comparison`s, a `Table` of their ratios, and a remark if PyTorch is left out.
    """
    rows = []
    for name, (build, examples) in models.items():
        for size in batch_sizes:
            job = f"{name}, {size}"
            setup.progress(job)
            with _without_warnings():
                arrays, dataset, adam = _compare_all(job, build, examples, size, rounds)
            yield from (arrays, dataset, adam)
            rows.append((name, size, arrays.ratio, dataset.ratio, adam.ratio))
            keras.backend.clear_session()
    results = list(_compare_with_pytorch(setup, models, batch_sizes, rounds))
    yield from results
    pytorch = [one.ratio for one in results if isinstance(one, Comparison)]
    yield _table(rows, pytorch or [None] * len(rows))


def _table(rows, pytorch):
    """Return the table of the ratios, given its rows up to the last column, and that column."""
    rows = [(*row, ratio) for row, ratio in zip(rows, pytorch, strict=True)]
    _, _, arrays, datasets, keras_adam, _ = zip(*rows, strict=True)
    for title, summary in (("median", statistics.median), ("largest", max)):
        last = None if None in pytorch else summary(pytorch)
        rows.append((title, None, summary(arrays + datasets), None, summary(keras_adam), last))
    headings = ("model", "batch\nsize", "arrays", "tf.data", "Keras'\nAdam", "PyTorch's\nAdam")
    title = (
        "Epochs of kerashw / those of Keras' fit, with arrays and tf.data together in the last "
        "lines; / those with Keras' Adam; / those of PyTorch with its Adam"
    )
    return Table(title, headings, rows, ("{}", "{}", "{:.2f}", "{:.2f}", "{:.2f}", "{:.2f}"))


@contextlib.contextmanager
def _without_warnings():
    """Let `fit` not warn of Keras' optimizers, which are compared here."""
    log = logging.getLogger("kerashw.fitting.optimizer_steps")
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = False


def _compare_all(job, build, examples, size, rounds):
    """Return the comparisons of `fit` on arrays and on a dataset, and of Adam."""
    for kind in ("arrays", "tf.data"):
        yield _compare(
            (f"{job}, {kind}", "Model.fit"),
            epochs(build, examples, size, kind, fit),
            epochs(build, examples, size, kind, keras.Model.fit),
            rounds,
        )
    yield _compare(
        (f"{job}, kerashw's Adam", "Keras' Adam"),
        epochs(build, examples, size, "arrays", fit, Adam),
        epochs(build, examples, size, "arrays", fit, KerasAdam),
        rounds,
    )


def _compare(names, ours, theirs, rounds):
    losses = [], []
    functions = (
        lambda: losses[0].append(ours()),
        lambda: losses[1].append(theirs()),
    )
    seconds = [[one / EPOCHS for one in times] for times in time_alternately(*functions, rounds)]
    quality = "loss {:.3f}, {:.3f}".format(*(each[-1] for each in losses))
    return Comparison(*names, *seconds, quality)


def _compare_with_pytorch(setup, models, batch_sizes, rounds):
    """Yield a comparison for each model and batch size; without PyTorch, only a remark."""
    if "PyTorch" not in training.installed_peers(WORKERS):
        yield training.NO_PYTORCH
        return
    jobs = list(itertools.product(models, batch_sizes))
    rounds_each = rounds + 1  # one of warm-up
    options = {
        "examples": {name: examples for name, (_, examples) in models.items()},
        "batch_sizes": batch_sizes,
        "rounds_each": rounds_each,
        "epochs": EPOCHS,
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, (build, examples) in models.items():
            x, y = random_data(build(), examples)
            np.savez(Path(folder, f"{name}.npz"), *keras.tree.flatten(x), y)
        results = run_rounds(
            WORKERS, options | {"folder": folder}, len(jobs) * rounds_each, setup.progress
        )
    ours, theirs = (results[name] for name in WORKERS)
    if ours.failure:
        raise BenchmarkError(f"kerashw failed: {ours.failure}")
    if theirs.failure:
        yield f"PyTorch failed and is left out: {theirs.failure}"
        return
    for number, (name, size) in enumerate(jobs):
        timed = slice(number * rounds_each + 1, (number + 1) * rounds_each)
        reports = [result.rounds[timed] for result in (ours, theirs)]
        seconds = [[one["seconds"] / EPOCHS for one in each] for each in reports]
        names = (f"{name}, {size}, kerashw's Adam", "PyTorch's Adam")
        quality = "loss {:.3f}, {:.3f}".format(*(each[-1]["loss"] for each in reports))
        yield Comparison(*names, *seconds, quality)

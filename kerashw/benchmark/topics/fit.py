"""Epochs of ten models of other people's kind, by `kerashw.fitting.fit` and by `Model.fit`.

Both train the same Keras model with Keras' layers and optimizer, in alternating rounds in this
process, at two batch sizes, on shuffled NumPy arrays and on a shuffled `tf.data.Dataset`. A second
table compares the optimizers alone: `kerashw.optimizers.Adam` and the update of Keras' own, both in
`kerashw.fitting.fit`.
"""

import contextlib
import logging
import statistics

import keras
import tensorflow as tf

from kerashw.benchmark.alternating_timing import Comparison, time_alternately
from kerashw.benchmark.example_models import EXAMPLE_MODELS, random_data
from kerashw.benchmark.result_table import Table
from kerashw.fitting import fit
from kerashw.optimizers import Adam

BATCH_SIZES = (32, 256)
ROUNDS = 7
EPOCHS = 3  # of each round, in one call


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
        `Comparison`s, and two `Table`s of their ratios.
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
    fits = [ratio for row in rows for ratio in row[2:4]]
    adams = [row[4] for row in rows]
    for title, summary in (("median", statistics.median), ("largest", max)):
        rows.append((title, None, summary(fits), None, summary(adams)))
    headings = ("model", "batch\nsize", "arrays", "tf.data", "Adam")
    title = (
        "Epochs of kerashw / Keras: fit, arrays and tf.data together in the last lines, and Adam"
    )
    yield Table(title, headings, rows, ("{}", "{}", "{:.2f}", "{:.2f}", "{:.2f}"))


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
            _epochs(build, examples, size, kind, fit),
            _epochs(build, examples, size, kind, keras.Model.fit),
            rounds,
        )
    yield _compare(
        (f"{job}, kerashw's Adam", "Keras' Adam"),
        _epochs(build, examples, size, "arrays", fit, Adam),
        _epochs(build, examples, size, "arrays", fit, KerasAdam),
        rounds,
    )


def _epochs(build, examples, batch_size, kind, train, optimizer=None):
    """Return a function that trains a new model for `EPOCHS` more, and returns the last loss."""
    keras.utils.set_random_seed(0)
    model = build()
    if optimizer:
        model.compile(optimizer(), model.loss)
    x, y = random_data(model, examples)
    arguments = {"x": x, "y": y, "batch_size": batch_size}
    if kind == "tf.data":
        dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(examples).batch(batch_size)
        arguments = {"x": dataset.prefetch(tf.data.AUTOTUNE), "shuffle": False}
    arguments |= {"epochs": EPOCHS, "verbose": 0}
    return lambda: train(model, **arguments).history["loss"][-1]


def _compare(names, ours, theirs, rounds):
    losses = [], []
    functions = (
        lambda: losses[0].append(ours()),
        lambda: losses[1].append(theirs()),
    )
    seconds = [[one / EPOCHS for one in times] for times in time_alternately(*functions, rounds)]
    quality = "loss {:.3f}, {:.3f}".format(*(each[-1] for each in losses))
    return Comparison(*names, *seconds, quality)

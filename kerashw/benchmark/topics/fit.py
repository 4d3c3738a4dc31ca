"""Epochs of ten models of other people's kind, by `kerashw.fitting.fit` and by `Model.fit`.

Both train the same Keras model with Keras' layers and optimizer, in alternating rounds in this
process, at two batch sizes, on shuffled NumPy arrays and on a shuffled `tf.data.Dataset`.
"""

import statistics

import keras
import tensorflow as tf

from kerashw.benchmark.alternating_timing import Comparison, time_alternately
from kerashw.benchmark.example_models import EXAMPLE_MODELS, random_data
from kerashw.benchmark.result_table import Table
from kerashw.fitting import fit

BATCH_SIZES = (32, 256)
ROUNDS = 7
EPOCHS = 3  # of each round, in one call


def measure(setup, models=EXAMPLE_MODELS, batch_sizes=BATCH_SIZES, rounds=ROUNDS):
    """Compare the epochs of each model.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.
        models: Dict, name → function that builds a model, and the number of examples.
        batch_sizes: Tuple of integers.
        rounds: Integer, the number of calls of each that are timed.

    Yields:
        `Comparison`s, and a `Table` of their ratios.
    """
    rows = []
    for name, (build, examples) in models.items():
        for size in batch_sizes:
            found = []
            for data in ("arrays", "tf.data"):
                setup.progress(f"{name}, batches of {size}, {data}")
                found.append(_compare(f"{name}, {size}, {data}", build, examples, size, rounds))
            yield from found
            rows.append((name, size, *(one.ratio for one in found)))
            keras.backend.clear_session()
    ratios = [ratio for row in rows for ratio in row[2:]]
    rows.append(("median of all", None, statistics.median(ratios), None))
    rows.append(("largest", None, max(ratios), None))
    headings = ("model", "batch\nsize", "arrays", "tf.data")
    title = "Epochs of kerashw.fitting.fit / Model.fit"
    yield Table(title, headings, rows, ("{}", "{}", "{:.2f}", "{:.2f}"))


def _compare(job, build, examples, batch_size, rounds):
    losses = [], []

    def epochs(train, kept):
        model = _seeded(build)
        x, y = random_data(model, examples)
        arguments = {"x": x, "y": y, "batch_size": batch_size}
        if job.endswith("tf.data"):
            dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(examples)
            dataset = dataset.batch(batch_size).prefetch(tf.data.AUTOTUNE)
            arguments = {"x": dataset, "shuffle": False}

        def run():
            history = train(model, **arguments, epochs=EPOCHS, verbose=0).history
            kept.append(history["loss"][-1])

        return run

    trains = (fit, keras.Model.fit)
    seconds = time_alternately(*map(epochs, trains, losses), rounds)
    times = [[second / EPOCHS for second in one] for one in seconds]
    quality = "loss {:.3f}, {:.3f}".format(*(kept[-1] for kept in losses))
    return Comparison(job, "Model.fit", *times, quality)


def _seeded(build):
    keras.utils.set_random_seed(0)
    return build()

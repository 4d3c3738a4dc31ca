"""Training of the example models with Keras' layers, and with kerashw's `fit` and Adam as a worker.

    python -m kerashw.benchmark.peers.keras_examples OPTIONS

is a worker process of `kerashw.benchmark.process_rounds.run_rounds`, beside `pytorch_examples.py`.
"""

import itertools

import keras
import tensorflow as tf

from kerashw.benchmark.example_models import EXAMPLE_MODELS, random_data
from kerashw.benchmark.process_rounds import run_worker
from kerashw.fitting import fit
from kerashw.optimizers import Adam

EPOCHS = 3  # of each round, in one call


def epochs(build, examples, batch_size, kind, train, optimizer=None):
    """Build a model and its data.

    Args:
        build: Function without arguments, from `EXAMPLE_MODELS`.
        examples: Integer, the number of examples in an epoch.
        batch_size: Integer.
        kind: "arrays", or "tf.data" for a shuffled dataset.
        train: `kerashw.fitting.fit` or `keras.Model.fit`.
        optimizer: Class; `None` for the optimizer that the model is compiled with.

    Returns:
        Function without arguments that trains the model for `EPOCHS` more, and returns the last
        loss.
    """
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


def train(timed_round, options):
    """Train models with kerashw's `fit` and Adam, one after the other.

    Args:
        timed_round: Function that returns a context manager, from
            `kerashw.benchmark.process_rounds.run_worker`.
        options: Dict of `examples`, a dict of the names of models and their numbers of examples;
            `batch_sizes`, for each model; and `rounds_each`.
    """
    for name, batch_size in itertools.product(options["examples"], options["batch_sizes"]):
        build, _ = EXAMPLE_MODELS[name]
        train_more = epochs(build, options["examples"][name], batch_size, "arrays", fit, Adam)
        for _ in range(options["rounds_each"]):
            with timed_round() as report:
                report["loss"] = train_more()
        keras.backend.clear_session()


if __name__ == "__main__":
    run_worker(train)

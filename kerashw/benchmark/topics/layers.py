"""Epochs of other people's models with the layers of kerashw in place of Keras' own.

The models are those of `example_models.py`, with Keras' weights, optimizer and loss, trained by
`kerashw.fitting.fit` in alternating rounds.
"""

from functools import partial

import keras

from kerashw import layers
from kerashw.benchmark.alternating_timing import Comparison, time_alternately
from kerashw.benchmark.example_models import EXAMPLE_MODELS
from kerashw.benchmark.peers.keras_examples import EPOCHS, epochs
from kerashw.fitting import fit

ROUNDS = 7
BATCH_SIZE = 128
# Each has convolutions with a bias, or large dense layers and dropout.
MODELS = ("CNN", "MLP with dropout")
REPLACEMENTS = {
    getattr(keras.layers, own.__name__): own
    for own in (layers.Conv2D, layers.Dense, layers.Dropout)
}


def measure(setup, models=MODELS, rounds=ROUNDS):
    """Compare the epochs of each model.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.
        models: Collection of names from `EXAMPLE_MODELS`.
        rounds: Integer, the number of calls of each that are timed.

    Yields:
        `Comparison`s.
    """
    for name in models:
        setup.progress(name)
        build, examples = EXAMPLE_MODELS[name]
        ours, theirs = (
            epochs(each, examples, BATCH_SIZE, "arrays", fit)
            for each in (partial(with_faster_layers, build), build)
        )
        seconds = time_alternately(ours, theirs, rounds)
        yield Comparison(
            f"epoch of {name}, kerashw's layers",
            "Keras' layers",
            *([one / EPOCHS for one in times] for times in seconds),
            f"loss {ours():.3f}, {theirs():.3f}",
        )


def with_faster_layers(build):
    """Return a model with kerashw's layers in place of Keras' own.

    Args:
        build: Function without arguments that returns a compiled `keras.Model`.

    Returns:
        Compiled `keras.Model` with the same weights.
    """
    model = build()
    copy = keras.models.clone_model(model, clone_function=_clone)
    copy.set_weights(model.get_weights())
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    copy.compile(optimizer, model.loss, metrics=["accuracy"])
    return copy


def _clone(layer):
    return REPLACEMENTS.get(type(layer), type(layer)).from_config(layer.get_config())

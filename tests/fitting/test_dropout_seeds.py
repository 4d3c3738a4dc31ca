"""Dropout depends on the seed and the epoch alone, so an interrupted training can resume."""

import keras
import numpy as np

from kerashw.fitting import ReseedDropout, fit
from kerashw.models import mlp
from tests.conftest import compiled
from tests.fitting.mnist_batches import mnist_batches


def test_a_resumed_training_equals_an_uninterrupted_one(data):
    train, test = mnist_batches(data, train=200, test=100)
    whole = compiled(mlp())
    resumed = compiled(keras.models.clone_model(whole))
    resumed.set_weights(whole.get_weights())
    callbacks = [ReseedDropout(seed=5)]
    settings = {"callbacks": callbacks, "verbose": 0, "validation_data": test}
    expected = fit(whole, train, epochs=3, **settings).history["loss"]
    losses = fit(resumed, train, epochs=1, **settings).history["loss"]
    rest = fit(resumed, train, epochs=3, initial_epoch=1, **settings)
    np.testing.assert_allclose(losses + rest.history["loss"], expected, rtol=1e-6)
    for weight, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-6)


def test_dropout_differs_between_epochs_and_seeds():
    model, x = mlp(), np.ones((1, 28, 28, 1), "float32")

    def outputs(seed, epoch):
        callback = ReseedDropout(seed)
        callback.set_model(model)
        callback.on_epoch_begin(epoch)
        return model(x, training=True).numpy().tobytes()

    assert outputs(0, 0) == outputs(0, 0)
    assert len({outputs(0, 0), outputs(0, 1), outputs(1, 0)}) == 3


def test_two_dropout_layers_have_different_seeds():
    model = mlp()
    callback = ReseedDropout(0)
    callback.set_model(model)
    callback.on_epoch_begin(0)
    states = {v.path: v.numpy().tolist() for v in model.non_trainable_variables}
    assert len(states) == 2
    assert len({tuple(state) for state in states.values()}) == 2

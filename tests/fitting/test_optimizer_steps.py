"""Keras' optimizers in fused steps: the same numbers, Adam by one kernel, and a warning."""

import keras
import numpy as np
import pytest

import kerashw.optimizers
from kerashw.fitting import fit, optimizer_steps

RANDOM = np.random.default_rng(0)
WORDS, LABELS = RANDOM.integers(50, size=(96, 12)), RANDOM.integers(2, size=96)


def text_classifier(optimizer):
    keras.utils.set_random_seed(0)
    x = keras.Input((12,), dtype="int32")
    average = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(50, 8)(x))
    model = keras.Model(x, keras.layers.Dense(2, "softmax")(average))
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def trained(model, train=fit, x=WORDS):
    train(model, x, LABELS, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


def assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


@pytest.mark.parametrize(
    ("amsgrad", "scaled"), [(False, True), pytest.param(True, False, marks=pytest.mark.slow)]
)
def test_large_layers_have_the_weights_of_keras(amsgrad, scaled):
    def build():
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Dense(256, "tanh"), keras.layers.Dense(2, "softmax")]
        model = keras.Sequential([keras.Input((256,)), *layers])
        optimizer = keras.optimizers.AdamW(amsgrad=amsgrad)
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer) if scaled else optimizer
        model.compile(optimizer, "sparse_categorical_crossentropy")
        return model

    x = RANDOM.normal(size=(96, 256)).astype("float32")
    model = build()
    found = trained(model, x=x)
    assert not {"apply", "update_step"} & vars(model.optimizer).keys()
    assert_close(found, trained(build(), keras.Model.fit, x))


@pytest.mark.parametrize(
    ("optimizer", "warns"),
    [
        (lambda: keras.optimizers.Adam(), True),
        (lambda: keras.optimizers.SGD(clipnorm=1.0), True),
        (lambda: keras.optimizers.SGD(momentum=0.9), False),
        pytest.param(
            lambda: keras.optimizers.Adam(gradient_accumulation_steps=2),
            False,
            marks=pytest.mark.slow,
        ),
        (lambda: kerashw.optimizers.Adam(), False),
    ],
)
def test_a_warning_says_when_keras_does_not_add_repeated_rows(optimizer, warns, caplog):
    model = text_classifier(optimizer())
    found = trained(model)
    assert_close(found, trained(text_classifier(optimizer()), keras.Model.fit))
    # TensorFlow warns as well, of functions that the whole process has traced often.
    messages = [
        each.getMessage() for each in caplog.records if each.name == optimizer_steps.__name__
    ]
    assert len(messages) == warns
    if warns:
        assert f"with kerashw.optimizers.{type(model.optimizer).__name__}" in messages[0]

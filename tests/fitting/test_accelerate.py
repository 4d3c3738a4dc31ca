"""Models of `accelerate` in libraries that call `model.fit` themselves."""

import keras
import keras_tuner
import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

from kerashw.fitting import accelerate

pytestmark = pytest.mark.slow
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype(int)


@pytest.fixture
def fused_fits(caplog):
    """Returns how many times `fit` ran fused steps."""
    caplog.set_level("INFO", "kerashw.fitting.fit_evaluate_predict")
    return lambda: sum("fused steps" in message for message in caplog.messages)


def network(units=8, classes=2):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(units, "tanh"), keras.layers.Dense(classes, "softmax")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(keras.optimizers.Adam(0.03), "categorical_crossentropy", metrics=["accuracy"])
    return model


def test_scikit_learn_gets_the_scores_of_keras(fused_fits):
    def scores(wrap):
        classifier = keras.wrappers.SKLearnClassifier(
            lambda X, y: wrap(network(classes=y.shape[1]))
        )
        settings = {"epochs": 20, "verbose": 0, "shuffle": False}
        return cross_val_score(classifier, X, Y, cv=3, params=settings)

    expected = scores(lambda model: model)
    assert fused_fits() == 0
    np.testing.assert_array_equal(scores(accelerate), expected)
    assert fused_fits() == 3
    assert expected.mean() > 0.8


@pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:keras_tuner.*")
def test_keras_tuner_finds_what_it_finds_with_keras(fused_fits, tmp_path):
    def scores(name, wrap):
        tuner = keras_tuner.GridSearch(
            lambda settings: wrap(network(settings.Choice("units", [1, 8]))),
            objective="val_accuracy",
            directory=tmp_path,
            project_name=name,
        )
        y = keras.utils.to_categorical(Y)
        settings = {"epochs": 3, "verbose": 0, "shuffle": False}
        tuner.search(X[:80], y[:80], validation_data=(X[80:], y[80:]), **settings)
        return sorted(trial.score for trial in tuner.oracle.trials.values())

    expected = scores("keras", lambda model: model)
    assert fused_fits() == 0
    assert scores("kerashw", accelerate) == expected
    assert fused_fits() == len(expected) == 2

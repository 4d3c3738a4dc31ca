import numpy as np
import pytest

from kerashw.errors import InputError
from kerashw.train.observer import Observer
from kerashw.train.run import run
from kerashw.train.settings import Settings
from kerashw.verify.claims import CLAIMS, TrainedModels

SMALL = {"train_examples": 1000, "test_examples": 300}


class Recorder(Observer):
    """Records the models that are trained, and their seeds."""

    def __init__(self):
        self.trainings = []

    def on_model_begin(self, model, history):
        self.trainings.append((model.name, history["seed"]))
        return []


@pytest.fixture(scope="module")
def trained_models(data):
    return TrainedModels(seeds=2, observer=Recorder(), **SMALL)


@pytest.mark.slow
def test_a_model_is_trained_once_from_each_seed_whichever_claims_need_it(trained_models):
    for number in (10, 11, 12, 13):
        CLAIMS[number].measure(trained_models)
    names = sorted(trained_models.finished)
    trainings = sorted(trained_models.observer.trainings)
    assert trainings == [(name, seed) for name in names for seed in (0, 1)]
    assert len(names) == 3
    histories = trained_models.histories
    assert [len(history["test_accuracy"]) for history in histories("convnet")] == [1, 1]
    assert [len(history["test_accuracy"]) for history in histories("mlp")] == [10, 10]


def test_the_training_is_that_of_the_train_command(trained_models, tmp_path):
    settings = Settings(models=("softmax",), seed=1, **SMALL)
    (result,) = run(settings, tmp_path / "run")
    history = trained_models.histories("softmax")[1]
    for column in ("train_loss", "test_loss", "test_accuracy"):
        expected = [epoch[column] for epoch in result.history["epochs"]]
        np.testing.assert_allclose(history[column], expected, rtol=0, atol=5e-3)


@pytest.mark.parametrize("seeds", [0, -1, 1.0, None])
def test_a_wrong_number_of_seeds_is_rejected(seeds):
    with pytest.raises(InputError, match="seeds must be a whole number of at least 1"):
        TrainedModels(seeds)

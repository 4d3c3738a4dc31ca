import pytest

from kerashw.benchmark.peers import keras_examples
from tests.benchmark.peers import reported_losses


@pytest.mark.slow
def test_each_model_is_trained_further_in_each_of_its_rounds():
    options = {"examples": {"tabular MLP": 64, "recommender": 96}, "batch_sizes": [32, 16]}
    losses = reported_losses(keras_examples.train, options | {"rounds_each": 2})
    assert len(losses) == 8
    for first, second in zip(losses[::2], losses[1::2], strict=True):
        assert second < first

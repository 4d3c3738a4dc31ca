"""The models of the benchmark `fit` can be trained on their random data."""

import keras
import numpy as np
import pytest

from kerashw.benchmark.example_models import EXAMPLE_MODELS, random_data


@pytest.mark.parametrize("name", EXAMPLE_MODELS)
def test_a_model_fits_its_data(name):
    build, examples = EXAMPLE_MODELS[name]
    model = build()
    x, y = random_data(model, 8)
    arrays = keras.tree.flatten((x, y))
    assert {len(array) for array in arrays} == {8}
    loss, accuracy = model.test_on_batch(x, y)
    assert np.isfinite(loss)
    assert 0 <= accuracy <= 1
    assert examples % 256 == 0  # no smaller last batch

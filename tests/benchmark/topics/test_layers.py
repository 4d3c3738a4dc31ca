import numpy as np

from kerashw import layers
from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.example_models import EXAMPLE_MODELS, random_data
from kerashw.benchmark.topic_runner import Setup
from kerashw.benchmark.topics.layers import measure, with_faster_layers


def test_the_models_differ_in_their_layers_alone():
    build, _ = EXAMPLE_MODELS["CNN"]
    model = with_faster_layers(build)
    assert [type(layer) for layer in model.layers].count(layers.Conv2D) == 2
    own = build()
    own.set_weights(model.get_weights())
    x, _ = random_data(own, 4)
    np.testing.assert_allclose(model(x, training=True), own(x, training=True), rtol=1e-5)


def test_each_model_is_compared():
    [found] = measure(Setup(), ["MLP with dropout"], rounds=1)
    assert isinstance(found, Comparison)
    assert len(found.ours) == len(found.theirs) == 1

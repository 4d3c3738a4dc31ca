"""The options of a training: which values are refused, and the optimizers that there are."""

import keras
import pytest

from kerashw import optimizers
from kerashw.datasets.augmentation import LAYERS
from kerashw.errors import InputError
from kerashw.train.settings import Settings
from kerashw.train.training_options import AUGMENTATIONS, OPTIMIZERS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "fastest"}, "optimizer must be one of adadelta, .*Received: fastest"),
        ({"learning_rate": 0}, "learning_rate must be a positive number. Received: 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a positive number"),
        ({"validation_share": 1}, "validation_share must be a number between 0 and 1"),
        ({"validation_share": 0}, "validation_share must be a number between 0 and 1"),
        ({"early_stopping": 2}, "Add --validation-share 0.1"),
        ({"early_stopping": 0, "validation_share": 0.1}, "early_stopping must be a whole number"),
        ({"augment": ("flip", "turn")}, "augment must be of flip, .*Received: flip,turn"),
        ({"augment": ("flip", "flip")}, "each once. Received: flip,flip"),
        ({"class_weight": "equal"}, "class_weight must be one of balanced"),
    ],
)
def test_a_wrong_value_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        Settings(**options)


def test_the_names_are_those_of_keras_and_of_the_layers():
    for name in OPTIMIZERS.values():
        assert issubclass(getattr(optimizers, name), getattr(keras.optimizers, name))
    assert set(AUGMENTATIONS) == set(LAYERS)

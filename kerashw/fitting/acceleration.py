"""`accelerate`: our `fit`, `evaluate` and `predict` as the methods of a model."""

import types

import keras

from kerashw.errors import InputError
from kerashw.fitting.fit_evaluate_predict import (
    KERAS_EVALUATE,
    KERAS_FIT,
    KERAS_PREDICT,
    evaluate,
    fit,
    predict,
)

FUNCTIONS = {fit: KERAS_FIT, evaluate: KERAS_EVALUATE, predict: KERAS_PREDICT}


def accelerate(model):
    """Replace the methods `fit`, `evaluate` and `predict` of a model by these functions.

    Args:
        model: `keras.Model`.

    Returns:
        The same model. A copy of it, such as a clone or a loaded model, is as any other model: call
        this function where models are built.

    Raises:
        InputError: If it is no model, or if its class overrides one of the methods.

    Example:
        >>> import numpy as np
        >>> model = accelerate(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
        >>> model.compile("sgd", "mse")
        >>> model.fit(np.ones((4, 3)), np.ones((4, 2)), epochs=2, verbose=0).epoch
        [0, 1]
    """
    if not isinstance(model, keras.Model):
        raise InputError(f"accelerate takes a keras.Model. Received: {type(model).__name__}")
    for function, method in FUNCTIONS.items():
        if getattr(type(model), function.__name__) not in (method, function):
            raise InputError(
                f"accelerate replaces {function.__name__}, which {type(model).__name__} overrides. "
                f"Set keras.Model.{function.__name__} = kerashw.fitting.{function.__name__} instead"
            )
    for function in FUNCTIONS:
        # Not a tracked attribute of the model: `vars`.
        vars(model)[function.__name__] = types.MethodType(function, model)
    return model

"""One deep-learning homework, from theory through training to serving, with Keras 3.

The rooms are imported when they are first used, so that `import kerashw` is quick and leaves the
Keras backend to whoever imports Keras first:

>>> import kerashw
>>> model = kerashw.models.softmax_regression()
>>> model.count_params()
7850
"""

import importlib

from kerashw.registration import register_with_keras

__version__ = "1.0.0"

_ROOMS = (
    "backprop",
    "claim_figures",
    "claims",
    "console",
    "datasets",
    "diagonal_figures",
    "diagonal_proof",
    "diagrams",
    "distribution",
    "drawings",
    "errors",
    "export",
    "figures",
    "fitting",
    "hypotheses",
    "layers",
    "metrics",
    "model_diagrams",
    "models",
    "optimizers",
    "report",
    "results",
    "settings",
    "training",
)

__all__ = ["__version__", *_ROOMS]

register_with_keras()


def __getattr__(name):
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | set(_ROOMS))

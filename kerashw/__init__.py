"""One deep-learning homework, from theory through training to serving, with Keras 3.

The rooms are imported when they are first used, so that `import kerashw` is quick and leaves the
Keras backend to whoever imports Keras first:

>>> import kerashw
>>> model = kerashw.models.softmax_regression()
>>> model.count_params()
7850
"""

import importlib

__version__ = "1.0.0"

_PUBLIC = (
    "backprop",
    "datasets",
    "distribution",
    "errors",
    "export",
    "fitting",
    "hypotheses",
    "layers",
    "metrics",
    "models",
    "optimizers",
    "plots",
    "preprocessing",
)

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name):
    if name in _PUBLIC:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | set(_PUBLIC))

"""A deep-learning homework as a package, from theory through training to serving, on Keras 3.

The questions of the homework and their packages:

- Question 1, backpropagation with networks: `kerashw.backprop`.
- Question 2, two equal hypothesis spaces: `kerashw.hypotheses`, `kerashw.layers.FactoredDense`.
- Question 3, counting diagonals: `kerashw.layers.DiagonalCount`, `kerashw.datasets.diagonals`.
- Question 4, three models on MNIST: `kerashw.models`, `kerashw.optimizers`, `kerashw.fitting`.

The commands, each with `--help`:

- `python -m kerashw.train` trains, evaluates and exports the models.
- `python -m kerashw.predict` and `python -m kerashw.evaluate` use a trained model.
- `python -m kerashw.verify` tests the claims of the homework.
- `python -m kerashw.benchmark` compares the speed with that of other libraries.
- `python -m kerashw.serve` serves exported models over TensorFlow Serving's REST and gRPC APIs.

`import kerashw` is fast, because a package is imported when it is first used:

>>> import kerashw
>>> model = kerashw.models.softmax_regression()
>>> model.count_params()
7850
"""

import importlib

__version__ = "2.0.0"

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


# PEP 562. An application can therefore set the Keras backend after `import kerashw`.
def __getattr__(name):
    if name in _PUBLIC:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | set(_PUBLIC))

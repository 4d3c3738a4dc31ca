"""The settings of a run, checked: everything that its results depend on."""

import dataclasses

from kerashw.datasets import diagonals
from kerashw.errors import InputError
from kerashw.models import DIAGONAL_MODELS, MODELS, PRECISIONS

LARGEST_SEED = 2**32 - 1
# The models of a run: those that are trained, and the one that has nothing to train.
MODEL_NAMES = (*MODELS, "diagonal")


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a run; the defaults are those of Question 4.

    Args:
        models: Tuple of names from `MODEL_NAMES`. "diagonal" adds "learned_diagonal", with which it
            is compared.
        epochs: Positive integer.
        batch_size: Positive integer.
        seed: Integer from 0 to 2³² − 1, for the initial weights, the order of the examples and
            dropout.
        dataset: A name from `kerashw.datasets.diagonals.NOISE`, or a name that
            `kerashw.datasets.mnist.load` accepts. The default is "diagonals" for the models of
            Question 3 and "mnist" for all others. Models of both kinds need a name.
        precision: "float32", or "bfloat16" for Keras' mixed_bfloat16 policy.
        train_examples: Positive integer, the number of training examples to use; `None` for all.
        test_examples: Positive integer, the number of test examples to use; `None` for all.
        deterministic: Boolean; whether TensorFlow's operations are reproducible to the last bit.

    Raises:
        InputError: If a value is not as above.
    """

    models: tuple = ("softmax", "mlp", "convnet")
    epochs: int = 10
    batch_size: int = 128
    seed: int = 0
    dataset: str | None = None
    precision: str = "float32"
    train_examples: int | None = None
    test_examples: int | None = None
    deterministic: bool = False

    def __post_init__(self):
        # `object.__setattr__` sets defaults, because the class is frozen.
        unknown = [name for name in self.models if name not in MODEL_NAMES]
        if unknown or not self.models or len(set(self.models)) < len(self.models):
            raise InputError(
                f"models must be one or more of {', '.join(MODEL_NAMES)}, each once. "
                f"Received: {' '.join(map(str, self.models)) or 'none'}"
            )
        if self.dataset is None:
            _check_same_kind(self.models)
        if "diagonal" in self.models and "learned_diagonal" not in self.models:
            object.__setattr__(self, "models", (*self.models, "learned_diagonal"))
        counting = [name for name in self.models if name in DIAGONAL_MODELS]
        if self.dataset is None:
            default = diagonals.NAME if counting else "mnist"
            object.__setattr__(self, "dataset", default)
        if counting and self.dataset not in diagonals.NOISE:
            raise InputError(
                f"the models {', '.join(DIAGONAL_MODELS)} count in the data sets "
                f"{', '.join(diagonals.NOISE)}. "
                f"Received: {counting[0]} with the data set {self.dataset}"
            )
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            _check_whole_number(name, getattr(self, name), least)
        if self.seed > LARGEST_SEED:
            raise InputError(f"seed must be at most {LARGEST_SEED}. Received: {self.seed}")
        for name in ("train_examples", "test_examples"):
            if getattr(self, name) is not None:
                _check_whole_number(name, getattr(self, name), 1)
        if self.precision not in PRECISIONS:
            raise InputError(
                f"precision must be one of {', '.join(PRECISIONS)}. Received: {self.precision!r}"
            )

    def configuration(self):
        """Return the settings as a dict, as in `manifest.json`."""
        return dataclasses.asdict(self) | {"models": list(self.models)}


def _check_same_kind(models):
    """Check that all models or none are for data sets of diagonals only."""
    if len({name in DIAGONAL_MODELS for name in models}) > 1:
        raise InputError(
            f"{' and '.join(DIAGONAL_MODELS)} count diagonals, and all other models classify "
            "digits. Train both kinds in two runs, or name a data set of diagonals for both. "
            f"Received: {' '.join(models)}"
        )


def _check_whole_number(name, value, least):
    if not isinstance(value, int) or value < least:
        raise InputError(f"{name} must be a whole number of at least {least}. Received: {value!r}")

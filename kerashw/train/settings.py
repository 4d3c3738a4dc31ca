"""The settings of a run, checked: everything that its results depend on."""

import dataclasses

from kerashw.datasets import diagonals
from kerashw.errors import InputError
from kerashw.model_names import (
    DIAGONAL_MODELS,
    PRECISIONS,
    QUESTION_MODELS,
    TRAINED_MODELS,
    folder_name,
    is_function,
)
from kerashw.train.model_function import check_function
from kerashw.train.training_options import TRAINING_OPTIONS, check_training_options

LARGEST_SEED = 2**32 - 1
# The settings that a manifest has only if they differ from their defaults.
LATER_SETTINGS = ("keep_epochs", "image_size", "test_share", "skip_damaged", *TRAINING_OPTIONS)
# The models of a run: those that are trained, the one that has nothing to train, and those that
# are only exported.
MODEL_NAMES = (*TRAINED_MODELS, "diagonal", *QUESTION_MODELS)


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a run; the defaults are those of Question 4.

    Args:
        models: Tuple of names from `MODEL_NAMES`, or of functions, see
            `kerashw.train.model_function`. "diagonal" adds "learned_diagonal", with which it is
            compared. "backprop" and "spaces" are exported, and nothing else is done with them.
        epochs: Positive integer.
        batch_size: Positive integer.
        seed: Integer from 0 to 2³² − 1, for the initial weights, the order of the examples and
            dropout.
        dataset: A name or a path that `kerashw.datasets.loading.load` accepts. The default is
            "diagonals" for the models of Question 3 and "mnist" for all others. Models of both
            kinds need a name. A run of models that are only exported has no data set.
        precision: "float32", or "bfloat16" for Keras' mixed_bfloat16 policy.
        train_examples: Positive integer, the number of training examples to use; `None` for all.
        test_examples: Positive integer, the number of test examples to use; `None` for all.
        deterministic: Boolean; whether TensorFlow's operations are reproducible to the last bit.
        keep_epochs: Boolean; whether the models of all epochs are exported, as versions.
        image_size: Pair of positive integers, height and width, to scale the images to; `None` for
            their own size.
        test_share: Float in (0, 1), the share of the test examples if the data set has none of its
            own. The seed chooses them.
        skip_damaged: Boolean; whether to go on without damaged files in a folder.
        optimizer: Key of `kerashw.train.training_options.OPTIMIZERS`; `None` for the homework's
            Adadelta, or for the optimizer with which a function has compiled its model.
        learning_rate: Positive float; `None` for the optimizer's own.
        early_stopping: Positive integer, the number of epochs without a smaller validation loss
            after which a training ends; `None` for never. It needs `validation_share`.
        validation_share: Float in (0, 1), the share of the training examples, of each class, on
            which the models are evaluated after every epoch, instead of on the test examples. The
            seed chooses them. The test examples are then used once, at the end.
        augment: Tuple of names from `kerashw.train.training_options.AUGMENTATIONS`, see
            `kerashw.datasets.augmentation`.
        class_weight: "balanced" to give all classes the same weight in the loss; `None` to give it
            to all examples.

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
    keep_epochs: bool = False
    image_size: tuple | None = None
    test_share: float = 0.2
    skip_damaged: bool = False
    optimizer: str | None = None
    learning_rate: float | None = None
    early_stopping: int | None = None
    validation_share: float | None = None
    augment: tuple = ()
    class_weight: str | None = None

    def __post_init__(self):
        # `object.__setattr__` sets defaults, because the class is frozen.
        _check_models(self.models)
        if self.dataset is None:
            _check_same_kind(self.classifiers)
        elif not self.classifiers:
            raise InputError(
                f"{' and '.join(QUESTION_MODELS)} are exported, not trained, and have no data set. "
                f"Leave the data set out. Received: {self.dataset}"
            )
        if "diagonal" in self.models and "learned_diagonal" not in self.models:
            object.__setattr__(self, "models", (*self.models, "learned_diagonal"))
        counting = [name for name in self.models if name in DIAGONAL_MODELS]
        if self.dataset is None and self.classifiers:
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
        check_training_options(self)

    @property
    def classifiers(self):
        """The models that are trained or tested: all but those that are only exported."""
        return tuple(name for name in self.models if name not in QUESTION_MODELS)

    def of_seeds(self, seeds):
        """Return the same settings with several seeds.

        Args:
            seeds: Sequence of different integers.

        Returns:
            List of `Settings`.

        Raises:
            InputError: If a seed is not as above, or is there twice.
        """
        if len(set(seeds)) < len(seeds) or not self.classifiers:
            raise InputError(
                "seeds must be different numbers, for models that are trained. "
                f"Received: {' '.join(map(str, seeds))}"
            )
        return [dataclasses.replace(self, seed=seed) for seed in seeds]

    def configuration(self):
        """Return the settings as a dict, as in `manifest.json`."""
        lists = {"models": list(self.models), "augment": list(self.augment)}
        settings = dataclasses.asdict(self) | lists
        if self.image_size:
            settings["image_size"] = list(self.image_size)
        for name in LATER_SETTINGS:  # as in the manifests of earlier releases
            if getattr(self, name) == getattr(Settings, name):
                del settings[name]
        return settings


def _check_models(models):
    """Check that each model is a name or a function, and has a folder of its own."""
    unknown = [name for name in models if name not in MODEL_NAMES and not is_function(name)]
    if unknown or not models or len(set(models)) < len(models):
        raise InputError(
            f"models must be one or more of {', '.join(MODEL_NAMES)}, or functions as "
            "file.py:function, each once. "
            f"Received: {' '.join(map(str, models)) or 'none'}"
        )
    for model in filter(is_function, models):
        check_function(model, reserved=(*MODEL_NAMES, "exports"))
    if len(set(map(folder_name, models))) < len(models):
        raise InputError(
            "the functions of a run must have different names, because these are the names of "
            f"their folders. Rename one. Received: {' '.join(models)}"
        )


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

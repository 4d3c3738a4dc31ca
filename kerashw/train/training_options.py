"""The settings of a run that change how its models are trained, and their checks.

Importing this module does not import Keras.
"""

import math

from kerashw.errors import InputError

# The names of the settings that are checked here.
TRAINING_OPTIONS = (
    *("optimizer", "learning_rate", "early_stopping"),
    *("validation_share", "augment", "class_weight"),
)
# The name of an optimizer on the command line → its class in `kerashw.optimizers`, which is that of
# Keras with the right gradients of embeddings.
OPTIMIZERS = {
    name.lower(): name
    for name in (
        *("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion"),
        *("Muon", "Nadam", "RMSprop", "SGD"),
    )
}
AUGMENTATIONS = ("flip", "shift", "rotate", "zoom", "contrast")
CLASS_WEIGHTS = ("balanced",)


def check_training_options(settings):
    """Check the options of a run's training.

    Args:
        settings: `kerashw.train.settings.Settings`.

    Raises:
        InputError: If a value is not as in `Settings`.
    """
    if settings.optimizer is not None:
        _check_names("optimizer", [settings.optimizer], OPTIMIZERS)
    if settings.class_weight is not None:
        _check_names("class_weight", [settings.class_weight], CLASS_WEIGHTS)
    _check_names("augment", settings.augment, AUGMENTATIONS)
    rate = settings.learning_rate
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise InputError(f"learning_rate must be a positive number. Received: {rate}")
    share = settings.validation_share
    if share is not None and not 0 < share < 1:
        raise InputError(
            f"validation_share must be a number between 0 and 1, such as 0.1. Received: {share}"
        )
    patience = settings.early_stopping
    if patience is None:
        return
    if not isinstance(patience, int) or patience < 1:
        raise InputError(
            f"early_stopping must be a whole number of at least 1. Received: {patience!r}"
        )
    if share is None:
        raise InputError(
            "early stopping watches the validation loss, so that the test set does not decide. "
            f"Add --validation-share 0.1. Received: --early-stopping {patience} without it"
        )


def _check_names(option, values, names):
    if any(value not in names for value in values) or len(set(values)) < len(values):
        of, once = ("of", ", each once") if option == "augment" else ("one of", "")
        raise InputError(
            f"{option} must be {of} {', '.join(names)}{once}. Received: {','.join(values)}"
        )


def is_stopped(history, patience):
    """Return whether early stopping ends a training.

    Args:
        history: Dict as in `history.json`, with `validation_loss` in its epochs.
        patience: Integer, the number of epochs to wait for a smaller loss; `None` for never.

    Returns:
        Boolean. It depends on the history alone, so a resumed training stops where it would have.

    Example:
        >>> losses = [0.5, 0.3, 0.4, 0.3]
        >>> history = {"epochs": [{"validation_loss": loss} for loss in losses]}
        >>> is_stopped(history, 2), is_stopped(history, 3)
        (True, False)
    """
    losses = [epoch["validation_loss"] for epoch in history["epochs"]] if patience else []
    if not losses:
        return False
    best = min(range(len(losses)), key=lambda epoch: (not losses[epoch] >= 0, losses[epoch]))
    return len(losses) - 1 - best >= patience

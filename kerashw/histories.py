"""The history of a training: on which examples its epochs were evaluated."""


def evaluated_on(history):
    """Return on which examples the epochs of a history were evaluated.

    Args:
        history: Dict as in `history.json`, with at least one epoch. An epoch has `test_loss` and
            `test_accuracy`, or `validation_loss` and `validation_accuracy`.

    Returns:
        "test" or "validation".

    Example:
        >>> evaluated_on({"epochs": [{"epoch": 1, "validation_accuracy": 0.9}]})
        'validation'
    """
    return "validation" if "validation_accuracy" in history["epochs"][0] else "test"

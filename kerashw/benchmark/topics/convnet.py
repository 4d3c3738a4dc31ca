"""Epochs of the ConvNet in float32 and in bfloat16; see `training.py`."""

from kerashw.benchmark.topics import training

ROUNDS = 3  # with one round of warm-up


def measure(setup):
    """Compare epochs of the ConvNet, and the time to the homework's test accuracy of 98.33 %.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.

    Yields:
        `Comparison`s, `Table`s and remarks.
    """
    results = yield from training.compare_precisions(setup, "convnet", ROUNDS)
    yield training.time_to_accuracy(results)
    yield from training.remarks()

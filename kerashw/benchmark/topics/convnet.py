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
    float32 = training.installed_peers(training.KERAS | training.PYTORCH)
    bfloat16 = training.installed_peers(training.PYTORCH_BFLOAT16)
    results = training.run(setup, "convnet", training.KERASHW | float32 | bfloat16, ROUNDS)
    yield from training.comparisons(results, "convnet", "kerashw", float32)
    # PyTorch in float32 is the usual choice, and PyTorch in bfloat16 is the exact counterpart.
    peers = [name for name in results if name in {"PyTorch", "kerashw", *bfloat16}]
    yield from training.comparisons(results, "convnet", "kerashw, bfloat16", peers)
    yield training.time_to_accuracy(results)
    yield training.hardware_limits(results, "convnet")
    yield training.peak_memory(results, "convnet")
    yield from training.remarks()

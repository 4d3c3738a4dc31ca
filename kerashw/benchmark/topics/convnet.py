"""What an epoch of the ConvNet costs, in float32 and in bfloat16; see `training.py`."""

from kerashw.benchmark.topics import training

# The first is the warm-up.
ROUNDS = 3


def measure(setup):
    """Compare epochs of the ConvNet, and the time to the homework's headline of 98.33 %."""
    float32 = training.peers(training.KERAS | training.PYTORCH)
    autocast = training.peers(training.AUTOCAST)
    outcomes = training.run(setup, "convnet", training.OURS | float32 | autocast, ROUNDS)
    yield from training.comparisons(outcomes, "convnet", "kerashw", float32)
    # PyTorch's float32 is what one would otherwise have; its bfloat16 the equal.
    beside = [name for name in outcomes if name in {"PyTorch", "kerashw", *autocast}]
    yield from training.comparisons(outcomes, "convnet", "kerashw, bfloat16", beside)
    yield training.time_to(outcomes)
    yield training.limits(outcomes, "convnet")
    yield training.memory(outcomes, "convnet")
    yield from training.remarks()

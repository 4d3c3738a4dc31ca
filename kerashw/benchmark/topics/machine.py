"""The machine's own limits, and what an epoch of each model takes at them; see `work.py`."""

from kerashw.benchmark.hardware_limits.epoch_arithmetic import LAYERS, epoch
from kerashw.benchmark.process_rounds import take_rounds
from kerashw.benchmark.result_table import Table
from kerashw.benchmark.topics.training import LIMITS
from kerashw.errors import BenchmarkError
from kerashw.models import TITLES

ROUNDS = 3


def measure(setup):
    """Measure the machine's rates, and derive each epoch's floors; see `floors`."""
    outcome = take_rounds({"machine": LIMITS["machine"]}, {}, ROUNDS, setup.progress)["machine"]
    if outcome.failure:
        raise BenchmarkError(f"the machine could not be measured: {outcome.failure}")
    # The best of all: a limit is what the machine can do, not what it did while disturbed.
    rates = {
        name: max(one[name] for one in outcome.rounds) for name in ("float32", "bfloat16", "memory")
    }
    rows = [
        (f"products of {name} matrices", rates[name] / 1e9, "GFLOP/s")
        for name in ("float32", "bfloat16")
    ]
    rows.append(("memory, read and written", rates["memory"] / 1e9, "GB/s"))
    yield Table("The machine's rates", ("", "rate", "unit"), rows, ("{}", "{:,.1f}", "{}"))
    yield floors(rates)


def floors(rates):
    """Return a table of what an epoch has to do, and of how long that takes at least.

    Args:
        rates: Dict of floats: operations a second in `float32` and `bfloat16`, bytes a second of
            the `memory`.

    Returns:
        `Table`.

    Example:
        >>> floors({"float32": 1e12, "bfloat16": 2e12, "memory": 1e10}).shown()[2][:4]
        ('ConvNet', '4,533.8', '4.53', '2.27')
    """
    rows = []
    for model in LAYERS:
        work = epoch(model)
        rows.append(
            (
                TITLES[model],
                work.operations / 1e9,
                work.operations / rates["float32"],
                work.operations / rates["bfloat16"],
                work.moved_bytes / 1e9,
                work.moved_bytes / rates["memory"],
            )
        )
    headings = ("", "GFLOP", "s, float32", "s, bfloat16", "GB, uncached", "s, memory")
    formats = ("{}", "{:,.1f}", "{:.2f}", "{:.2f}", "{:,.1f}", "{:.2f}")
    return Table("What an epoch takes at these rates", headings, rows, formats)

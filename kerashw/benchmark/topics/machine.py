"""The rates of this machine, and the least time of each model's epoch at these rates.

`kerashw.benchmark.hardware_limits.epoch_arithmetic` has the operations and the memory traffic of an
epoch.
"""

from kerashw.benchmark.hardware_limits import HARDWARE_LIMITS
from kerashw.benchmark.hardware_limits.epoch_arithmetic import LAYERS, epoch_cost
from kerashw.benchmark.process_rounds import run_rounds
from kerashw.benchmark.result_table import Table
from kerashw.errors import BenchmarkError
from kerashw.model_names import TITLES

ROUNDS = 3


def measure(setup):
    """Measure the rates of the machine, and derive the least time of each epoch.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.

    Yields:
        Two `Table`s: the rates, and `least_times`.
    """
    workers = {"rates": HARDWARE_LIMITS["rates"]}
    result = run_rounds(workers, {}, ROUNDS, setup.progress)["rates"]
    if result.failure:
        raise BenchmarkError(f"the rates of the machine could not be measured: {result.failure}")
    # The best round, because a limit is the speed of the undisturbed machine.
    rates = {
        name: max(one[name] for one in result.rounds) for name in ("float32", "bfloat16", "memory")
    }
    rows = [
        (f"products of {name} matrices", rates[name] / 1e9, "GFLOP/s")
        for name in ("float32", "bfloat16")
    ]
    rows.append(("memory, read and written", rates["memory"] / 1e9, "GB/s"))
    yield Table("Rates of the machine", ("", "rate", "unit"), rows, ("{}", "{:,.1f}", "{}"))
    yield least_times(rates)


def least_times(rates):
    """Return a table of the cost of each model's epoch, and of the least time that it takes.

    Args:
        rates: Dict of floats: `float32` and `bfloat16`, operations per second; `memory`, bytes per
            second.

    Returns:
        `Table`.

    Example:
        >>> rates = {"float32": 1e12, "bfloat16": 2e12, "memory": 1e10}
        >>> least_times(rates).formatted_rows()[2][:4]
        ('ConvNet', '4,533.8', '4.53', '2.27')
    """
    rows = []
    for model in LAYERS:
        cost = epoch_cost(model)
        rows.append(
            (
                TITLES[model],
                cost.operations / 1e9,
                cost.operations / rates["float32"],
                cost.operations / rates["bfloat16"],
                cost.moved_bytes / 1e9,
                cost.moved_bytes / rates["memory"],
            )
        )
    headings = ("", "GFLOP", "s, float32", "s, bfloat16", "GB, uncached", "s, memory")
    formats = ("{}", "{:,.1f}", "{:.2f}", "{:.2f}", "{:,.1f}", "{:.2f}")
    return Table("Least time of an epoch at these rates", headings, rows, formats)

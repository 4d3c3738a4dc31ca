"""What an epoch of the models costs, training and test, beside Keras' `fit` and PyTorch.

All train the same model with the same optimizer, batch size and data, from weights drawn from the
same distribution, each in a process of its own, round by round. Keras' `fit` gets NumPy arrays, as
in every tutorial; PyTorch the loop of its own examples on tensors in memory (`pytorch.py`), run
eagerly and by `torch.compile`. In each round the machine is measured too, so that an epoch is
compared with its limits at that minute: what its arithmetic (`work.py`) takes at the machine's
rate (`rates.py`), and what its products of matrices take alone (`products.py`).

TUNING.md has what was tried to make ours faster, what it gained, and what it did not.
"""

import importlib.util
import statistics

from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.hardware_limits.epoch_arithmetic import epoch
from kerashw.benchmark.process_rounds import take_rounds
from kerashw.benchmark.result_table import Table
from kerashw.datasets import mnist
from kerashw.errors import BenchmarkError
from kerashw.models import TITLES

# What trains, as one reads it → the process that does.
OURS = {
    "kerashw": "kerashw.benchmark.peers.keras_fit kerashw float32",
    "kerashw, bfloat16": "kerashw.benchmark.peers.keras_fit kerashw bfloat16",
}
KERAS = {"Keras' fit": "kerashw.benchmark.peers.keras_fit keras float32"}
PYTORCH = {
    "PyTorch": "kerashw.benchmark.peers.pytorch eager",
    "torch.compile": "kerashw.benchmark.peers.pytorch compiled",
}
AUTOCAST = {"PyTorch, bfloat16": "kerashw.benchmark.peers.pytorch autocast"}
LIMITS = {
    "machine": "kerashw.benchmark.hardware_limits.measured_rates",
    "products": "kerashw.benchmark.hardware_limits.matrix_products",
}
NO_PYTORCH = "PyTorch is not installed and left out: pip install '.[benchmark]'"
# What the homework says of the ConvNet.
HEADLINE = 0.9833
# As many as take some seconds each; the first of them is the warm-up.
ROUNDS = {"softmax": 11, "mlp": 6}


def measure(setup):
    """Compare epochs of softmax regression and of the MLP."""
    for model, rounds in ROUNDS.items():
        ways = {"kerashw": OURS["kerashw"]} | peers(KERAS | PYTORCH)
        outcomes = run(setup, model, ways, rounds)
        yield from comparisons(outcomes, model, "kerashw", ways)
        yield limits(outcomes, model)
        yield memory(outcomes, model)
    yield from remarks()


def peers(ways):
    """Return those of the peers' ways that are installed."""
    if importlib.util.find_spec("torch"):
        return ways
    return {name: way for name, way in ways.items() if ".pytorch" not in way}


def remarks():
    """Say which peers are not installed, if any."""
    if not importlib.util.find_spec("torch"):
        yield NO_PYTORCH


def options(model, data_dir):
    """Return what each process that trains is told: dict."""
    return {"model": model, "batch_size": 128, "seed": 0, "data_dir": data_dir}


def run(setup, model, ways, rounds):
    """Train a model in several ways, round by round, and measure the machine beside.

    Args:
        setup: `kerashw.benchmark.result_table.Setup`.
        model: "softmax", "mlp" or "convnet".
        ways: Dict, name → module with arguments, as in `take_rounds`.
        rounds: Integer, the epochs of each.

    Returns:
        Dict, name → `kerashw.benchmark.process_rounds.Outcome`, those of `LIMITS` among them.

    Raises:
        BenchmarkError: If ours fails.
        DataError: If MNIST cannot be prepared.
    """
    # Prepares it once for all of them, and tells at once if that cannot be.
    mnist.load(data_dir=setup.data_dir)
    precisions = {OURS[name].split()[-1] for name in ways if name in OURS}
    limits = LIMITS | {"products": " ".join([LIMITS["products"], *sorted(precisions)])}
    outcomes = take_rounds(
        ways | limits,
        options(model, setup.data_dir),
        rounds,
        lambda doing: setup.progress(f"{TITLES[model]}, {doing}"),
    )
    for name in (*OURS, *LIMITS):
        if name in outcomes and outcomes[name].failure:
            raise BenchmarkError(f"{name} failed: {outcomes[name].failure}")
    return outcomes


def comparisons(outcomes, model, ours, ways):
    """Compare the epochs of ours with those of every other way.

    Args:
        outcomes: Dict, from `run`.
        model: "softmax", "mlp" or "convnet".
        ours: A name from `OURS`.
        ways: The names of what it is compared with; `ours` among them is passed over.

    Yields:
        `Comparison`, or, for a peer that failed, a string that says so.
    """
    mine = outcomes[ours]
    job = f"epoch of {TITLES[model]}" + ours.removeprefix("kerashw")
    for name in ways:
        peer = outcomes[name]
        if peer.failure:
            yield f"{name} failed at the {TITLES[model]} and is left out: {peer.failure}"
        elif name != ours:
            found = [100 * outcome.rounds[-1]["accuracy"] for outcome in (mine, peer)]
            quality = "test accuracy {:.2f} %, {:.2f} %".format(*found)
            yield Comparison(job, name, mine.seconds(), peer.seconds(), quality)


def limits(outcomes, model):
    """Return a table of our epochs beside what the machine allows, in the same rounds.

    Args:
        outcomes: Dict, from `run`.
        model: "softmax", "mlp" or "convnet".

    Returns:
        `Table`.
    """
    rows = []
    for name in OURS:
        if name in outcomes:
            precision = OURS[name].split()[-1]
            rates, products = (
                [one[precision] for one in outcomes[limit].rounds[1:]] for limit in LIMITS
            )
            floors = [epoch(model).operations / rate for rate in rates]
            mine = outcomes[name].seconds()
            times = [_median_ratio(mine, limit) for limit in (products, floors)]
            rows.append((name, mine, products, times[0], floors, times[1]))
    headings = (
        "",
        "an epoch\nseconds",
        "its products\nalone, seconds",
        "epoch /\nproducts",
        "at square matrices'\nrate, seconds",
        "epoch /\nthat",
    )
    formats = ("{}", "{:.3f}", "{:.3f}", "{:.2f}", "{:.3f}", "{:.2f}")
    title = f"An epoch of {TITLES[model]} beside the machine's limits"
    return Table(title, headings, rows, formats)


def _median_ratio(seconds, limits):
    return statistics.median(a / b for a, b in zip(seconds, limits, strict=True))


def memory(outcomes, model):
    """Return a table of the most memory that each way's process had."""
    some = {n: o for n, o in outcomes.items() if n not in LIMITS and not o.failure}
    least = some["kerashw"].peak_bytes
    rows = [(name, one.peak_bytes / 2**20, least / one.peak_bytes) for name, one in some.items()]
    title = f"Peak memory, {TITLES[model]}"
    return Table(title, ("", "MiB", "kerashw's share"), rows, ("{}", "{:,.0f}", "{:.2f}"))


def time_to(outcomes, accuracy=HEADLINE):
    """Return a table of how long each way trained until its test was this good.

    Args:
        outcomes: Dict, from `run`. All epochs count here, the first with its tracing and compiling
            too.
        accuracy: Float in [0, 1].

    Returns:
        `Table`.
    """
    taken = {}
    for name, outcome in outcomes.items():
        if name not in LIMITS and not outcome.failure:
            good = [one["accuracy"] >= accuracy for one in outcome.rounds]
            epochs = good.index(True) + 1 if True in good else None
            taken[name] = epochs, epochs and sum(outcome.seconds(0)[:epochs])
    ours = taken["kerashw"][1]
    rows = [
        (name, epochs, seconds, ours / seconds if epochs and ours else None)
        for name, (epochs, seconds) in taken.items()
    ]
    headings = ("", "epochs", "seconds", "kerashw's share")
    most = max(len(outcomes[name].rounds) for name in taken)
    title = f"Training to {100 * accuracy:.2f} % test accuracy, at most {most} epochs"
    return Table(title, headings, rows, ("{}", "{}", "{:.1f}", "{:.2f}"))

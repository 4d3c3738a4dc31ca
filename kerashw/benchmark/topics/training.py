"""Epochs of the models, training and test, compared with Keras' `fit` and PyTorch.

All libraries train the same model with the same optimizer, batch size and data, from weights of the
same distribution. Each runs in a process of its own, in alternating rounds. Keras' `fit` gets NumPy
arrays, as in Keras' tutorials. PyTorch runs the loop of its own examples on tensors in memory
(`pytorch.py`), eagerly and with `torch.compile`.

Each round also measures the limits of the machine at that moment: the time of the epoch's
operations (`epoch_arithmetic.py`) at the rate of square matrices (`measured_rates.py`), and the
time of its matrix products alone (`matrix_products.py`).

TUNING.md lists what was tried to make kerashw faster, and the gain of each attempt.
"""

import importlib.util
import statistics

from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.hardware_limits import HARDWARE_LIMITS
from kerashw.benchmark.hardware_limits.epoch_arithmetic import epoch_cost
from kerashw.benchmark.process_rounds import run_rounds
from kerashw.benchmark.result_table import Table
from kerashw.datasets import mnist
from kerashw.errors import BenchmarkError
from kerashw.model_names import TITLES

# The name in the tables → the worker process, as in `run_rounds`.
KERASHW = {
    "kerashw": "kerashw.benchmark.peers.keras_fit kerashw float32",
    "kerashw, bfloat16": "kerashw.benchmark.peers.keras_fit kerashw bfloat16",
}
KERAS = {"Keras' fit": "kerashw.benchmark.peers.keras_fit keras float32"}
PYTORCH = {
    "PyTorch": "kerashw.benchmark.peers.pytorch eager",
    "torch.compile": "kerashw.benchmark.peers.pytorch compiled",
}
PYTORCH_BFLOAT16 = {"PyTorch, bfloat16": "kerashw.benchmark.peers.pytorch autocast"}
NO_PYTORCH = "PyTorch is not installed and left out: pip install '.[benchmark]'"
# The test accuracy of the ConvNet in the homework.
HOMEWORK_ACCURACY = 0.9833
# Some seconds for each model, with one round of warm-up.
ROUNDS = {"softmax": 11, "mlp": 6}


def measure(setup):
    """Compare epochs of softmax regression, and of the MLP in float32 and in bfloat16.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.

    Yields:
        `Comparison`s, `Table`s and remarks.
    """
    workers = {"kerashw": KERASHW["kerashw"]} | installed_peers(KERAS | PYTORCH)
    results = run(setup, "softmax", workers, ROUNDS["softmax"])
    yield from comparisons(results, "softmax", "kerashw", workers)
    yield hardware_limits(results, "softmax")
    yield peak_memory(results, "softmax")
    yield from compare_precisions(setup, "mlp", ROUNDS["mlp"])
    yield from remarks()


def compare_precisions(setup, model, rounds):
    """Compare epochs in float32 and in bfloat16.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.
        model: "mlp" or "convnet".
        rounds: Integer, the number of epochs.

    Yields:
        `Comparison`s and `Table`s.

    Returns:
        Dict, as from `run`.
    """
    float32, bfloat16 = installed_peers(KERAS | PYTORCH), installed_peers(PYTORCH_BFLOAT16)
    results = run(setup, model, KERASHW | float32 | bfloat16, rounds)
    yield from comparisons(results, model, "kerashw", float32)
    # PyTorch in float32 is the usual choice, and PyTorch in bfloat16 is the exact counterpart.
    peers = [name for name in results if name in {"PyTorch", "kerashw", *bfloat16}]
    yield from comparisons(results, model, "kerashw, bfloat16", peers)
    yield hardware_limits(results, model)
    yield peak_memory(results, model)
    return results


def installed_peers(workers):
    """Return those workers whose library is installed."""
    if importlib.util.find_spec("torch"):
        return workers
    return {name: command for name, command in workers.items() if ".pytorch" not in command}


def remarks():
    """Yield a remark if PyTorch is not installed."""
    if not importlib.util.find_spec("torch"):
        yield NO_PYTORCH


def worker_options(model, data_dir):
    """Return the dict of options for the worker processes."""
    return {"model": model, "batch_size": 128, "seed": 0, "data_dir": data_dir}


def run(setup, model, workers, rounds):
    """Train a model in several worker processes, and measure the limits of the machine.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.
        model: "softmax", "mlp" or "convnet".
        workers: Dict, name → module with arguments, as in `run_rounds`.
        rounds: Integer, the number of epochs.

    Returns:
        Dict, name → `kerashw.benchmark.process_rounds.WorkerResult`, including those of
        `HARDWARE_LIMITS`.

    Raises:
        BenchmarkError: If kerashw fails, or the measurement of a limit.
        DataError: If MNIST cannot be prepared.
    """
    # Prepares MNIST once for all workers, and raises an error before they start.
    mnist.load(data_dir=setup.data_dir)
    precisions = {KERASHW[name].split()[-1] for name in workers if name in KERASHW}
    products = " ".join([HARDWARE_LIMITS["products"], *sorted(precisions)])
    results = run_rounds(
        workers | HARDWARE_LIMITS | {"products": products},
        worker_options(model, setup.data_dir),
        rounds,
        lambda message: setup.progress(f"{TITLES[model]}, {message}"),
    )
    for name in (*KERASHW, *HARDWARE_LIMITS):
        if name in results and results[name].failure:
            raise BenchmarkError(f"{name} failed: {results[name].failure}")
    return results


def comparisons(results, model, ours, peers):
    """Compare the epochs of kerashw with those of its peers.

    Args:
        results: Dict, from `run`.
        model: "softmax", "mlp" or "convnet".
        ours: A name from `KERASHW`.
        peers: Collection of names from `results`. `ours` is skipped.

    Yields:
        `Comparison`; for a peer that failed, a string with its error.
    """
    kerashw = results[ours]
    job = f"epoch of {TITLES[model]}" + ours.removeprefix("kerashw")
    for name in peers:
        peer = results[name]
        if peer.failure:
            yield f"{name} failed at the {TITLES[model]} and is left out: {peer.failure}"
        elif name != ours:
            accuracies = [100 * one.rounds[-1]["accuracy"] for one in (kerashw, peer)]
            quality = "test accuracy {:.2f} %, {:.2f} %".format(*accuracies)
            yield Comparison(job, name, kerashw.seconds(), peer.seconds(), quality)


def hardware_limits(results, model):
    """Return a table of kerashw's epochs and the limits of the machine in the same rounds.

    Args:
        results: Dict, from `run`.
        model: "softmax", "mlp" or "convnet".

    Returns:
        `Table`.
    """
    rows = []
    for name in KERASHW:
        if name in results:
            precision = KERASHW[name].split()[-1]
            rates, products = (
                [one[precision] for one in results[limit].rounds[1:]] for limit in HARDWARE_LIMITS
            )
            at_rate = [epoch_cost(model).operations / rate for rate in rates]
            epochs = results[name].seconds()
            ratios = [_median_ratio(epochs, limit) for limit in (products, at_rate)]
            rows.append((name, epochs, products, ratios[0], at_rate, ratios[1]))
    headings = (
        "",
        "epoch\nseconds",
        "matrix products\nalone, seconds",
        "epoch /\nproducts",
        "at the rate of square\nmatrices, seconds",
        "epoch /\nthat",
    )
    formats = ("{}", "{:.3f}", "{:.3f}", "{:.2f}", "{:.3f}", "{:.2f}")
    title = f"An epoch of {TITLES[model]} and the limits of the machine"
    return Table(title, headings, rows, formats)


def _median_ratio(seconds, limits):
    return statistics.median(a / b for a, b in zip(seconds, limits, strict=True))


def peak_memory(results, model):
    """Return a table of the peak memory of each training process.

    Args:
        results: Dict, from `run`.
        model: "softmax", "mlp" or "convnet".

    Returns:
        `Table`.
    """
    peaks = {name: result.peak_bytes for name, result in _finished(results).items()}
    rows = [(name, peak / 2**20, peaks["kerashw"] / peak) for name, peak in peaks.items()]
    title = f"Peak memory, {TITLES[model]}"
    return Table(title, ("", "MiB", "kerashw /\nthis"), rows, ("{}", "{:,.0f}", "{:.2f}"))


def time_to_accuracy(results, accuracy=HOMEWORK_ACCURACY):
    """Return a table of the training time until the test accuracy was reached.

    Args:
        results: Dict, from `run`. All epochs count, also the first, which includes tracing and
            compiling.
        accuracy: Float in [0, 1].

    Returns:
        `Table`.
    """
    times = {}
    for name, result in _finished(results).items():
        reached = [one["accuracy"] >= accuracy for one in result.rounds]
        epochs = reached.index(True) + 1 if True in reached else None
        times[name] = epochs, epochs and sum(result.seconds(0)[:epochs])
    ours = times["kerashw"][1]
    rows = [
        (name, epochs, seconds, ours / seconds if epochs and ours else None)
        for name, (epochs, seconds) in times.items()
    ]
    headings = ("", "epochs", "seconds", "kerashw /\nthis")
    most = max(len(results[name].rounds) for name in times)
    title = f"Training to {100 * accuracy:.2f} % test accuracy, at most {most} epochs"
    return Table(title, headings, rows, ("{}", "{}", "{:.1f}", "{:.2f}"))


def _finished(results):
    """Return the results of the training processes that did not fail."""
    return {
        name: result
        for name, result in results.items()
        if name not in HARDWARE_LIMITS and not result.failure
    }

import importlib.util

import pytest

from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.hardware_limits import HARDWARE_LIMITS
from kerashw.benchmark.hardware_limits.epoch_arithmetic import epoch_cost
from kerashw.benchmark.process_rounds import WorkerResult
from kerashw.benchmark.result_table import Table
from kerashw.benchmark.topic_runner import Setup
from kerashw.benchmark.topics import convnet, training
from kerashw.errors import BenchmarkError


def result(seconds, accuracies, peak=2**30, **more):
    rounds = zip(seconds, accuracies, strict=True)
    return WorkerResult([{"seconds": s, "accuracy": a, **more} for s, a in rounds], peak)


@pytest.fixture
def results():
    rates = {"float32": 1e12, "bfloat16": 2e12}
    return {
        "kerashw": result([5.0, 4.0, 6.0], [0.97, 0.98, 0.99]),
        "kerashw, bfloat16": result([3.0, 2.0, 2.0], [0.97, 0.98, 0.99]),
        "Keras' fit": result([10.0, 10.0, 10.0], [0.97, 0.99, 0.99], peak=2**31),
        "PyTorch": result([10.0, 8.0, 10.0], [0.9, 0.9, 0.9]),
        "torch.compile": WorkerResult(failure="InductorError: no compiler"),
        "rates": result([1.0, 1.0, 1.0], [0, 0, 0], **rates),
        "products": result([1.0, 1.0, 1.0], [0, 0, 0], float32=4.0, bfloat16=1.0),
    }


def test_epochs_are_compared_with_the_limits_of_the_same_rounds(results):
    table = training.hardware_limits(results, "convnet")
    at_rate = epoch_cost("convnet").operations / 1e12
    assert table.rows == [
        ("kerashw", [4.0, 6.0], [4.0, 4.0], 1.25, [at_rate] * 2, pytest.approx(5 / at_rate)),
        (
            "kerashw, bfloat16",
            [2.0, 2.0],
            [1.0, 1.0],
            2.0,
            [at_rate / 2] * 2,
            pytest.approx(4 / at_rate),
        ),
    ]


def test_a_peer_that_fails_is_reported(results):
    (remark,) = training.comparisons(results, "mlp", "kerashw", ["kerashw", "torch.compile"])
    assert remark == "torch.compile failed at the MLP and is left out: InductorError: no compiler"


def test_the_time_to_an_accuracy_includes_all_epochs_before(results):
    rows = {row[0]: row[1:] for row in training.time_to_accuracy(results, 0.9833).rows}
    assert rows["kerashw"] == (3, 15.0, 1.0)
    assert rows["Keras' fit"] == (2, 20.0, 0.75)
    assert rows["PyTorch"] == (None, None, None)
    assert set(rows) == set(results) - {*HARDWARE_LIMITS, "torch.compile"}


def test_memory_is_compared(results):
    rows = {row[0]: row[1:] for row in training.peak_memory(results, "mlp").rows}
    assert rows["Keras' fit"] == (2048, 0.5)


def test_a_failure_of_kerashw_is_an_error(monkeypatch):
    failed = {"kerashw": WorkerResult(failure="boom")}
    monkeypatch.setattr(training, "run_rounds", lambda *_: failed)
    with pytest.raises(BenchmarkError, match="kerashw failed: boom"):
        training.run(Setup(), "mlp", {"kerashw": training.KERASHW["kerashw"]}, 1)


def test_without_pytorch_the_other_peers_are_compared(monkeypatch, results):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    calls = []

    def run_rounds(workers, *_):
        calls.append(set(workers))
        return results

    monkeypatch.setattr(training, "run_rounds", run_rounds)
    remarks = [one for one in training.measure(Setup()) if isinstance(one, str)]
    assert remarks == [training.NO_PYTORCH]
    both = {"kerashw", "kerashw, bfloat16", "Keras' fit", *HARDWARE_LIMITS}
    assert calls == [both - {"kerashw, bfloat16"}, both]
    remarks = [one for one in convnet.measure(Setup()) if isinstance(one, str)]
    assert remarks == [training.NO_PYTORCH]
    assert calls[2] == both


def test_every_worker_is_a_module():
    workers = training.KERASHW | training.KERAS | training.PYTORCH | training.PYTORCH_BFLOAT16
    for command in (workers | HARDWARE_LIMITS).values():
        assert importlib.util.find_spec(command.split()[0]), command


def test_the_convnet_is_compared_with_all_peers(monkeypatch, results):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    results["PyTorch, bfloat16"] = result([4.0, 4.0, 4.0], [0.9, 0.9, 0.9])
    monkeypatch.setattr(training, "run_rounds", lambda *_: results)
    found = list(convnet.measure(Setup()))
    pairs = [(one.job, one.peer) for one in found if isinstance(one, Comparison)]
    assert pairs == [
        ("epoch of ConvNet", "Keras' fit"),
        ("epoch of ConvNet", "PyTorch"),
        ("epoch of ConvNet, bfloat16", "kerashw"),
        ("epoch of ConvNet, bfloat16", "PyTorch"),
        ("epoch of ConvNet, bfloat16", "PyTorch, bfloat16"),
    ]
    assert sum(isinstance(one, Table) for one in found) == 3

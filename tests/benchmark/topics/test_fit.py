import importlib.util
from pathlib import Path

import numpy as np
import pytest

from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.example_models import EXAMPLE_MODELS
from kerashw.benchmark.process_rounds import WorkerResult
from kerashw.benchmark.result_table import Table
from kerashw.benchmark.topic_runner import Setup
from kerashw.benchmark.topics import fit, training
from kerashw.errors import BenchmarkError


@pytest.mark.slow
def test_every_model_is_trained_by_both_on_arrays_and_datasets(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    build, _ = EXAMPLE_MODELS["tabular MLP"]
    *comparisons, remark, table = fit.measure(Setup(), {"small": (build, 96)}, (32,), rounds=1)
    jobs = ["small, 32, arrays", "small, 32, tf.data", "small, 32, kerashw's Adam"]
    assert [one.job for one in comparisons] == jobs
    for one in comparisons:
        assert isinstance(one, Comparison)
        ours, theirs = one.quality.removeprefix("loss ").split(", ")
        assert abs(float(ours) - float(theirs)) < 0.05  # another order of the examples
    assert isinstance(table, Table)
    ratios = [one.ratio for one in comparisons]
    assert table.rows == [
        ("small", 32, *ratios, None),
        ("median", None, sum(ratios[:2]) / 2, None, ratios[2], None),
        ("largest", None, max(ratios[:2]), None, ratios[2], None),
    ]
    assert remark == training.NO_PYTORCH


@pytest.fixture
def results(monkeypatch):
    """Install results of the workers for two models, with a round of warm-up and three more."""
    seconds = {"kerashw": [9, 3, 6, 9, 9, 6, 6, 6], "PyTorch": [9, 6, 6, 6, 9, 6, 6, 6]}
    found = {
        name: WorkerResult([{"seconds": one, "loss": one / 2} for one in rounds])
        for name, rounds in seconds.items()
    }
    calls = []

    def run_rounds(workers, options, rounds, progress):
        calls.append((options, rounds))
        with np.load(Path(options["folder"], "recommender.npz")) as data:
            assert [len(array) for array in data.values()] == [96] * 3
        return found

    def compare_all(job, *_):
        return [Comparison(job, kind, [1], [2]) for kind in ("arrays", "tf.data", "Adam")]

    monkeypatch.setattr(fit, "run_rounds", run_rounds)
    monkeypatch.setattr(fit, "_compare_all", compare_all)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    yield found
    ((options, rounds),) = calls
    assert rounds == 2 * options["rounds_each"] == 8


def measure():
    models = {name: (EXAMPLE_MODELS[name][0], 96) for name in ("tabular MLP", "recommender")}
    return list(fit.measure(Setup(), models, (32,), rounds=3))


def test_each_model_has_its_rounds_beside_pytorch(results):
    *_, first, second, table = measure()
    assert (first.job, second.job) == (
        "tabular MLP, 32, kerashw's Adam",
        "recommender, 32, kerashw's Adam",
    )
    assert (first.ours, first.theirs) == ([1, 2, 3], [2, 2, 2])
    assert first.quality == "loss 4.500, 3.000"
    assert (second.ours, second.theirs) == ([2, 2, 2], [2, 2, 2])
    assert [row[-1] for row in table.rows] == [1, 1, 1, 1]


def test_pytorch_is_left_out_if_it_fails(results):
    results["PyTorch"].failure = "boom"
    *_, remark, table = measure()
    assert remark == "PyTorch failed and is left out: boom"
    assert [row[-1] for row in table.rows] == [None] * 4


def test_a_failure_of_kerashw_is_an_error(results):
    results["kerashw"].failure = "boom"
    with pytest.raises(BenchmarkError, match="kerashw failed: boom"):
        measure()

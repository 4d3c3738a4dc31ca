import contextlib
import importlib.util
import json
import subprocess
import sys

import pytest

from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.hardware_limits.epoch_arithmetic import epoch
from kerashw.benchmark.peers import keras_fit
from kerashw.benchmark.process_rounds import Outcome
from kerashw.benchmark.result_table import Setup, Table
from kerashw.benchmark.topics import convnet, growth, startup, training
from kerashw.errors import BenchmarkError

OPTIONS = {"model": "softmax", "batch_size": 128, "seed": 0, "data_dir": None, "rounds": 1}


def outcome(seconds, accuracies, peak=2**30, **more):
    rounds = zip(seconds, accuracies, strict=True)
    return Outcome([{"seconds": s, "accuracy": a, **more} for s, a in rounds], peak)


@pytest.fixture
def found():
    rates = {"float32": 1e12, "bfloat16": 2e12}
    return {
        "kerashw": outcome([5.0, 4.0, 6.0], [0.97, 0.98, 0.99]),
        "kerashw, bfloat16": outcome([3.0, 2.0, 2.0], [0.97, 0.98, 0.99]),
        "Keras' fit": outcome([10.0, 10.0, 10.0], [0.97, 0.99, 0.99], peak=2**31),
        "PyTorch": outcome([10.0, 8.0, 10.0], [0.9, 0.9, 0.9]),
        "torch.compile": Outcome(failure="InductorError: no compiler"),
        "machine": outcome([1.0, 1.0, 1.0], [0, 0, 0], **rates),
        "products": outcome([1.0, 1.0, 1.0], [0, 0, 0], float32=4.0, bfloat16=1.0),
    }


def collected(run, way):
    """Return what a way reports of its rounds."""
    reports = []

    @contextlib.contextmanager
    def turn():
        reports.append({})
        yield reports[-1]

    run(turn, OPTIONS, way)
    return reports


@pytest.mark.parametrize("way", ["kerashw", "keras"])
def test_both_of_keras_ways_learn_the_same(data, way):
    (report,) = collected(keras_fit.train, way)
    assert 0.91 < report["accuracy"] < 0.93


def test_an_epoch_is_compared_with_its_limits_round_by_round(found):
    table = training.limits(found, "convnet")
    floor = epoch("convnet").operations / 1e12
    assert table.rows == [
        ("kerashw", [4.0, 6.0], [4.0, 4.0], 1.25, [floor] * 2, pytest.approx(5 / floor)),
        (
            "kerashw, bfloat16",
            [2.0, 2.0],
            [1.0, 1.0],
            2.0,
            [floor / 2] * 2,
            pytest.approx(4 / floor),
        ),
    ]


def test_a_peer_that_fails_is_said(found):
    (said,) = training.comparisons(found, "mlp", "kerashw", ["kerashw", "torch.compile"])
    assert said == "torch.compile failed at the MLP and is left out: InductorError: no compiler"


def test_the_time_to_an_accuracy_counts_every_epoch_up_to_it(found):
    rows = {row[0]: row[1:] for row in training.time_to(found, 0.9833).rows}
    assert rows["kerashw"] == (3, 15.0, 1.0)
    assert rows["Keras' fit"] == (2, 20.0, 0.75)
    assert rows["PyTorch"] == (None, None, None)
    assert set(rows) == set(found) - {*training.LIMITS, "torch.compile"}


def test_memory_is_compared(found):
    rows = {row[0]: row[1:] for row in training.memory(found, "mlp").rows}
    assert rows["Keras' fit"] == (2048, 0.5)


def test_ours_failing_is_no_remark(monkeypatch):
    failed = {"kerashw": Outcome(failure="boom")}
    monkeypatch.setattr(training, "take_rounds", lambda *_: failed)
    with pytest.raises(BenchmarkError, match="kerashw failed: boom"):
        training.run(Setup(), "mlp", {"kerashw": training.OURS["kerashw"]}, 1)


def test_without_pytorch_it_is_left_out_and_said(monkeypatch, found):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    asked = []
    monkeypatch.setattr(training, "take_rounds", lambda ways, *_: asked.append(set(ways)) or found)
    remarks = [one for one in training.measure(Setup()) if isinstance(one, str)]
    assert remarks == [training.NO_PYTORCH]
    assert asked == [{"kerashw", "Keras' fit", *training.LIMITS}] * 2
    remarks = [one for one in convnet.measure(Setup()) if isinstance(one, str)]
    assert remarks == [training.NO_PYTORCH]
    assert asked[2] == {"kerashw", "kerashw, bfloat16", "Keras' fit", *training.LIMITS}


def test_every_way_of_the_convnet_is_compared(monkeypatch, found):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    found["PyTorch, bfloat16"] = outcome([4.0, 4.0, 4.0], [0.9, 0.9, 0.9])
    monkeypatch.setattr(training, "take_rounds", lambda *_: found)
    results = list(convnet.measure(Setup()))
    pairs = [(one.job, one.peer) for one in results if isinstance(one, Comparison)]
    assert pairs == [
        ("epoch of ConvNet", "Keras' fit"),
        ("epoch of ConvNet", "PyTorch"),
        ("epoch of ConvNet, bfloat16", "kerashw"),
        ("epoch of ConvNet, bfloat16", "PyTorch"),
        ("epoch of ConvNet, bfloat16", "PyTorch, bfloat16"),
    ]
    assert sum(isinstance(one, Table) for one in results) == 3


def test_both_ways_to_load_give_the_same(data):
    (comparison,) = startup.compare_loading(rounds=1)
    assert comparison.quality == "the same examples"


def test_what_is_typed_keeps_its_spaces(tmp_path):
    folder, data_dir = tmp_path / "a b", "c d"
    command = startup._command("kerashw", {}, folder, data_dir)
    assert command[-4:] == ["--output", str(folder / "run"), "--data-dir", data_dir]


def test_a_command_that_fails_is_said_in_one_line():
    with pytest.raises(BenchmarkError, match=r"failed: ValueError: no$"):
        startup._seconds_to_last_line([sys.executable, "-c", "raise ValueError('no')"])


def test_growth_has_each_size_once(data):
    few = data.first(600, 100)
    sizes = []
    grown = growth.grow("softmax", few, 1, sizes.append, (200, 600), (64, 128))
    assert len(sizes) == 3
    assert list(grown.by_examples) == [200, 600]
    assert list(grown.by_batch_size) == [64, 128]
    assert grown.by_examples[600] == grown.by_batch_size[128]


def test_growth_s_tables_tell_the_ratios():
    grown = growth.Growth("mlp", {1: [1.0], 2: [2.5], 4: [4.0, 5.0, 9.0]}, {32: [3.0], 128: [1.5]})
    by_examples, by_batch_size = growth.tables([grown])
    assert [row[2] for row in by_examples.rows] == [1.0, 2.5, 2.0]
    assert by_examples.rows[2][:2] == (4, [4.0, 5.0, 9.0])
    assert [row[2] for row in by_batch_size.rows] == [2.0, 1.0]


@pytest.mark.slow
def test_what_the_command_imports_is_what_is_timed():
    # All that `kerashw.train` has imported when it starts to train, and nothing after it.
    script = "import json, sys; {}; print(json.dumps(sorted(sys.modules)))"
    command = (
        "from kerashw.train.__main__ import main; main(['--model', 'softmax', '--seed', '-1'])"
    )
    imported = [
        set(json.loads(run(script.format(body)).splitlines()[-1]))
        for body in (command, f"exec({startup.IMPORTS!r})")
    ]
    kerashw = [{name for name in names if name.startswith("kerashw")} for names in imported]
    assert kerashw[0] - kerashw[1] <= {"kerashw.train", "kerashw.console"}
    assert kerashw[1] <= kerashw[0]


def run(script):
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    ).stdout

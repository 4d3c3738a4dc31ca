import sys

import pytest

from kerashw.benchmark.result_table import Setup
from kerashw.benchmark.topics import scaling
from kerashw.errors import BenchmarkError, WorkerError


def test_what_is_lost_is_beside_one_of_the_same_strategy():
    rates = dict(zip(scaling.WAYS, (100, 80, 90, 45), strict=True))
    assert [scaling._lost(way, rates) for way in scaling.WAYS] == [
        None,
        pytest.approx(20),
        None,
        pytest.approx(50),
    ]


@pytest.mark.parametrize(
    ("codes", "kind", "said"),
    [((75, 75), WorkerError, "0"), ((75, 2), BenchmarkError, "1"), ((1, 0), BenchmarkError, "0")],
)
def test_only_a_lost_worker_may_be_tried_again(codes, kind, said, monkeypatch):
    left = list(enumerate(codes))
    real = scaling.started

    def started(command, env):
        number, code = left.pop(0)
        script = f"import sys; sys.stderr.write('it was {number}'); sys.exit({code})"
        return real([sys.executable, "-c", script], env=env)

    monkeypatch.setattr(scaling, "started", started)
    with pytest.raises(kind, match=f"it was {said}"):
        scaling._epochs("softmax", ("multiworker", 2, 1), None)


@pytest.mark.slow
def test_every_strategy_is_timed(data, monkeypatch):
    for name, value in (("MODELS", ("softmax",)), ("ROUNDS", 1)):
        monkeypatch.setattr(scaling, name, value)
    (table,) = scaling.measure(Setup())
    assert [row[:3] for row in table.rows] == [
        ("default", 1, 1),
        ("mirrored", 1, 2),
        ("multiworker", 1, 1),
        ("multiworker", 2, 2),
    ]
    for row in table.rows:
        assert min(row[3]) > 0 < row[4]

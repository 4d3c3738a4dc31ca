import sys

import pytest

from kerashw.benchmark.topic_runner import Setup
from kerashw.benchmark.topics import scaling
from kerashw.errors import BenchmarkError, WorkerError


def test_the_loss_is_relative_to_one_replica_of_the_same_strategy():
    rates = dict(zip(scaling.CLUSTERS, (100, 80, 90, 45), strict=True))
    assert [scaling._loss_percentage(cluster, rates) for cluster in scaling.CLUSTERS] == [
        None,
        pytest.approx(20),
        None,
        pytest.approx(50),
    ]


@pytest.mark.parametrize(
    ("codes", "error", "index"),
    [((75, 75), WorkerError, "0"), ((75, 2), BenchmarkError, "1"), ((1, 0), BenchmarkError, "0")],
)
def test_only_the_loss_of_a_worker_is_a_worker_error(codes, error, index, monkeypatch):
    remaining = list(enumerate(codes))
    start_process = scaling.start_process

    def start_failing(command, env):
        number, code = remaining.pop(0)
        script = f"import sys; sys.stderr.write('it was {number}'); sys.exit({code})"
        return start_process([sys.executable, "-c", script], env=env)

    monkeypatch.setattr(scaling, "start_process", start_failing)
    with pytest.raises(error, match=f"it was {index}"):
        scaling._epoch_seconds("softmax", scaling.Cluster("multiworker", 2, 1), None)


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

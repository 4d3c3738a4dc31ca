import pytest

from kerashw.benchmarks import scaling
from kerashw.benchmarks.topic import Setup


def test_what_is_lost_is_beside_one_of_the_same_strategy():
    rates = dict(zip(scaling.WAYS, (100, 80, 90, 45), strict=True))
    assert [scaling._lost(way, rates) for way in scaling.WAYS] == ["", "20 %", "", "50 %"]


@pytest.mark.slow
def test_every_strategy_is_timed(data, monkeypatch):
    for name, value in (("MODELS", ("softmax",)), ("ROUNDS", 1)):
        monkeypatch.setattr(scaling, name, value)
    (table,) = scaling.measure(Setup())
    assert [row[:3] for row in table.rows] == [
        ("default", "1", "1"),
        ("mirrored", "1", "2"),
        ("multiworker", "1", "1"),
        ("multiworker", "2", "2"),
    ]
    for row in table.rows:
        assert int(row[3].replace(",", "")) > 0

from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.example_models import EXAMPLE_MODELS
from kerashw.benchmark.result_table import Table
from kerashw.benchmark.topic_runner import Setup
from kerashw.benchmark.topics import fit


def test_every_model_is_trained_by_both_on_arrays_and_datasets():
    build, _ = EXAMPLE_MODELS["tabular MLP"]
    *comparisons, table = fit.measure(Setup(), {"small": (build, 96)}, (32,), rounds=1)
    jobs = ["small, 32, arrays", "small, 32, tf.data", "small, 32, kerashw's Adam"]
    assert [one.job for one in comparisons] == jobs
    for one in comparisons:
        assert isinstance(one, Comparison)
        ours, theirs = one.quality.removeprefix("loss ").split(", ")
        assert abs(float(ours) - float(theirs)) < 0.05  # another order of the examples
    assert isinstance(table, Table)
    ratios = [one.ratio for one in comparisons]
    assert table.rows == [
        ("small", 32, *ratios),
        ("median", None, sum(ratios[:2]) / 2, None, ratios[2]),
        ("largest", None, max(ratios[:2]), None, ratios[2]),
    ]

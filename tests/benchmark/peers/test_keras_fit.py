import contextlib

import pytest

from kerashw.benchmark.peers import keras_fit
from tests.benchmark.peers import OPTIONS


@pytest.mark.parametrize("library", ["kerashw", "keras"])
def test_both_libraries_reach_the_same_accuracy(data, library):
    reports = []

    @contextlib.contextmanager
    def timed_round():
        reports.append({})
        yield reports[-1]

    keras_fit.train(timed_round, OPTIONS, library)
    (report,) = reports
    assert 0.91 < report["accuracy"] < 0.93

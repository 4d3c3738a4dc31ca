"""Replicas drop other units, and end every epoch with the same averages."""

import numpy as np
import pytest

from tests.fitting.training_jobs import BATCH_SIZE, arrays_of

WORKERS = ["worker-0-of-2", "worker-1-of-2"]


def assert_independent_masks(results):
    (weights,) = arrays_of(results, "dropout masks")
    # Each weight is minus the mean of 8 independent masks of 0 or 2. If the replicas had the same
    # masks, the variance would be 2 or 3 times as large. The bounds are five standard deviations.
    size = len(weights)
    assert abs(weights.mean() + 1) < 5 * np.sqrt(1 / BATCH_SIZE / size)
    assert abs(BATCH_SIZE * weights.var() - 1) < 5 * np.sqrt(2 / size)


def assert_averages_of_first(results, first):
    averages = arrays_of(results, "batch averages")
    for copies, of_first in zip(averages, arrays_of(first, "batch averages"), strict=True):
        assert (copies == of_first[0]).all()


@pytest.mark.parametrize("strategy", ["default", "mirrored-3"])
def test_dropout_masks_of_replicas_are_independent(job_results, strategy):
    assert_independent_masks(job_results[strategy])


def test_all_replicas_have_the_averages_of_the_first(job_results):
    assert_averages_of_first(job_results["mirrored-3"], job_results["mirrored-3"])


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["mirrored-2", *WORKERS])
def test_other_replicas_have_masks_of_their_own_and_equal_averages(slow_job_results, strategy):
    results = slow_job_results[strategy]
    assert_independent_masks(results)
    assert_averages_of_first(
        results, slow_job_results[WORKERS[0]] if "of-2" in strategy else results
    )

"""Replicas drop other units, and end every epoch with the same averages."""

import numpy as np
import pytest

from tests.fitting.training_jobs import BATCH_SIZE, arrays_of

STRATEGIES = ["mirrored-3", "worker-0-of-2", "worker-1-of-2"]


@pytest.mark.parametrize("strategy", ["default", *STRATEGIES])
def test_dropout_masks_of_replicas_are_independent(job_results, strategy):
    (weights,) = arrays_of(job_results[strategy], "dropout masks")
    # Each weight is minus the mean of 8 independent masks of 0 or 2. If the replicas had the same
    # masks, the variance would be 2 or 3 times as large. The bounds are five standard deviations.
    size = len(weights)
    assert abs(weights.mean() + 1) < 5 * np.sqrt(1 / BATCH_SIZE / size)
    assert abs(BATCH_SIZE * weights.var() - 1) < 5 * np.sqrt(2 / size)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_all_replicas_have_the_averages_of_the_first(job_results, strategy):
    first = job_results["worker-0-of-2" if "of-2" in strategy else strategy]
    averages = arrays_of(job_results[strategy], "batch averages")
    for copies, of_first in zip(averages, arrays_of(first, "batch averages"), strict=True):
        assert (copies == of_first[0]).all()

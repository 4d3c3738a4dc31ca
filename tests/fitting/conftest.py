"""The results of the training jobs, which the tests of several modules compare."""

import numpy as np
import pytest

from tests.distribution.worker_processes import start, start_workers, wait_for
from tests.shared_folder import shared_folder

MODULE = "tests.fitting.training_jobs"
LOCAL = ["default", "mirrored-3"]
SLOW_LOCAL = ["default", "mirrored-2", "mirrored-3"]
WORKERS = ["worker-0-of-2", "worker-1-of-2"]


@pytest.fixture(scope="session")
def job_results(data, tmp_path_factory):
    """The arrays of `training_jobs` by strategy, and then by name of the job and number."""

    def run_jobs(folder):
        workers = start_workers(MODULE, [folder, "quick"], 2)
        wait_for([start(MODULE, [folder, *LOCAL]), *workers])

    folder = shared_folder(tmp_path_factory, "training-jobs", run_jobs)
    return {name: dict(np.load(folder / f"{name}.npz")) for name in LOCAL + WORKERS}


@pytest.fixture(scope="session")
def slow_job_results(tmp_path_factory):
    """The same of the slow jobs."""
    folder = tmp_path_factory.mktemp("slow-training-jobs")
    wait_for(start_workers(MODULE, [folder, "slow"], 2))
    wait_for([start(MODULE, [folder, *(f"{name}-slow" for name in SLOW_LOCAL)])])
    results = {name: dict(np.load(folder / f"{name}-slow.npz")) for name in SLOW_LOCAL}
    return results | {name: dict(np.load(folder / f"{name}.npz")) for name in WORKERS}


@pytest.fixture(scope="session")
def job_results_of_workers():
    """A function that runs the jobs on some workers, and returns what the first one computed."""

    def run(folder, workers):
        wait_for(start_workers(MODULE, [folder, "few"], workers))
        return dict(np.load(folder / f"worker-0-of-{workers}.npz"))

    return run

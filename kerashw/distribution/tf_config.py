"""Read the cluster from the environment variable `TF_CONFIG`."""

import json
import os

from kerashw.errors import InputError

EXAMPLE = (
    'Expected, for the first of two workers: TF_CONFIG=\'{"cluster": {"worker": '
    '["host1:12345", "host2:12345"]}, "task": {"type": "worker", "index": 0}}\''
)


def read_cluster():
    """Read the workers in `TF_CONFIG`.

    Returns:
        Pair of a tuple of the workers' addresses, "host:port", with the chief's first, and the
        integer index of this worker. `((), 0)` if there is neither a cluster nor a task.

    Raises:
        InputError: If `TF_CONFIG` is invalid. A task without its cluster is, because each process
            would train alone.
    """
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text or "{}")
        jobs = config.get("cluster", {})
        if not (jobs or "sparseCluster" in config or config.get("task")):
            return (), 0
        if not jobs:
            raise ValueError(
                "it has a task but no cluster, and sparseCluster (enableDynamicWorker of Kubeflow) "
                "is not supported. Without TF_CONFIG, or with --strategy default, this process "
                "trains alone"
            )
        if not jobs.keys() <= {"chief", "worker"} or len(jobs.get("chief", ())) > 1:
            raise ValueError("expected workers, and at most one chief")
        task = config["task"]["type"], int(config["task"]["index"])
        tasks = [(job, i) for job in ("chief", "worker") for i in range(len(jobs.get(job, ())))]
        if task not in tasks:
            raise ValueError(f"the cluster has no {task[0]} {task[1]}")
        addresses = tuple(jobs[job][i] for job, i in tasks)
        index = tasks.index(task)
        for address in addresses:
            if not 0 < int(address.rpartition(":")[2]) < 65_536 or not address.rpartition(":")[0]:
                raise ValueError(f"no host:port: {address}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"TF_CONFIG does not list the workers and the index of this one: {error}. "
            f"{EXAMPLE}. Received: {text}"
        ) from error
    return addresses, index

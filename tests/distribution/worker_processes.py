"""Start Python modules as processes, alone or as the workers of a cluster."""

import contextlib
import json
import os
import subprocess
import sys

from tests.ports import free_ports


def start(module, arguments, **environment):
    """Start a module as a process."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"} | environment
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def start_workers(module, arguments, number):
    """Start the workers of a cluster on this machine; return their processes, the chief's first."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(number)]}
    tasks = [{"type": "worker", "index": index} for index in range(number)]
    configs = [json.dumps({"cluster": cluster, "task": task}) for task in tasks]
    return [start(module, arguments, TF_CONFIG=config) for config in configs]


def wait_for(processes, exit_codes=None):
    """Wait until processes end with these exit codes; return their outputs and error outputs."""
    outputs = [process.communicate(timeout=900) for process in processes]
    found = [process.returncode for process in processes]
    assert found == (exit_codes or [0] * len(processes)), outputs
    return outputs


@contextlib.contextmanager
def killed_at_exit(processes):
    """Kill the processes at the end of the block, also after an error."""
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()

"""Alternating timing of jobs that each run in a worker process of their own.

TensorFlow and PyTorch in one process would share memory and compete for threads: TensorFlow has its
own thread pool, and PyTorch uses that of OpenMP, whose threads keep spinning for a while after the
work is done. Here, only one worker process computes at a time. The others wait for a line on their
standard input.

`run_rounds` starts the workers. `run_worker` is the main function of each of them.
"""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from kerashw.benchmark.subprocesses import start_process


@dataclasses.dataclass
class WorkerResult:
    """The measurements of one worker process.

    Args:
        rounds: List of dicts, one per round: `seconds`, and the other values that the worker
            reports.
        peak_bytes: Integer, the peak memory of the process; `None` after a failure.
        failure: String, the error that ended the process early; otherwise empty.
    """

    rounds: list = dataclasses.field(default_factory=list)
    peak_bytes: int | None = None
    failure: str = ""

    def seconds(self, warm_up=1):
        """Return the seconds of all rounds except the first `warm_up` rounds."""
        return [one["seconds"] for one in self.rounds[warm_up:]]


def run_rounds(workers, options, rounds, progress=lambda message: None):
    """Run one round of each worker process, then the next round of each.

    A worker that fails does not affect the others.

    Args:
        workers: Dict, name → the module and its arguments as in `python -m`. The main function of
            the module is `run_worker`.
        options: Dict of numbers and strings that is passed to all workers.
        rounds: Integer, the number of rounds of each worker.
        progress: Function of a string that describes the current step.

    Returns:
        Dict, name → `WorkerResult`.
    """
    with contextlib.ExitStack() as stack:
        running = {
            name: stack.enter_context(_start_worker(command, options | {"rounds": rounds}))
            for name, command in workers.items()
        }
        for number in range(1, rounds + 1):
            for name, worker in running.items():
                if not worker.result.failure:
                    progress(f"round {number} of {rounds}, {name}")
                    worker.run_round()
        for worker in running.values():
            worker.finish()
    return {name: worker.result for name, worker in running.items()}


@contextlib.contextmanager
def _start_worker(command, options):
    command = [sys.executable, "-m", *command.split(), json.dumps(options)]
    with start_process(command, stdin=subprocess.PIPE) as process:
        # No worker starts before all of them have finished their imports.
        process.stdout.readline()
        yield _Worker(process)


class _Worker:
    """A worker process and its measurements.

    Attributes:
        result: `WorkerResult`.
    """

    def __init__(self, process):
        self.process, self.result = process, WorkerResult()

    def run_round(self):
        """Run one round, and append its measurements to the result."""
        report = self._request()
        if report:
            self.result.rounds.append(report)

    def finish(self):
        """Add the peak memory to the result, unless the process has failed."""
        if not self.result.failure:
            self.result.peak_bytes = self._request().get("peak_bytes")

    def _request(self):
        """Send one line; return the response, a dict. After a failure, it is empty."""
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            self.result.failure = self.process.last_error_line()
            return {}


def run_worker(job):
    """Run a job as a worker process of `run_rounds`.

    The process writes a line of JSON when it is ready, and one after each round. It starts a round
    when it reads a line.

    Args:
        job: Function of `timed_round` and of the dict of options. It runs each of its rounds in
            `with timed_round() as report:`, and may add values to the dict `report`.
    """
    # Everything else that is written to the standard output goes to the standard error.
    responses = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # With line buffering, the last line of a process that fails is its error.
    sys.stdout.reconfigure(line_buffering=True)

    def write(response):
        responses.write(json.dumps(response) + "\n")
        responses.flush()

    @contextlib.contextmanager
    def timed_round():
        if not sys.stdin.readline():
            raise SystemExit(0)
        report = {}
        started = time.perf_counter()
        yield report
        write(report | {"seconds": time.perf_counter() - started})

    write({"ready": True})
    job(timed_round, json.loads(sys.argv[-1]))
    sys.stdin.readline()
    write({"peak_bytes": peak_bytes()})


def peak_bytes():
    """Return the peak memory of this process.

    Returns:
        Integer, bytes.

    Example:
        >>> peak_bytes() > 2**20
        True
    """
    try:
        # Unlike `ru_maxrss`, this does not include the memory of the parent process.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

"""Timing several ways of doing the same, each in a process of its own, round by round.

TensorFlow and PyTorch in one process would share its memory and fight over its threads: TensorFlow
keeps a pool of its own, PyTorch OpenMP's, whose threads go on spinning for a while after their
work. Here only the one whose turn it is works; the others wait for a line on their standard input.
"""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from kerashw.benchmark.subprocesses import started


@dataclasses.dataclass
class Outcome:
    """What one way did.

    Args:
        rounds: List of dicts, one a round: `seconds`, and what the way reports beside them.
        peak_bytes: Integer, the most memory that its process had; `None` after a failure.
        failure: String, why it went no further; empty if it did not fail.
    """

    rounds: list = dataclasses.field(default_factory=list)
    peak_bytes: int | None = None
    failure: str = ""

    def seconds(self, warm_up=1):
        """Return the seconds of the rounds after the first `warm_up` ones."""
        return [one["seconds"] for one in self.rounds[warm_up:]]


def take_rounds(modules, options, rounds, progress=lambda doing: None):
    """Run modules side by side as processes, one round of each, then the next round.

    Args:
        modules: Dict, name → the module, with arguments, that `python -m` starts; its main function
            is `contend`.
        options: Dict of what all of them are told, numbers and strings.
        rounds: Integer, the rounds that each runs.
        progress: Function that takes a string, what is being done.

    Returns:
        Dict, name → `Outcome`.
    """
    outcomes = {name: Outcome() for name in modules}
    with contextlib.ExitStack() as stack:
        processes = {
            name: stack.enter_context(_started(module, options | {"rounds": rounds}))
            for name, module in modules.items()
        }
        for number in range(1, rounds + 1):
            for name, process in processes.items():
                if not outcomes[name].failure:
                    progress(f"round {number} of {rounds}, {name}")
                    _ask(process, outcomes[name], lambda o, answer: o.rounds.append(answer))
        for name, process in processes.items():
            if not outcomes[name].failure:
                _ask(process, outcomes[name], lambda o, answer: vars(o).update(answer))
    return outcomes


def _ask(process, outcome, keep):
    try:
        keep(outcome, process.ask())
    except EOFError as error:
        outcome.failure = str(error)


@contextlib.contextmanager
def _started(module, options):
    command = [sys.executable, "-m", *module.split(), json.dumps(options)]
    with started(command, stdin=subprocess.PIPE) as process:
        # Nobody begins before all have imported what they need.
        process.process.stdout.readline()
        yield _Contender(process)


class _Contender:
    """A process that does a round for each line that it is sent."""

    def __init__(self, process):
        self.last_words = process.last_words
        self.input, self.output = process.process.stdin, process.process.stdout

    def ask(self):
        try:
            self.input.write("\n")
            self.input.flush()
            return json.loads(self.output.readline())
        except (BrokenPipeError, json.JSONDecodeError) as error:
            raise EOFError(self.last_words()) from error


def contend(work):
    """Be one of the processes of `take_rounds`.

    Args:
        work: Function of a context manager and the options. It enters the context manager for each
            of its rounds, and may put what it wants to report into the dict that this gives.
    """
    # What else is written to the standard output must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Line by line, so that the last line of a process that fails says why.
    sys.stdout.reconfigure(line_buffering=True)
    write = _writer(answers)
    write({"ready": True})
    work(_turn(write), json.loads(sys.argv[-1]))
    sys.stdin.readline()
    write({"peak_bytes": peak_bytes()})


def _writer(answers):
    def write(answer):
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    return write


def _turn(write):
    @contextlib.contextmanager
    def turn():
        if not sys.stdin.readline():
            raise SystemExit(0)
        report = {}
        started = time.perf_counter()
        yield report
        write(report | {"seconds": time.perf_counter() - started})

    return turn


def peak_bytes():
    """Return the most memory that this process has had so far.

    Returns:
        Integer, bytes.

    Example:
        >>> peak_bytes() > 2**20
        True
    """
    try:
        # Unlike `ru_maxrss`, not that of the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

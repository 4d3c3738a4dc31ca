"""Commands end with the documented exit code when they are interrupted."""

import signal
import time

import pytest

from kerashw.console import EXIT_INTERRUPTED, run_command


class Interrupted:
    """An object whose destructor is interrupted. Python ignores exceptions of destructors."""

    def __init__(self, signal_number):
        self.signal_number = signal_number

    def __del__(self):
        signal.raise_signal(self.signal_number)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_of_a_destructor_is_not_lost(signal_number, capsys):
    handler = signal.getsignal(signal.SIGTERM)

    def command():
        Interrupted(signal_number)
        while True:
            time.sleep(0.01)

    try:
        assert run_command(command, "command") == EXIT_INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, handler)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("command: error: interrupted.")

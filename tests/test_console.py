"""Commands end with the documented exit code when they are interrupted."""

import ctypes
import gc
import signal
import threading
import time

import pytest

from kerashw.console import EXIT_INTERRUPTED, quiet_import, run_command


class Interrupted:
    """An object whose destructor is interrupted. Python ignores exceptions of destructors."""

    def __init__(self, signal_number):
        self.signal_number = signal_number

    def __del__(self):
        signal.raise_signal(self.signal_number)


@pytest.fixture
def interrupted_code(capsys):
    """Runs a function as a command that is interrupted; returns its exit code."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def run(command):
        code = run_command(command, "command")
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("command: error: interrupted.")
        return code

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("signal_number", SIGNALS)
def test_an_interruption_of_a_destructor_is_not_lost(signal_number, interrupted_code):
    def command():
        Interrupted(signal_number)
        while True:
            time.sleep(0.01)

    assert interrupted_code(command) == EXIT_INTERRUPTED


@pytest.mark.parametrize("signal_number", SIGNALS)
def test_an_interruption_that_c_code_prints_is_not_lost(signal_number, interrupted_code):
    def command():
        statement = f"import signal; signal.raise_signal({int(signal_number)})"
        # It prints an exception by PyErr_Print, as TensorFlow does in some places, and goes on.
        assert ctypes.pythonapi.PyRun_SimpleString(statement.encode()) == -1
        while True:
            time.sleep(0.01)

    assert interrupted_code(command) == EXIT_INTERRUPTED


@pytest.mark.parametrize("signal_number", SIGNALS)
def test_an_interruption_while_one_is_repeated_is_not_lost(
    signal_number, interrupted_code, monkeypatch
):
    start = threading.Timer.start

    def start_late(timer):  # on a busy machine, the next signal arrives before the hook has ended
        monkeypatch.setattr(threading.Timer, "start", start)
        start(timer)
        signal.raise_signal(signal_number)

    def command():
        monkeypatch.setattr(threading.Timer, "start", start_late)
        Interrupted(signal_number)
        while True:
            time.sleep(0.01)

    assert interrupted_code(command) == EXIT_INTERRUPTED


@pytest.mark.parametrize("signal_number", SIGNALS)
@pytest.mark.parametrize("error", [SystemError, OSError])
def test_an_interruption_may_become_another_exception(signal_number, error, interrupted_code):
    def command():
        try:
            signal.raise_signal(signal_number)
        except KeyboardInterrupt:
            raise error("a result with an exception set") from None

    assert interrupted_code(command) == EXIT_INTERRUPTED


def test_the_garbage_collector_rests_during_an_import():
    with quiet_import():
        assert not gc.isenabled()
    assert gc.isenabled()

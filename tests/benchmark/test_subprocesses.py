import subprocess
import sys

import pytest

from kerashw.benchmark import subprocesses

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_block_ends_the_process(error):
    with pytest.raises(error), subprocesses.start_process(SLEEP) as process:
        assert process.poll() is None
        raise error
    assert process.returncode < 0


def test_a_long_standard_error_does_not_block_the_process():
    script = "import sys; sys.stderr.write('x' * 2**20 + '\\nthe end\\n'); sys.exit(3)"
    with subprocesses.start_process([sys.executable, "-c", script]) as process:
        assert process.wait(60) == 3
        assert process.last_error_line() == "the end"


def test_without_an_error_message_the_exit_code_is_reported():
    with subprocesses.start_process([sys.executable, "-c", "raise SystemExit(4)"]) as process:
        assert process.last_error_line() == "exit code 4"


def test_input_for_a_process_that_has_ended_is_discarded():
    command = [sys.executable, "-c", ""]
    with subprocesses.start_process(command, stdin=subprocess.PIPE) as process:
        process.wait(60)
        process.stdin.write("too late")

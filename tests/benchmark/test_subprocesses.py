import subprocess
import sys

import pytest

from kerashw.benchmark import subprocesses

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_none_outlives_an_error(error):
    with pytest.raises(error), subprocesses.started(SLEEPS) as process:
        assert process.process.poll() is None
        raise error
    assert process.process.returncode < 0


def test_much_on_the_standard_error_blocks_nobody():
    script = "import sys; sys.stderr.write('x' * 2**20 + '\\nthe end\\n'); sys.exit(3)"
    with subprocesses.started([sys.executable, "-c", script]) as process:
        assert process.process.wait(60) == 3
        assert process.last_words() == "the end"


def test_without_a_word_the_exit_code_is_said():
    with subprocesses.started([sys.executable, "-c", "raise SystemExit(4)"]) as process:
        assert process.last_words() == "exit code 4"


def test_one_that_is_gone_is_not_written_to():
    command = [sys.executable, "-c", ""]
    with subprocesses.started(command, stdin=subprocess.PIPE) as process:
        process.process.wait(60)
        process.process.stdin.write("too late")

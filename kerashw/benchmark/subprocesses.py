"""Processes that a topic starts: they end with it, and their last words are its error."""

import contextlib
import subprocess
import tempfile


class Process:
    """A running process.

    Args:
        process: `subprocess.Popen`.
        errors: Binary file that takes its standard error: unlike a pipe, it is never full.
    """

    def __init__(self, process, errors):
        self.process, self.errors = process, errors

    def last_words(self):
        """Wait for its end; return the last line that it wrote to its standard error."""
        code = self.process.wait()
        self.errors.seek(0)
        return last_line(self.errors.read().decode(errors="replace")) or f"exit code {code}"


@contextlib.contextmanager
def started(command, **settings):
    """Start a process; end it where the block ends with an error or is interrupted.

    Args:
        command: List of strings.
        **settings: Further arguments of `subprocess.Popen`.

    Yields:
        `Process`; its standard output is a pipe, of text. When the block ends without an error,
        the process' own end is awaited.
    """
    pipes = {"stdout": subprocess.PIPE, "text": True}
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stderr=errors, **pipes, **settings) as process,
    ):
        try:
            yield Process(process, errors)
        except BaseException:
            process.kill()
            raise
        finally:
            # One that has failed does not read what was meant for it.
            if process.stdin:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()


def last_line(text):
    r"""Return the last line that is not empty; of a traceback, what was raised.

    Example:
        >>> last_line("Traceback:\n  …\nValueError: too much\n\n")
        'ValueError: too much'
    """
    return next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "")

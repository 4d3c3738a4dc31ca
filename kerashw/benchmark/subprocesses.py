"""Child processes that end with the block that started them, and that report why they failed."""

import contextlib
import socket
import subprocess
import tempfile


class Process(subprocess.Popen):
    """A child process whose standard error is kept in a file.

    Unlike a pipe, a file never blocks the process. The standard output is a text pipe.

    Args:
        command: List of strings.
        error_file: Binary file for the standard error.
        **settings: Further arguments of `subprocess.Popen`.
    """

    def __init__(self, command, error_file, **settings):
        self.error_file = error_file
        super().__init__(command, stdout=subprocess.PIPE, stderr=error_file, text=True, **settings)

    def last_error_line(self):
        """Wait for the end of the process; return the last line of its standard error."""
        code = self.wait()
        self.error_file.seek(0)
        return last_line(self.error_file.read().decode(errors="replace")) or f"exit code {code}"


@contextlib.contextmanager
def start_process(command, **settings):
    """Start a process; kill it if the block raises an exception.

    Args:
        command: List of strings.
        **settings: Further arguments of `subprocess.Popen`.

    Yields:
        `Process`. If the block ends without an exception, the context manager waits for the end of
        the process.
    """
    with (
        tempfile.TemporaryFile() as error_file,
        Process(command, error_file, **settings) as process,
    ):
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            # A process that has failed no longer reads its input.
            if process.stdin:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()


def free_ports(number):
    """Return TCP ports of 127.0.0.1 that no process uses.

    Args:
        number: Integer.

    Returns:
        List of different integers.
    """
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def last_line(text):
    r"""Return the last line that is not empty. In a traceback, this is the exception.

    Example:
        >>> last_line("Traceback:\n  …\nValueError: too much\n\n")
        'ValueError: too much'
    """
    return next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "")

"""Functions that the commands share: options, the console, imports, exit codes and error lines."""

import argparse
import contextlib
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

from kerashw.errors import InputError, KerashwError, WorkerError
from kerashw.files import temporary_folder

EXIT_ERROR = 2
EXIT_TEMPORARY_FAILURE = 75  # EX_TEMPFAIL of sysexits.h: a scheduler may start the command again
EXIT_INTERRUPTED = 130
RESUME_HINT = "The same command resumes after the last finished epoch"


class Parser(argparse.ArgumentParser):
    """An argument parser that keeps the line breaks of its epilog and reports errors in one line.

    Args:
        prog: String, the command as the user types it.
        settings: Further arguments of `argparse.ArgumentParser`.
    """

    def __init__(self, prog, formatter_class=argparse.RawDescriptionHelpFormatter, **settings):
        super().__init__(prog, formatter_class=formatter_class, **settings)

    def error(self, message):
        """Print the error and end the process."""
        print_error(self.prog, f"{message}. See {self.prog} --help")
        raise SystemExit(EXIT_ERROR)


def add_data_dir_option(parser):
    """Add `--data-dir` to a parser or to an argument group."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="where tensorflow-datasets keeps its data (default: ~/tensorflow_datasets)",
    )


def add_quiet_option(parser):
    """Add `--quiet` to a parser or to an argument group."""
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def check_writable(option, path, is_folder=False):
    """Check that an output path can be written, before the work rather than after it.

    Args:
        option: String, the command-line option with the path.
        path: String, the path of a file or a folder; `None` if the option is not given. The folder,
            or the folder of the file, is created if it does not exist.
        is_folder: Boolean; whether `path` is a folder.

    Raises:
        InputError: If it cannot be written.
    """
    if path is None:
        return
    folder = Path(path) if is_folder else Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder):
            reason = "Is a directory" if not is_folder and Path(path).is_dir() else None
    except OSError as error:
        reason = error.strerror
    if reason:
        raise InputError(f"{option} {path} cannot be written: {reason}. Choose another path")


def create_console(quiet=False, width=110):
    """Return a console for the output of a command.

    Args:
        quiet: Boolean; whether it prints nothing.
        width: Integer, the number of columns if the standard output is not a terminal.

    Returns:
        `rich.console.Console`.
    """
    # Imported here, so that `python -m kerashw` does not import rich.
    from rich.console import Console

    return Console(quiet=quiet, width=None if sys.stdout.isatty() else width)


@contextlib.contextmanager
def quiet_import():
    """Hide the standard error while TensorFlow is imported; show it if the import fails.

    TensorFlow writes there from C++, which Python's `sys.stderr` cannot intercept, before it reads
    its log level.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("absl").setLevel(logging.ERROR)
    with tempfile.TemporaryFile() as hidden, _redirect_standard_error(hidden):
        try:
            yield
        except Exception:
            hidden.seek(0)
            sys.stderr.write(hidden.read().decode(errors="replace"))
            raise


@contextlib.contextmanager
def _redirect_standard_error(file):
    sys.stderr.flush()
    original = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(original, 2)
        os.close(original)


def run_command(command, name, hint=RESUME_HINT):
    """Run a command, and report its errors and interruptions in one line.

    Args:
        command: Function without arguments that returns the exit code; `None` means 0.
        name: String, the command as the user types it.
        hint: String, a sentence to print after an interruption or a full disk.

    Returns:
        Integer, the exit code: that of the command, 2 after an error, 75 after a temporary failure
        (another worker cannot be reached or was lost), 130 after an interruption.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return command() or 0
    except KerashwError as error:
        print_error(name, error)
        return EXIT_TEMPORARY_FAILURE if isinstance(error, WorkerError) else EXIT_ERROR
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print_error(name, f"{where}{error.strerror or error}. {hint}")
        return EXIT_ERROR
    except KeyboardInterrupt:
        print_error(name, f"interrupted. {hint}")
        return EXIT_INTERRUPTED


def print_error(name, message):
    """Print an error of a command as one line to the standard error."""
    sys.stderr.write(f"{name}: error: {' '.join(str(message).split())}\n")


def _interrupt(signal_number, frame):
    raise KeyboardInterrupt

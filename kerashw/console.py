"""What the commands share: how they start TensorFlow, take arguments and report a failure."""

import argparse
import contextlib
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

from kerashw.errors import InputError, KerashwError, WorkerError
from kerashw.files import scratch_folder

FAILED = 2
TRY_AGAIN = 75  # as EX_TEMPFAIL in sysexits.h: a scheduler may start the command again
INTERRUPTED = 130
GOES_ON = "The same command goes on after the last finished epoch"


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a mistake in one line."""

    def error(self, message):
        """Print the mistake and end the process."""
        print_error(self.prog, f"{message}. See {self.prog} --help")
        raise SystemExit(FAILED)


def run_command(command, name, when_interrupted=GOES_ON):
    """Run a command's body, and turn what the user can do something about into one line.

    Args:
        command: Function without arguments; what it returns, if anything, is the exit code.
        name: String, the command as the user types it.
        when_interrupted: String, what is kept when it ends before its time.

    Returns:
        Integer, the exit code: the command's or 0, 2 after an error, 75 after one that may not
        come again (another worker is out of reach or was lost), 130 after an interruption.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return command() or 0
    except KerashwError as error:
        print_error(name, error)
        return TRY_AGAIN if isinstance(error, WorkerError) else FAILED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print_error(name, f"{where}{error.strerror or error}. {when_interrupted}")
        return FAILED
    except KeyboardInterrupt:
        print_error(name, f"interrupted. {when_interrupted}")
        return INTERRUPTED


def print_error(name, message):
    """Print one line about a failure to the standard error."""
    sys.stderr.write(f"{name}: error: {' '.join(str(message).split())}\n")


@contextlib.contextmanager
def quiet_start():
    """Hold back what TensorFlow writes to the standard error while it is imported.

    It writes there from C++, past Python and before its own log level is read. If the import
    fails, what it wrote is shown.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("absl").setLevel(logging.ERROR)
    with tempfile.TemporaryFile() as written, _standard_error_to(written):
        try:
            yield
        except Exception:  # whatever an import may meet: what was held back may tell why
            written.seek(0)
            sys.stderr.write(written.read().decode(errors="replace"))
            raise


@contextlib.contextmanager
def _standard_error_to(file):
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def _interrupt(signal_number, frame):
    raise KeyboardInterrupt


def check_writable(flag, path, folder):
    """Find out before the work, not after it, that a place cannot be written.

    Args:
        flag: String, the option that names it.
        path: String as the user typed it, or `None`: there is nothing to check then.
        folder: String or `Path` of the folder to write in; made where it is not there.

    Raises:
        InputError: If nothing can be written there.
    """
    if path is None:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with scratch_folder(folder):
            reason = "Is a directory" if flag == "--json" and Path(path).is_dir() else None
    except OSError as error:
        reason = error.strerror
    if reason:
        raise InputError(f"{flag} {path} cannot be written: {reason}. Choose another place")

"""Functions that the commands share: options, the console, imports, exit codes and error lines."""

import _thread
import argparse
import contextlib
import gc
import logging
import os
import shutil
import signal
import sys
import tempfile
import textwrap
import threading
from pathlib import Path

from kerashw.errors import InputError, KerashwError, WorkerError
from kerashw.files import check_utf8, temporary_folder
from kerashw.streams import EXIT_ERROR, OutputStream, print_error

EXIT_TEMPORARY_FAILURE = 75  # EX_TEMPFAIL of sysexits.h: a scheduler may start the command again
EXIT_INTERRUPTED = 130
RESUME_HINT = "The same command resumes after the last finished epoch"


class Parser(argparse.ArgumentParser):
    """An argument parser that keeps the line breaks of its epilog and reports errors in one line.

    Arguments must be UTF-8: TensorFlow and JSON files have no other names.

    Args:
        prog: String, the command as the user types it.
        description: String; it is broken into lines here.
        settings: Further arguments of `argparse.ArgumentParser`.
    """

    def __init__(self, prog, description="", **settings):
        columns = max(shutil.get_terminal_size().columns - 2, 11)  # as in argparse
        super().__init__(
            prog,
            description=textwrap.fill(description, columns),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,  # --seed of one command is not --seeds of another
            **settings,
        )

    def parse_known_args(self, args=None, namespace=None):
        """Parse arguments as `argparse.ArgumentParser` does."""
        for argument in sys.argv[1:] if args is None else args:
            try:
                check_utf8("an argument", argument)
            except InputError as error:
                self.error(str(error))
        return super().parse_known_args(args, namespace)

    def error(self, message):
        """Print the error and end the process."""
        print_error(self.prog, f"{message}. See {self.prog} --help")
        raise SystemExit(EXIT_ERROR)


def add_data_dir_option(parser):
    """Add `--data-dir` to a parser or to an argument group."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="where tensorflow-datasets keeps its data (default: the environment variable "
        "TFDS_DATA_DIR, or else ~/tensorflow_datasets)",
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

    It prints text as it is, without markup, since file names may have brackets and colons. With
    `TERM=dumb` or `NO_COLOR=1`, it writes no escape codes, and shows no progress bars.

    Args:
        quiet: Boolean; whether it prints nothing.
        width: Integer, the number of columns if the standard output is not a terminal.

    Returns:
        `rich.console.Console`.
    """
    # Imported here, so that `python -m kerashw` does not import rich.
    from rich.console import Console

    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    if sys.stdout.isatty():
        # Without COLUMNS, the console follows the size of the terminal.
        width = shutil.get_terminal_size().columns if "COLUMNS" in os.environ else None
    return Console(
        file=sys.stdout,  # Without it, the console takes the encoding for UTF-8.
        force_terminal=False if plain else None,
        width=width,
        markup=False,
        emoji=False,
        quiet=quiet,
    )


def show_status(console, text):
    """Show a text with a spinner in a terminal, until the block ends.

    Args:
        console: `rich.console.Console`.
        text: String.

    Returns:
        `rich.status.Status`, a context manager.
    """
    spinner = "dots" if console.encoding.startswith("utf") else "line"
    return console.status(text, spinner=spinner)


@contextlib.contextmanager
def quiet_import():
    """Import TensorFlow and Keras without their output, and quickly.

    TensorFlow writes to the standard error from C++, which Python's `sys.stderr` cannot intercept,
    before it reads its log level. If the import fails, its output is shown. Python's garbage
    collector would look at the objects of thousands of modules again and again: it is off during
    the import, and looks only at what is made afterwards.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("absl").setLevel(logging.ERROR)
    with (
        tempfile.TemporaryFile() as hidden,
        _redirect_standard_error(hidden),
        _paused_garbage_collector(),
    ):
        try:
            yield
        except Exception:  # any failed import is shown, and raised again
            hidden.seek(0)
            sys.stderr.write(hidden.read().decode(errors="replace"))
            raise


@contextlib.contextmanager
def _paused_garbage_collector():
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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


def run_command(command, name, hint=RESUME_HINT, needs_reader=False):
    """Run a command, and report its errors and interruptions in one line.

    Args:
        command: Function without arguments that returns the exit code; `None` means 0.
        name: String, the command as the user types it.
        hint: String, a sentence to print after an interruption or a full disk.
        needs_reader: Boolean; whether the command stops with exit code 141 if the reader of its
            standard output ends (`| head -1`). Otherwise, it goes on: it writes files, or serves.

    Returns:
        Integer, the exit code: that of the command, 2 after an error, 75 after a temporary failure
        (another worker cannot be reached or was lost), 130 after an interruption.
    """
    if isinstance(sys.stdout, OutputStream):
        sys.stdout.needs_reader = needs_reader
    interruptions = _Interruptions()
    signal.signal(signal.SIGTERM, interruptions.interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where it is ignored
        signal.signal(signal.SIGINT, interruptions.interrupt)
    try:
        with interruptions.repeated():
            return command() or 0
    except (Exception, KeyboardInterrupt) as error:
        # Inside the C++ code of a library, an interruption can become any exception.
        if interruptions.received or isinstance(error, KeyboardInterrupt):
            print_error(name, f"interrupted. {hint}")
            return EXIT_INTERRUPTED
        if isinstance(error, KerashwError):
            print_error(name, error)
            return EXIT_TEMPORARY_FAILURE if isinstance(error, WorkerError) else EXIT_ERROR
        if isinstance(error, OSError):
            where = f"{error.filename}: " if error.filename else ""
            print_error(name, f"{where}{error.strerror or error}. {hint}")
            return EXIT_ERROR
        raise


class _Interruptions:
    """Interruptions, repeated where Python or a library ignores them instead of ending the command.

    Python ignores an exception in a destructor: TensorFlow's functions have them, and many of them
    run at the end of a training. TensorFlow's C++ code prints some exceptions, and goes on.
    """

    def __init__(self):
        self.received = False
        self._is_in_hook = False
        self._timers = []

    def interrupt(self, signal_number, frame):
        """Handle a signal."""
        self.received = True
        if not self._is_in_hook:  # Python ignores exceptions in the hooks, too
            raise KeyboardInterrupt
        self._repeat()

    def _repeat(self):
        timer = threading.Timer(0.01, _thread.interrupt_main, [signal.SIGTERM])
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    @contextlib.contextmanager
    def repeated(self):
        """Repeat those that are ignored, instead of printing a traceback."""
        hooks = sys.unraisablehook, sys.excepthook
        sys.unraisablehook, sys.excepthook = map(self._repeat_or, hooks)
        try:
            yield
        finally:
            sys.unraisablehook, sys.excepthook = hooks
            for timer in self._timers:
                timer.cancel()

    def _repeat_or(self, show):
        def hook(*arguments):
            kind = arguments[0] if len(arguments) == 3 else arguments[0].exc_type
            if not issubclass(kind, KeyboardInterrupt):
                show(*arguments)
                return
            self._is_in_hook = True
            self._repeat()
            self._is_in_hook = False

        return hook

r"""The standard streams of a command, which no character and no closed end makes fail.

- A character that a stream cannot represent is written as an escape sequence: `\xd7` for × where
  the encoding is ASCII, `\udcff` for a byte of a file name that is not UTF-8.
- A stream that is closed when the command starts (`>&-`, `2>&-`) discards what is written to it.
- If the reader of the standard output ends (`| head -1`), a command that writes files or serves
  models goes on without it, so that no training is lost, and the exit code is the usual one. Every
  other command stops with exit code 141, that of programs which SIGPIPE ends.
- If the standard output cannot be written for another reason, such as a full disk, the command
  goes on or stops in the same way. It then prints the error as one line and exits with code 2.

`run_main` starts a command as a process with such streams. A function `main` that is called from
Python uses the streams of its caller as they are.
"""

import contextlib
import io
import os
import sys
import warnings

EXIT_ERROR = 2
EXIT_UNREAD = 141  # 128 + SIGPIPE, as in a shell
# The error handlers that cannot represent every character. Any other is the user's own choice.
FAILING_HANDLERS = ("strict", "surrogateescape", "surrogatepass")


class OutputStream(io.TextIOWrapper):
    """A text stream that never fails: after an error it discards everything.

    Args:
        stream: `io.TextIOWrapper` to replace. It is detached from its file.

    Attributes:
        error: `OSError`, why the stream cannot be written; `None` without an error.
        needs_reader: Boolean; whether an error raises `SystemExit`.
    """

    def __init__(self, stream, needs_reader=False):
        settings = {
            "encoding": stream.encoding,
            "errors": "backslashreplace" if stream.errors in FAILING_HANDLERS else stream.errors,
            "line_buffering": stream.line_buffering,
            "write_through": stream.write_through,
        }
        super().__init__(stream.detach(), **settings)
        self.error = None
        self.needs_reader = needs_reader

    def write(self, text):
        """Write a text; return its length."""
        try:
            return super().write(text)
        except OSError as error:
            self._discard(error)
            return len(text)

    def flush(self):
        """Write what is buffered."""
        try:
            super().flush()
        except OSError as error:
            self._discard(error)

    def _discard(self, error):
        self.error = error
        # The null device receives what is still buffered, too.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())
        os.close(null)
        if self.needs_reader:
            raise SystemExit(EXIT_UNREAD if isinstance(error, BrokenPipeError) else EXIT_ERROR)


def run_main(main, name):
    """Run the main function of a command as this process, and end the process.

    Python is restarted in its UTF-8 mode where the locale has another encoding of file names:
    TensorFlow reads and writes names in UTF-8 only. Options such as `PYTHONWARNINGS=error` do not
    apply to commands, since TensorFlow and Keras themselves cause warnings.

    Args:
        main: Function without arguments that returns the exit code.
        name: String, the command as the user types it.
    """
    _open_closed_streams()
    _use_utf8_mode()
    _raise_no_warnings()
    sys.stdout = sys.__stdout__ = OutputStream(sys.stdout, needs_reader=True)
    sys.stderr = sys.__stderr__ = OutputStream(sys.stderr)
    try:
        code = main()
    except SystemExit as ended:
        code = ended.code
    with contextlib.suppress(SystemExit):
        sys.stdout.flush()
    sys.exit(_exit_code(code, sys.stdout, name))


def print_error(name, message):
    """Print an error of a command as one line to the standard error."""
    sys.stderr.write(f"{name}: error: {' '.join(str(message).split())}\n")


def _exit_code(code, stream, name):
    """Return the exit code of a command, given that of its main function."""
    if stream.error is None:
        return code
    if isinstance(stream.error, BrokenPipeError):
        return EXIT_UNREAD if stream.needs_reader else code
    reason = stream.error.strerror or stream.error
    print_error(name, f"the standard output cannot be written: {reason}. Redirect it elsewhere")
    return code or EXIT_ERROR


def _open_closed_streams():
    """Open the null device for the standard streams that are closed.

    Otherwise, the next file that is opened would receive what TensorFlow writes to such a stream.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is used: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            file = io.FileIO(descriptor, "w", closefd=False)
            setattr(sys, name, io.TextIOWrapper(file, encoding="utf-8", write_through=True))


def _use_utf8_mode():
    if sys.getfilesystemencoding() == "utf-8" or not sys.executable:
        return
    # The output keeps its encoding. Child processes inherit both variables.
    os.environ.setdefault("PYTHONIOENCODING", f"{sys.stdout.encoding}:backslashreplace")
    os.environ["PYTHONUTF8"] = "1"
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _raise_no_warnings():
    filters = [one for one in warnings.filters if one[0] != "error"]
    if len(filters) < len(warnings.filters):
        warnings.filters[:] = filters
        os.environ.pop("PYTHONWARNINGS", None)  # which child processes would inherit

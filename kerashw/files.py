"""Atomic writes, temporary folders, names of files, folder locks, and delayed signals."""

import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
import threading
from pathlib import Path

from kerashw.errors import InputError

try:
    import fcntl
except ImportError:  # not available on Windows
    fcntl = None

# The start of the names of temporary folders.
TEMPORARY_PREFIX = ".writing-"
# TensorFlow ignores the host of a file:// URL, too.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://[^/]*(?P<path>.*)", re.DOTALL)


@contextlib.contextmanager
def atomic_write(path):
    """Write a file completely or not at all.

    The block writes to a temporary path. If it ends without an error, the file is moved to `path`;
    otherwise it is deleted. Readers, also after a crash, see the old file or the complete new one.

    Args:
        path: String or `Path` of the file; an existing file is replaced.

    Yields:
        `Path` to write to, with the same name in a temporary folder beside `path`.

    Raises:
        OSError: If the file cannot be written: no space, no permission. It names `path`.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with atomic_write(folder / "note.txt") as temporary_path:
        ...     _ = temporary_path.write_text("a note")
        >>> [file.name for file in folder.iterdir()]
        ['note.txt']
    """
    path = Path(path)
    try:
        with temporary_folder(path.parent) as folder:
            temporary_path = folder / path.name
            yield temporary_path
            _flush_to_disk(temporary_path)
            temporary_path.replace(path)
    except OSError as error:
        if error.strerror:
            error.filename = str(path)  # A full disk names no path, a failed `open` the temporary.
        raise


def write_json(path, content):
    """Write a JSON file atomically.

    Args:
        path: String or `Path` of the file; an existing file is replaced.
        content: Object that `json.dumps` accepts.

    Raises:
        OSError: If the file cannot be written.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    with atomic_write(path) as temporary_path:
        temporary_path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def temporary_folder(parent):
    """Create a hidden folder in `parent`, and delete it when the block ends.

    Args:
        parent: `Path` of an existing folder.

    Yields:
        `Path` of the new folder.
    """
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_temporary_folders(parent):
    """Delete the temporary folders that killed processes left in `parent`.

    Args:
        parent: String or `Path`; need not exist.
    """
    for folder in Path(parent).glob(f"{TEMPORARY_PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)


def check_utf8(name, path):
    r"""Check that a path is UTF-8, since TensorFlow and JSON have no other strings.

    Args:
        name: String, what the path is.
        path: String or `Path`.

    Raises:
        InputError: If it has other bytes.

    Example:
        >>> check_utf8("--output", os.fsdecode(b"run\xff"))
        Traceback (most recent call last):
            ...
        kerashw.errors.InputError: --output must be UTF-8. Choose another one. Received: run\udcff
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = str(path).encode(errors="backslashreplace").decode()
        raise InputError(f"{name} must be UTF-8. Choose another one. Received: {shown}") from None


def local_path(name, path):
    """Return the path of a file or a folder of this machine that a user has named.

    A `~` at the start is replaced by the home folder, as a shell does.

    Args:
        name: String, what the path is.
        path: String or `Path`; a URL may start with `file://`.

    Returns:
        `Path`.

    Raises:
        InputError: If it is another URL, or if the home folder is not known.

    Example:
        >>> local_path("--output", "~/runs") == Path.home() / "runs"
        True
        >>> local_path("--output", "file:///tmp/run")
        PosixPath('/tmp/run')
    """
    url = _URL.fullmatch(str(path))
    if url and url["scheme"].lower() != "file":
        raise InputError(
            f"{name} {path} is not on this machine, and {url['scheme']}:// is not supported. "
            "Mount it as a folder, or copy it, and give the path of the folder"
        )
    try:
        return Path(url["path"] if url else path).expanduser()
    except RuntimeError:
        raise InputError(
            f"{name} {path} has no known home folder. Choose a folder without ~"
        ) from None


@contextlib.contextmanager
def lock_folder(folder, wait=True):
    """Lock a folder against other processes until the block or the process ends.

    Args:
        folder: String or `Path` of an existing folder.
        wait: Boolean; whether to wait while another process has the lock.

    Raises:
        BlockingIOError: If another process has the lock and `wait` is false.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with lock_folder(folder), lock_folder(folder, wait=False):
        ...     pass
        Traceback (most recent call last):
            ...
        BlockingIOError: [Errno 11] Resource temporarily unavailable
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def delay_signals():
    """Delay Ctrl-C and SIGTERM until the block has ended.

    Signals reach only the main thread. In other threads this does nothing.

    Example:
        >>> with delay_signals():
        ...     pass
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received = []
    handlers = {
        number: signal.signal(number, lambda number, frame: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
    if received:
        signal.raise_signal(received[0])


def _flush_to_disk(path):
    with path.open("rb") as file:
        os.fsync(file.fileno())

"""Files that appear whole or not at all."""

import contextlib
import json
import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None


@contextlib.contextmanager
def written_whole(path):
    """Give a path to write to, and put what was written at `path` in one step.

    What was written becomes `path` when the block ends without an error, and is removed when it
    ends with one. A reader, or a process started after a crash, sees the old file or the new one.

    Args:
        path: String or `Path` of the file to write; an existing file is replaced.

    Yields:
        `Path` beside `path`, with the same suffix, to write to.

    Raises:
        OSError: What the file system says: no space, no permission.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with written_whole(folder / "note.txt") as aside:
        ...     _ = aside.write_text("all of it")
        >>> [file.name for file in folder.iterdir()]
        ['note.txt']
    """
    path = Path(path)
    with scratch_folder(path.parent) as scratch:
        aside = scratch / path.name
        yield aside
        _flush_to_disk(aside)
        aside.replace(path)


# Folders of this name are what a process is writing, or was when it was killed.
SCRATCH_PREFIX = ".writing-"


@contextlib.contextmanager
def scratch_folder(parent):
    """Give a hidden folder in `parent` that is gone when the block ends.

    Args:
        parent: `Path` of an existing folder.

    Yields:
        `Path` of the new folder.
    """
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def remove_scratch(folder):
    """Remove what killed processes left half-written in `folder`.

    Args:
        folder: String or `Path`; need not exist.
    """
    for scratch in Path(folder).glob(f"{SCRATCH_PREFIX}*"):
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def locked(folder, wait=True):
    """Hold a folder for the block; the system lets go of it however the process ends.

    Args:
        folder: String or `Path` of an existing folder.
        wait: Boolean; whether to wait while another process holds it.

    Raises:
        BlockingIOError: If another process holds it, and `wait` is false.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with locked(folder), locked(folder, wait=False):
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


def _flush_to_disk(path):
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_json(path, content):
    """Write a JSON file, whole or not at all.

    Args:
        path: String or `Path` of the file; an existing one is replaced.
        content: What JSON can hold.

    Raises:
        OSError: What the file system says.
    """
    with written_whole(path) as aside:
        aside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextlib.contextmanager
def uninterrupted():
    """Have Ctrl-C and SIGTERM wait until the block has ended.

    In another thread than the main one, which they do not reach, this does nothing.

    Example:
        >>> with uninterrupted():
        ...     pass
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived = []
    before = {
        number: signal.signal(number, lambda number, frame: arrived.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
    if arrived:
        signal.raise_signal(arrived[0])

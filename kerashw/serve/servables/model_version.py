"""One version of a model: its state, and when it is loaded."""

import math
import stat
import time
from pathlib import Path
from typing import NamedTuple

from kerashw.serve.api.status_codes import RequestError


class LoadSettings(NamedTuple):
    """How versions are found and loaded.

    Args:
        load: Function, `Path` of a version's folder → loaded model; it may raise any exception.
        poll_seconds: Float, the time between two polls of the folders; 0 to poll only once.
        max_retries: Integer, how often loading is repeated after a failure.
        retry_seconds: Float, the time before each repetition; it does not wait if it is negative.
        label_unavailable: Boolean, whether a new label may stand for a version that is not
            available.
    """

    load: object
    poll_seconds: float = 1.0
    max_retries: int = 5
    retry_seconds: float = 60.0
    label_unavailable: bool = False


class ModelVersion:
    """One version of a model.

    Args:
        number: Integer.

    Attributes:
        number: As above.
        state: String: START, LOADING, AVAILABLE, UNLOADING or END.
        error: `RequestError` of the last attempt to load it, or None.
        model: The result of `LoadSettings.load`, or None if the version is not available.
        failures: Integer, the number of failed attempts to load the present files.
    """

    def __init__(self, number):
        self.number = number
        self.state = "START"
        self.error = None
        self.model = None
        self.failures = 0
        self._next_attempt = math.inf
        self._fingerprint = None

    def load(self, path, settings):
        """Load the version. If this fails, set `error`."""
        fingerprint = _fingerprint(path)
        if fingerprint != self._fingerprint:
            self.failures = 0
        self.state, self._fingerprint = "LOADING", fingerprint
        try:
            self.model = settings.load(path)
            self.state, self.error = "AVAILABLE", None
        except Exception as error:  # whatever a damaged version raises, it must not stay LOADING
            reason = RequestError.from_exception(error)
            # A copy has no traceback, which would keep the graph in memory.
            self.state, self.error = "END", RequestError(reason.message, reason.code)
            self.failures += 1
            retry = self.failures <= settings.max_retries
            self._next_attempt = time.monotonic() + settings.retry_seconds if retry else math.inf

    def should_load(self, path):
        """Return whether the version, which the policy serves, should be loaded now."""
        if self.state not in ("START", "END"):
            return False
        if self.error is None:
            return True
        # The version may have been incomplete when it was loaded, because it was being copied.
        return _fingerprint(path) != self._fingerprint or time.monotonic() >= self._next_attempt

    def retry_time(self):
        """Return the time of `time.monotonic` to load a damaged version again, or infinity."""
        return self._next_attempt if self.error else math.inf

    def is_replaced(self, path):
        """Return whether other files have the place of a served version's. It is True once."""
        if self.state != "AVAILABLE" or self._fingerprint is None:
            return False
        if _fingerprint(path) in (self._fingerprint, None):
            return False
        self._fingerprint = None
        return True

    def unload(self):
        """Release the model. Its memory is freed after the last request that uses it."""
        self.state, self.model = "END", None

    def status(self):
        """Return the entry of the version in the status of its model, a dictionary."""
        code, message = (self.error.code, self.error.message) if self.error else ("OK", "")
        return {
            "version": str(self.number),
            "state": self.state,
            "status": {"error_code": code, "error_message": message},
        }


def _fingerprint(path):
    """Return what shows that files in a folder change, or that their permissions do."""
    try:
        return [_describe(file) for file in (Path(path), *sorted(Path(path).rglob("*")))]
    except OSError:
        return None


def _describe(file):
    try:
        status = file.stat()
    except OSError as error:  # such as a link to a file that is not there yet
        return str(file), error.errno
    if stat.S_ISDIR(status.st_mode):  # some network disks have no constant times for folders
        return str(file), status.st_mode, status.st_uid, status.st_gid
    return str(file), status.st_ctime_ns, status.st_mtime_ns, status.st_size

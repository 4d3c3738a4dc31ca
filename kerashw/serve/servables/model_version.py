"""One version of a model: its state, and when it is loaded."""

import time
from pathlib import Path
from typing import NamedTuple

from kerashw.serve.api.status_codes import RequestError


class LoadSettings(NamedTuple):
    """How versions are found and loaded.

    Args:
        load: Function, `Path` of a version's folder → loaded model; it may raise `RequestError`.
        poll_seconds: Float, the time between two polls of the folders; 0 to poll only once.
        max_retries: Integer, how often loading is repeated after a failure.
        retry_seconds: Float, the time before each repetition.
    """

    load: object
    poll_seconds: float = 1.0
    max_retries: int = 5
    retry_seconds: float = 60.0


class ModelVersion:
    """One version of a model.

    Args:
        number: Integer.

    Attributes:
        number: As above.
        state: String: START, LOADING, AVAILABLE, UNLOADING or END.
        error: `RequestError` of the last attempt to load it, or None.
        model: The result of `LoadSettings.load`, or None if the version is not available.
        failures: Integer, the number of failed attempts.
    """

    def __init__(self, number):
        self.number = number
        self.state = "START"
        self.error = None
        self.model = None
        self.failures = 0
        self._next_attempt = 0.0
        self._fingerprint = None

    def load(self, path, settings):
        """Load the version. If this fails, set `error`."""
        self.state, self._fingerprint = "LOADING", _fingerprint(path)
        try:
            self.model = settings.load(path)
            self.state, self.error = "AVAILABLE", None
        except RequestError as error:
            self.state, self.error = "END", error
            self.failures += 1
            self._next_attempt = time.monotonic() + settings.retry_seconds

    def should_load(self, path, settings):
        """Return whether the version, which the policy serves, should be loaded now."""
        if self.state not in ("START", "END"):
            return False
        if self.error is None:
            return True
        # The version may have been incomplete when it was loaded, because it was being copied.
        if _fingerprint(path) != self._fingerprint:
            return True
        return self.failures <= settings.max_retries and time.monotonic() >= self._next_attempt

    def set_deleted(self):
        """Note that the folder is deleted. If it is there again, it is loaded without delay."""
        self._fingerprint = None

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
    """Return the names, times and sizes of the files in a folder, to find out if they change."""
    try:
        return sorted(
            (str(file), file.stat().st_mtime_ns, file.stat().st_size)
            for file in Path(path).rglob("*")
        )
    except OSError:
        return None

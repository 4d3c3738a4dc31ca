"""Versions on disk: which there are, which of them should be served, and one being loaded."""

import re
import time
from pathlib import Path
from typing import NamedTuple

from kerashw.errors import ServeError
from kerashw.serve.api.status_codes import RequestError

_VERSION = re.compile(r"[0-9]+", re.ASCII)


class Loading(NamedTuple):
    """How versions are found and loaded.

    Args:
        load: Function, `Path` of a version's folder → the loaded model; raises `RequestError`.
        poll_seconds: Float, between two looks at the disk; 0 to look only once.
        max_retries: Integer, how often a version that cannot be loaded is tried again.
        retry_seconds: Float, how long to wait before that.
    """

    load: object
    poll_seconds: float = 1.0
    max_retries: int = 5
    retry_seconds: float = 60.0


class Version:
    """One version of a model, from its first sight on.

    Attributes:
        number: Integer.
        state: String: START, LOADING, AVAILABLE, UNLOADING or END.
        error: `RequestError`, why it could not be loaded, or None.
        model: What `Loading.load` returned, while it is available.
    """

    def __init__(self, number):
        self.number = number
        self.state = "START"
        self.error = None
        self.model = None
        self.failures = 0
        self.next_try = 0.0
        self.files = None

    def load(self, path, loading):
        """Load the version; what goes wrong is kept in `error`."""
        self.state, self.files = "LOADING", _files(path)
        try:
            self.model = loading.load(path)
            self.state, self.error = "AVAILABLE", None
        except RequestError as error:
            self.state, self.error = "END", error
            self.failures += 1
            self.next_try = time.monotonic() + loading.retry_seconds

    def wants_loading(self, path, loading):
        """Return whether the version, which should be served, is to be loaded now."""
        if self.state not in ("START", "END"):
            return False
        if self.error is None:
            return True
        # A copy that was not complete when it was first seen is complete soon after.
        if _files(path) != self.files:
            return True
        return self.failures <= loading.max_retries and time.monotonic() >= self.next_try

    def unload(self):
        """Let the model go; it is freed when the last request that uses it is answered."""
        self.state, self.model = "END", None

    def status(self):
        """Return the version's entry in the model's status."""
        code, message = (self.error.code, self.error.message) if self.error else ("OK", "")
        return {
            "version": str(self.number),
            "state": self.state,
            "status": {"error_code": code, "error_message": message},
        }


def versions_on_disk(base_path):
    """Return the versions in a model's folder.

    Args:
        base_path: `Path`.

    Returns:
        Dictionary, `Path` by number.

    Raises:
        OSError: If the folder cannot be read.
    """
    return {
        int(path.name): path
        for path in sorted(Path(base_path).iterdir())
        if _VERSION.fullmatch(path.name) and int(path.name) < 2**63 and path.is_dir()
    }


def chosen(config, found):
    """Return which of the versions that were found should be served.

    Example:
        >>> from kerashw.serve.servables.config_file_reader import ModelConfig
        >>> chosen(ModelConfig("digits", Path("/models/digits"), latest=2), [1, 2, 10])
        [2, 10]
    """
    if config.specific:
        return sorted(config.specific & set(found))
    return sorted(found)[-config.latest :]


def check_folder(config):
    """Check that there is a version to serve.

    Raises:
        ServeError: If not.
    """
    try:
        found = versions_on_disk(config.base_path)
    except OSError as error:
        raise ServeError(
            f"Could not find base path {config.base_path} for servable {config.name}: "
            f"{error.strerror}"
        ) from None
    if not chosen(config, found):
        raise ServeError(
            f"No versions of servable {config.name} found under base path {config.base_path}. Did "
            "you forget to name your leaf directory as a number (eg. '/1/')?"
        )


def check_labels(config):
    """Refuse labels: when the server starts, no version is loaded yet.

    Raises:
        ServeError: If there are any.
    """
    for version in config.labels.values():
        raise ServeError(
            f"Request to assign label to version {version} of model {config.name}, which is not "
            "currently available for inference. Add "
            "--allow_version_labels_for_unavailable_models=true"
        )


def _files(path):
    """Return what tells whether a version's files have changed."""
    try:
        return sorted(
            (str(file), file.stat().st_mtime_ns, file.stat().st_size)
            for file in Path(path).rglob("*")
        )
    except OSError:
        return None

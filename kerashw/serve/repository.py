"""The versions of models: what is on disk, what should be served of it, and what is."""

import gc
import logging
import re
import threading
import time
from pathlib import Path
from typing import NamedTuple

from kerashw.errors import ServeError
from kerashw.serve.status import RequestError

log = logging.getLogger("kerashw.serve")

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


class Model:
    """The versions of one model.

    Args:
        config: `ModelConfig`.

    Attributes:
        serving: Dictionary, loaded model by version; replaced, never changed, so that it may be
            read while versions come and go.
    """

    def __init__(self, config):
        self.config = config
        self.versions = {}
        self.serving = {}

    def poll(self, loading):
        """Look at the disk, load what should be served, then unload what should not.

        The old version goes only when a new one has come, unless there is no version at all.
        """
        try:
            found = versions_on_disk(self.config.base_path)
        except OSError as error:
            log.error("%s: %s cannot be read: %s", self.config.name, error.filename, error.strerror)
            return
        aspired = chosen(self.config, found)
        for number in sorted(aspired):
            version = self.versions.setdefault(number, Version(number))
            if version.wants_loading(found[number], loading):
                self._load(version, found[number], loading)
        for number in set(self.versions) - set(found):
            self.versions[number].files = None  # should it come again, it is another one
        if not aspired or any(number in self.serving for number in aspired):
            self.unload(set(self.serving) - set(aspired))

    def _load(self, version, path, loading):
        version.load(path, loading)
        name = self.config.name
        if version.error:
            log.error("%s version %d: %s", name, version.number, version.error.message)
        else:
            self.serving = {**self.serving, version.number: version.model}
            log.info("%s version %d is available", name, version.number)

    def unload(self, numbers):
        """Stop serving versions."""
        if not numbers:
            return
        self.serving = {
            number: model for number, model in self.serving.items() if number not in numbers
        }
        for number in numbers:
            self.versions[number].unload()
            log.info("%s version %d is unloaded", self.config.name, number)
        gc.collect()  # a graph has cycles, and its session is closed with it


class Repository:
    """All models, and the thread that looks after their versions.

    Args:
        loading: `Loading`.
        configs: List of `ModelConfig`.
        reread: Function that returns the list anew, or None.
        reread_seconds: Float, between two such calls; 0 for never.
    """

    def __init__(self, loading, configs, reread=None, reread_seconds=0.0):
        self.loading = loading
        self.models = {config.name: Model(config) for config in configs}
        self._reread = reread if reread_seconds else None
        self._reread_seconds = reread_seconds
        self._next_reread = time.monotonic() + reread_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)

    def start(self):
        """Load all models, then watch their folders.

        Raises:
            ServeError: If not every model that should be served can be.
        """
        for model in self.models.values():
            check_folder(model.config)
        for model in self.models.values():
            model.poll(self.loading)
        self._check_all_available()
        self._thread.start()

    def stop(self):
        """Stop watching."""
        self._stop.set()

    def find(self, name, version=None, label=None):
        """Return the loaded model that a request is for.

        Args:
            name: String.
            version: Integer; None for the newest.
            label: String, which stands for a version, or None.

        Returns:
            What `Loading.load` returned; and its version.

        Raises:
            RequestError: If there is none.
        """
        model = self.models.get(name)
        if label is not None:
            version = model.config.labels.get(label) if model else None
            if version is None:
                raise RequestError(f"Unrecognized servable version label: {label}")
        serving = model.serving if model else {}
        number = max(serving, default=None) if version is None else version
        if number not in serving:
            what = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError(f"Servable not found for request: {what}", "NOT_FOUND")
        return serving[number], number

    def status(self, name, version=None):
        """Return the states of a model's versions, the newest first.

        Raises:
            RequestError: If there are none.
        """
        model = self.models.get(name)
        versions = dict(model.versions) if model else {}
        if version is not None:
            versions = {version: versions[version]} if version in versions else {}
        if not versions:
            what = "any versions" if version is None else f"version {version}"
            raise RequestError(f"Could not find {what} of model {name}", "NOT_FOUND")
        return [versions[number].status() for number in sorted(versions, reverse=True)]

    def _watch(self):
        while self.loading.poll_seconds > 0 and not self._stop.wait(self.loading.poll_seconds):
            try:
                self._poll()
            except Exception:  # the watch goes on, whatever one look at the disk has met
                log.exception("looking for versions failed")

    def _poll(self):
        if self._reread and time.monotonic() >= self._next_reread:
            self._next_reread = time.monotonic() + self._reread_seconds
            try:
                self._configure(self._reread())
            except ServeError as error:
                log.error("%s. The models stay as they are", error)
        for model in list(self.models.values()):
            model.poll(self.loading)

    def _configure(self, configs):
        old = self.models
        self.models = {config.name: old.get(config.name) or Model(config) for config in configs}
        for config in configs:
            self.models[config.name].config = config
        for name in set(old) - set(self.models):
            old[name].unload(set(old[name].serving))

    def _check_all_available(self):
        failed = [
            f"{{{{name: {model.config.name} version: {version.number}}} due to error: "
            f"{version.error.code}: {version.error.message}}}, "
            for model in self.models.values()
            for version in model.versions.values()
            if version.error
        ]
        if failed:
            raise ServeError(
                f"{len(failed)} servable(s) did not become available: {{{''.join(failed)}}}"
            )


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
        >>> from kerashw.serve.configs import ModelConfig
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

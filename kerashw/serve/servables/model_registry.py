"""All models: which of their versions are served, while new ones come and old ones go."""

import gc
import logging
import threading
import time

from kerashw.errors import ServeError
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.version_polling import Version, check_folder, chosen, versions_on_disk

log = logging.getLogger("kerashw.serve")


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
        # A graph has cycles, and its session is closed with it. The collector passes over what the
        # server froze when it started.
        gc.unfreeze()
        gc.collect()
        gc.freeze()


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

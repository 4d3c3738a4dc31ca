"""The served models, and the thread that loads and unloads their versions."""

import logging
import math
import threading
import time

from kerashw.errors import ServeError
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.served_model import ServedModel
from kerashw.serve.servables.version_folders import check_base_path

log = logging.getLogger("kerashw.serve")

STOP_SECONDS = 5.0  # the thread may be loading a version


class ModelRegistry:
    """All served models.

    Args:
        settings: `kerashw.serve.servables.model_version.LoadSettings`.
        configs: List of `kerashw.serve.servables.config_file_reader.ModelConfig`.
        read_configs: Function that reads the list again, or None.
        config_poll_seconds: Float, the time between two calls of it; 0 to never call it.

    Attributes:
        models: Dictionary, `kerashw.serve.servables.served_model.ServedModel` by name.
    """

    def __init__(self, settings, configs, read_configs=None, config_poll_seconds=0.0):
        self.models = {config.name: ServedModel(config, settings) for config in configs}
        self._settings = settings
        self._read_configs = read_configs
        self._folder_timer = _Timer(settings.poll_seconds)
        self._config_timer = _Timer(config_poll_seconds if read_configs else 0)
        self._lock = threading.Lock()  # held while versions are loaded and unloaded
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll_until_stop, name="versions", daemon=True)

    def start(self):
        """Load all models, then start the thread that polls their folders.

        Raises:
            ServeError: If a model has no version, or one of its versions cannot be loaded.
        """
        for model in self.models.values():
            check_base_path(model.config)
        for model in self.models.values():
            model.poll()
        failed = [version for model in self.models.values() for version in _failed(model)]
        if failed:
            raise ServeError(_describe(failed))
        self._thread.start()

    def stop(self):
        """Stop the thread."""
        self._stop.set()
        if self._thread.is_alive():  # a process that ends while it runs may crash
            self._thread.join(STOP_SECONDS)

    def find(self, name, version=None, label=None):
        """Return the loaded model for a request.

        Args:
            name: String.
            version: Integer; None for the latest.
            label: String, the label of a version, or None.

        Returns:
            The result of `LoadSettings.load`, and the version number.

        Raises:
            RequestError: If no such version is loaded.
        """
        model = self.models.get(name)
        if label is not None:
            loaded, version = model.labels.get(label, (None, None)) if model else (None, None)
            if version is None:
                raise RequestError(f"Unrecognized servable version label: {label}")
            number = version
        else:
            serving = model.serving if model else {}
            number = max(serving, default=None) if version is None else version
            loaded = serving.get(number)
        if loaded is None:
            what = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError(f"Servable not found for request: {what}", "NOT_FOUND")
        return loaded, number

    def status(self, name, version=None):
        """Return the status of a model's versions.

        Args:
            name: String.
            version: Integer; None for all.

        Returns:
            List of dictionaries, the latest version first.

        Raises:
            RequestError: If there is no such version.
        """
        model = self.models.get(name)
        versions = dict(model.versions) if model else {}
        if version is not None:
            versions = {version: versions[version]} if version in versions else {}
        if not versions:
            what = "any versions" if version is None else f"version {version}"
            raise RequestError(f"Could not find {what} of model {name}", "NOT_FOUND")
        return [versions[number].status() for number in sorted(versions, reverse=True)]

    def poll(self, read_folders=True):
        """Read the list of models again if it is time, then load and unload versions.

        Args:
            read_folders: Boolean, whether the folders of the models are read, even if the list is
                not. Otherwise, only damaged versions are loaded again, if it is time.
        """
        with self._lock:
            if self._config_timer.is_due():
                read_folders = True
                try:
                    self._update_configs(self._read_configs())
                except ServeError as error:
                    log.error("%s. The models stay as they are", error)
            for model in list(self.models.values()):
                model.poll(read_folders)

    def reload(self, configs):
        """Replace the list of models, and load and unload versions before it returns.

        It may be called on any thread.

        Args:
            configs: List of `kerashw.serve.servables.config_file_reader.ModelConfig`.

        Raises:
            ServeError: If the folder of a model has no version. Nothing is changed.
            RequestError: If no version of a model can be loaded, or a label cannot be assigned. The
                rest of the list applies.
        """
        for config in configs:
            check_base_path(config)
        with self._lock:
            self._update_configs(configs)
            for model in self.models.values():
                model.poll()
            models = list(self.models.values())
        failed = [each for model in models if not model.serving for each in _failed(model)]
        if failed:
            raise RequestError(_describe(failed), "UNKNOWN")
        for model in models:
            model.check_labels()

    def _poll_until_stop(self):
        while not self._stop.wait(self._seconds_to_wait()):
            try:
                self.poll(self._folder_timer.is_due())
            except Exception:  # the thread must go on after any error
                log.exception("polling for versions failed")

    def _seconds_to_wait(self):
        times = [self._folder_timer.time, self._config_timer.time]
        times += [model.retry_time() for model in self.models.values()]
        return min(max(min(times) - time.monotonic(), 0), threading.TIMEOUT_MAX)

    def _update_configs(self, configs):
        old = self.models
        self.models = {
            config.name: old.get(config.name) or ServedModel(config, self._settings)
            for config in configs
        }
        for config in configs:
            self.models[config.name].configure(config)
        for name in set(old) - set(self.models):
            old[name].unload(set(old[name].serving))


def _failed(model):
    """Return the name of a model with each of its versions that could not be loaded."""
    versions = model.versions.values()
    return [(model.config.name, version) for version in versions if version.error]


def _describe(failed):
    descriptions = [
        f"{{{{name: {name} version: {version.number}}} due to error: {version.error.code}: "
        f"{version.error.message}}}, "
        for name, version in failed
    ]
    return f"{len(failed)} servable(s) did not become available: {{{''.join(descriptions)}}}"


class _Timer:
    """A time that comes again and again.

    Args:
        seconds: Float, the time from one to the next; 0 if it never comes.

    Attributes:
        time: Float, the next time, of `time.monotonic`.
    """

    def __init__(self, seconds):
        self._seconds = seconds or math.inf
        self.time = time.monotonic() + self._seconds

    def is_due(self):
        """Return whether the time has come. If so, the next one is set."""
        now = time.monotonic()
        if now < self.time:
            return False
        self.time = now + self._seconds
        return True

"""The served models, and the thread that loads and unloads their versions."""

import logging
import threading
import time

from kerashw.errors import ServeError
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.served_model import ServedModel
from kerashw.serve.servables.version_folders import check_base_path

log = logging.getLogger("kerashw.serve")


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
        self.models = {config.name: ServedModel(config) for config in configs}
        self._settings = settings
        self._read_configs = read_configs if config_poll_seconds else None
        self._config_poll_seconds = config_poll_seconds
        self._next_config_poll = time.monotonic() + config_poll_seconds
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
            model.poll(self._settings)
        self._check_all_available()
        self._thread.start()

    def stop(self):
        """Stop the thread."""
        self._stop.set()

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

    def poll(self):
        """Read the list of models again if it is time, then poll the folders of all models."""
        if self._read_configs and time.monotonic() >= self._next_config_poll:
            self._next_config_poll = time.monotonic() + self._config_poll_seconds
            try:
                self._update_configs(self._read_configs())
            except ServeError as error:
                log.error("%s. The models stay as they are", error)
        for model in list(self.models.values()):
            model.poll(self._settings)

    def _poll_until_stop(self):
        seconds = self._settings.poll_seconds
        while seconds > 0 and not self._stop.wait(seconds):
            try:
                self.poll()
            except Exception:  # the thread must go on after any error
                log.exception("polling for versions failed")

    def _update_configs(self, configs):
        old = self.models
        self.models = {
            config.name: old.get(config.name) or ServedModel(config) for config in configs
        }
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

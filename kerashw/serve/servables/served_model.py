"""The versions of one model: which are loaded, served and unloaded."""

import gc
import logging
import math

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.model_version import ModelVersion
from kerashw.serve.servables.version_folders import (
    aspired_versions,
    find_versions,
    unavailable_label,
)

log = logging.getLogger("kerashw.serve")


class ServedModel:
    """The versions of one model.

    Args:
        config: `kerashw.serve.servables.config_file_reader.ModelConfig`.
        settings: `kerashw.serve.servables.model_version.LoadSettings`.

    Attributes:
        config: As above.
        versions: Dictionary, `kerashw.serve.servables.model_version.ModelVersion` by number.
        serving: Dictionary, loaded model by version number. It is replaced and never modified, so
            that other threads can read it at any time.
        labels: Dictionary by label: the loaded model, or None if the version is not available, and
            the version number. It is replaced and never modified either.
    """

    def __init__(self, config, settings):
        self.config = config
        self.versions = {}
        self.serving = {}
        self.labels = {}
        self._settings = settings
        self._paths = {}
        self._logged = {}
        self._assign_labels()

    def configure(self, config):
        """Change the configuration. The next poll loads and unloads versions.

        Args:
            config: `kerashw.serve.servables.config_file_reader.ModelConfig`.
        """
        self.config = config
        self._assign_labels()

    def poll(self, read_folder=True):
        """Read the folder, load new versions, then unload old ones.

        An old version is unloaded only after a new one is loaded, or if the folder has no version,
        and never while a label waits to move away from it.

        Args:
            read_folder: Boolean; if it is False, the versions are those found the last time.
        """
        if read_folder:
            self._read_folder()
        aspired = aspired_versions(self.config, self._paths)
        for number in aspired:
            version = self.versions.setdefault(number, ModelVersion(number))
            if version.should_load(self._paths[number]):
                self._load(version, self._paths[number])
        if not aspired or any(number in self.serving for number in aspired):
            self.unload(set(self.serving) - set(aspired) - self._held_versions())

    def check_labels(self):
        """Check that each label stands for the version in the configuration.

        Raises:
            RequestError: If one does not, because this version is not available.
        """
        for label, wanted in self.config.labels.items():
            if label not in self.labels or self.labels[label][1] != wanted:
                raise RequestError(
                    unavailable_label(self.config.name, wanted), "FAILED_PRECONDITION"
                )

    def retry_time(self):
        """Return the time of `time.monotonic` to load a damaged version again, or infinity."""
        aspired = aspired_versions(self.config, self._paths)
        versions = [self.versions[number] for number in aspired if number in self.versions]
        return min((version.retry_time() for version in versions), default=math.inf)

    def unload(self, numbers):
        """Stop serving versions and free their memory.

        Args:
            numbers: Set of integers.
        """
        if not numbers:
            return
        self.serving = {
            number: model for number, model in self.serving.items() if number not in numbers
        }
        self._assign_labels()
        for number in numbers:
            self.versions[number].unload()
            log.info("%s version %d is unloaded", self.config.name, number)
        # A TensorFlow graph has reference cycles, and its session is closed with it. The garbage
        # collector ignores the objects that the server froze when it started.
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def _read_folder(self):
        try:
            self._paths = find_versions(self.config.base_path)
        except OSError as error:
            reason = error.strerror or error
            self._log_change("folder", f"{self.config.base_path} cannot be read: {reason}")
            return
        self._log_change("folder", None)
        for number in set(self.serving) & set(self._paths):
            if self.versions[number].is_replaced(self._paths[number]):
                log.warning(
                    "%s version %d: the files in %s have changed. The loaded version is still "
                    "served. Give the new files a new version number",
                    *(self.config.name, number, self._paths[number]),
                )

    def _load(self, version, path):
        version.load(path, self._settings)
        name, error = self.config.name, version.error
        if error:
            log.error("%s version %d: %s: %s", name, version.number, error.code, error.message)
        else:
            self.serving = {**self.serving, version.number: version.model}
            log.info("%s version %d is available", name, version.number)
            self._assign_labels()

    def _assign_labels(self):
        """Let labels stand for the versions in the configuration, if these are available.

        As in TensorFlow Serving, a label never moves to a version that is not available. A new one
        may stand for it if `LoadSettings.label_unavailable` is True.
        """
        labels = {}
        for label, wanted in self.config.labels.items():
            _, number = self.labels.get(label, (None, None))
            may_be_unavailable = number is None and self._settings.label_unavailable
            problem = None
            if number == wanted or wanted in self.serving or may_be_unavailable:
                number = wanted
            else:
                place = "is not assigned" if number is None else f"stays at version {number}"
                problem = f"label {label} {place} until version {wanted} is available"
            self._log_change(f"label {label}", problem)
            if number is not None:
                labels[label] = self.serving.get(number), number
        self.labels = labels

    def _held_versions(self):
        """Return the versions that labels stand for until they can move."""
        wanted = self.config.labels
        return {number for label, (_, number) in self.labels.items() if number != wanted[label]}

    def _log_change(self, subject, problem):
        """Log a problem when it appears, not at each poll. None means that there is none."""
        if problem and problem != self._logged.get(subject):
            log.warning("%s: %s", self.config.name, problem)
        self._logged[subject] = problem

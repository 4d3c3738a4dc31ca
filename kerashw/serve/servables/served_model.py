"""The versions of one model: which are loaded, served and unloaded."""

import gc
import logging

from kerashw.serve.servables.model_version import ModelVersion
from kerashw.serve.servables.version_folders import aspired_versions, find_versions

log = logging.getLogger("kerashw.serve")


class ServedModel:
    """The versions of one model.

    Args:
        config: `kerashw.serve.servables.config_file_reader.ModelConfig`.

    Attributes:
        config: As above.
        versions: Dictionary, `kerashw.serve.servables.model_version.ModelVersion` by number.
        serving: Dictionary, loaded model by version number. It is replaced and never modified, so
            that other threads can read it at any time.
    """

    def __init__(self, config):
        self.config = config
        self.versions = {}
        self.serving = {}

    def poll(self, settings):
        """Read the folder, load new versions, then unload old ones.

        An old version is unloaded only after a new one is loaded, or if the folder has no version.

        Args:
            settings: `kerashw.serve.servables.model_version.LoadSettings`.
        """
        try:
            paths = find_versions(self.config.base_path)
        except OSError as error:
            log.error("%s: %s cannot be read: %s", self.config.name, error.filename, error.strerror)
            return
        aspired = aspired_versions(self.config, paths)
        for number in aspired:
            version = self.versions.setdefault(number, ModelVersion(number))
            if version.should_load(paths[number], settings):
                self._load(version, paths[number], settings)
        for number in set(self.versions) - set(paths):
            self.versions[number].set_deleted()
        if not aspired or any(number in self.serving for number in aspired):
            self.unload(set(self.serving) - set(aspired))

    def _load(self, version, path, settings):
        version.load(path, settings)
        name = self.config.name
        if version.error:
            log.error("%s version %d: %s", name, version.number, version.error.message)
        else:
            self.serving = {**self.serving, version.number: version.model}
            log.info("%s version %d is available", name, version.number)

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
        for number in numbers:
            self.versions[number].unload()
            log.info("%s version %d is unloaded", self.config.name, number)
        # A TensorFlow graph has reference cycles, and its session is closed with it. The garbage
        # collector ignores the objects that the server froze when it started.
        gc.unfreeze()
        gc.collect()
        gc.freeze()

"""The versions in a model's folder, and which of them are served."""

import re
from pathlib import Path

from kerashw.errors import ServeError

_VERSION = re.compile(r"[0-9]+", re.ASCII)


def find_versions(base_path):
    """Return the versions in a model's folder.

    Args:
        base_path: `Path`.

    Returns:
        Dictionary, `Path` by version number.

    Raises:
        OSError: If the folder cannot be read.
    """
    return {
        int(path.name): path
        for path in sorted(Path(base_path).iterdir())
        if _VERSION.fullmatch(path.name) and int(path.name) < 2**63 and _may_be_folder(path)
    }


def _may_be_folder(path):
    """Return whether a path is a folder, or cannot be read, which loading it reports."""
    try:
        return path.is_dir()
    except OSError:
        return True


def aspired_versions(config, versions):
    """Return the versions that the model's policy serves.

    Args:
        config: `kerashw.serve.servables.config_file_reader.ModelConfig`.
        versions: Iterable of integers, the versions in the model's folder.

    Returns:
        Sorted list of integers.

    Example:
        >>> from kerashw.serve.servables.config_file_reader import ModelConfig
        >>> aspired_versions(ModelConfig("digits", Path("/models/digits"), latest=2), [1, 2, 10])
        [2, 10]
    """
    if config.specific:
        return sorted(config.specific & set(versions))
    return sorted(versions)[-config.latest :]


def check_base_path(config):
    """Check that a model's folder has a version to serve.

    Args:
        config: `kerashw.serve.servables.config_file_reader.ModelConfig`.

    Raises:
        ServeError: If it has none.
    """
    try:
        versions = find_versions(config.base_path)
    except OSError as error:
        raise ServeError(
            f"Could not find base path {config.base_path} for servable {config.name}: "
            f"{error.strerror}"
        ) from None
    if not aspired_versions(config, versions):
        raise ServeError(
            f"No versions of servable {config.name} found under base path {config.base_path}. Did "
            "you forget to name your leaf directory as a number (eg. '/1/')?"
        )


def check_no_labels(config):
    """Check that a model's configuration has no labels, as no version is loaded at the start.

    Args:
        config: `kerashw.serve.servables.config_file_reader.ModelConfig`.

    Raises:
        ServeError: If it has labels.
    """
    for version in config.labels.values():
        message = unavailable_label(config.name, version)
        raise ServeError(f"{message}. Add --allow_version_labels_for_unavailable_models=true")


def unavailable_label(name, version):
    """Return the error message for a label of a version that is not available."""
    return (
        f"Request to assign label to version {version} of model {name}, which is not currently "
        "available for inference"
    )

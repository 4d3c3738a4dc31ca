"""The server's configuration files, which are read and checked before TensorFlow is loaded."""

import os
from typing import NamedTuple

from kerashw.errors import ServeError
from kerashw.serve.servables.config_file_reader import (
    BatchingParameters,
    ModelConfig,
    SslConfig,
    check_model_config,
    read_base_path,
    read_batching_parameters,
    read_models_config,
    read_monitoring_config,
    read_ssl_config,
)
from kerashw.serve.servables.version_folders import check_base_path, check_no_labels


class ServerConfig(NamedTuple):
    """The contents of the server's configuration files.

    Args:
        models: List of `kerashw.serve.servables.config_file_reader.ModelConfig`.
        batching: `kerashw.serve.servables.config_file_reader.BatchingParameters` or None.
        metrics_path: String; None if metrics are disabled.
        ssl: `kerashw.serve.servables.config_file_reader.SslConfig`; None without TLS.
    """

    models: list
    batching: BatchingParameters | None
    metrics_path: str | None
    ssl: SslConfig | None


def read_server_config(options):
    """Read the files that the flags name, and check that each model has a version.

    Args:
        options: Namespace that `kerashw.serve.flags.parse` returns.

    Returns:
        `ServerConfig`.

    Raises:
        ServeError: If a file or a version is missing or not valid.
    """
    models = read_models(options)
    batching = None
    if options.enable_batching:
        batching = read_batching_parameters(options.batching_parameters_file, cpu_count())
    metrics_path = read_monitoring_config(options.monitoring_config_file)
    for model in models:
        check_base_path(model)
        if not options.allow_version_labels_for_unavailable_models:
            check_no_labels(model)
    return ServerConfig(models, batching, metrics_path, read_ssl_config(options.ssl_config_file))


def read_models(options):
    """Read the list of models.

    Args:
        options: Namespace that `kerashw.serve.flags.parse` returns.

    Returns:
        List of `kerashw.serve.servables.config_file_reader.ModelConfig`.

    Raises:
        ServeError: If the flags name no model, or the file is not valid.
    """
    if options.model_config_file:
        return read_models_config(options.model_config_file)
    if options.model_base_path:
        name, path = options.model_name, options.model_base_path
        config = ModelConfig(name, read_base_path(name, path))
        check_model_config(config)
        return [config]
    raise ServeError(
        "Neither --model_base_path nor --model_config_file is given. Give the file that a training "
        "writes, such as --model_config_file=runs/mnist/exports/models.config"
    )


def cpu_count():
    """Return the number of cores that the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

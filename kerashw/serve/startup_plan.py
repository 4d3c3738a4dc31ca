"""What the flags and the files that they name ask for, read before TensorFlow is."""

import os
from typing import NamedTuple

from kerashw.errors import ServeError
from kerashw.serve.servables import config_file_reader
from kerashw.serve.servables.version_polling import check_folder, check_labels


class Plan(NamedTuple):
    """What is to be served, and how.

    Args:
        models: List of `kerashw.serve.servables.config_file_reader.ModelConfig`.
        batching: `kerashw.serve.servables.config_file_reader.Batching` or None.
        metrics_path: String; None where there are no metrics.
    """

    models: list
    batching: config_file_reader.Batching | None
    metrics_path: str | None


def read_plan(options):
    """Read the files that the flags name, and look whether there is anything to serve.

    Args:
        options: What `kerashw.serve.flags.parse` returns.

    Returns:
        `Plan`.

    Raises:
        ServeError: If something is missing or wrong.
    """
    models = read_models(options)
    batching = None
    if options.enable_batching:
        batching = config_file_reader.read_batching(options.batching_parameters_file, cores())
    metrics_path = config_file_reader.read_monitoring(options.monitoring_config_file)
    for model in models:
        check_folder(model)
        if not options.allow_version_labels_for_unavailable_models:
            check_labels(model)
    return Plan(models, batching, metrics_path)


def read_models(options):
    """Read which models are to be served.

    Returns:
        List of `kerashw.serve.servables.config_file_reader.ModelConfig`.
    """
    if options.model_config_file:
        return config_file_reader.read_models_config(options.model_config_file)
    if options.model_base_path:
        return config_file_reader.single_model(options.model_name, options.model_base_path)
    raise ServeError("Neither --model_base_path nor --model_config_file is given")


def cores():
    """Return the number of cores that the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

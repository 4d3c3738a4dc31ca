"""TensorFlow Serving's configuration files: protobuf's text format, read by protobuf itself."""

from pathlib import Path
from typing import NamedTuple

from google.protobuf import (
    text_format,
)
from tensorflow_serving.config import model_server_config_pb2

from kerashw.errors import ServeError
from kerashw.serve.servables.config_messages import empty_message

PROMETHEUS_PATH = "/monitoring/prometheus/metrics"


class ModelConfig(NamedTuple):
    """One model that is to be served.

    Args:
        name: String.
        base_path: `Path` of the folder that holds its versions.
        latest: Integer, how many of the newest versions to serve; 0 for all of them.
        specific: Frozen set of integers, the only versions to serve; empty for no such choice.
        labels: Dictionary, version by label.
    """

    name: str
    base_path: Path
    latest: int = 1
    specific: frozenset = frozenset()
    labels: dict = {}  # noqa: RUF012  (never changed)


class Batching(NamedTuple):
    """How requests are put together, as in TensorFlow Serving's parameters file.

    Args:
        max_batch_size: Integer, the most examples in one call of a model.
        batch_timeout_micros: Integer, how long a batch that is not full waits for more.
        max_enqueued_batches: Integer, how many batches may wait for a thread.
        num_batch_threads: Integer, how many batches run at once.
        allowed_batch_sizes: Tuple of integers; batches are filled up to the next of them.
        thread_pool_name: String, a label in the metrics.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 2
    allowed_batch_sizes: tuple = ()
    thread_pool_name: str = "batch_threads"


def read_models_config(file):
    """Read a models.config.

    Args:
        file: String or `Path`.

    Returns:
        List of `ModelConfig`.

    Raises:
        ServeError: If it cannot be read, or says what cannot be done.
    """
    config = _parsed(file, model_server_config_pb2.ModelServerConfig())
    if config.WhichOneof("config") != "model_config_list":
        raise ServeError(f"{file} has no model_config_list")
    models = [_model_config(model) for model in config.model_config_list.config]
    seen = set()
    for model in models:
        if model.name in seen:
            raise ServeError(f"Illegal to list model {model.name} multiple times in config list")
        seen.add(model.name)
    return models


def single_model(name, base_path):
    """Return the configuration of one model, given by flags."""
    return [checked(ModelConfig(name, Path(base_path)))]


def _model_config(model):
    if not model.model_platform and not model.model_type:
        raise ServeError(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            f"ModelServerConfig::model_platform, model name is {model.name}. Add: model_platform: "
            '"tensorflow"'
        )
    if model.model_platform not in ("", "tensorflow"):
        raise ServeError(
            f"Model {model.name} requests unsupported platform {model.model_platform}. "
            'Expected: "tensorflow"'
        )
    policy = model.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    return checked(
        ModelConfig(
            model.name,
            Path(model.base_path),
            0 if choice == "all" else max(1, policy.latest.num_versions),
            frozenset(policy.specific.versions),
            dict(model.version_labels),
        )
    )


def checked(model):
    """Return a model's configuration if its name and path are possible ones.

    Raises:
        ServeError: If they are not.
    """
    if not model.name or any(character in "/:" for character in model.name):
        raise ServeError(
            f"A model's name must not be empty, nor have '/' or ':' in it. Received: {model.name!r}"
        )
    if not model.base_path.is_absolute():
        raise ServeError(
            f"Expected model {model.name} to have an absolute path or URI; got "
            f"base_path()={model.base_path}. Give the whole path: {model.base_path.absolute()}"
        )
    return model


def read_batching(file, threads):
    """Read a batching parameters file.

    Args:
        file: String or `Path`; None for the defaults.
        threads: Integer, `num_batch_threads` where the file does not say.

    Returns:
        `Batching`.

    Raises:
        ServeError: If it cannot be read, or says what cannot be done.
    """
    given = _parsed(file, empty_message("BatchingParameters")) if file else None
    values = {"num_batch_threads": threads}
    for field, value in given.ListFields() if given else ():
        if field.name == "allowed_batch_sizes":
            values[field.name] = tuple(value)
        elif field.name in Batching._fields:
            values[field.name] = value.value
        elif value:
            raise ServeError(f"{file}: {field.name} is not supported. Remove it")
    batching = Batching(**values)
    for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
        if getattr(batching, name) < 1:
            raise ServeError(f"{name} must be positive; was {getattr(batching, name)}")
    if batching.batch_timeout_micros < 0:
        raise ServeError(
            f"batch_timeout_micros must be non-negative; was {batching.batch_timeout_micros}"
        )
    sizes = batching.allowed_batch_sizes
    if sizes and (list(sizes) != sorted(set(sizes)) or sizes[-1] != batching.max_batch_size):
        raise ServeError(
            "allowed_batch_sizes must increase, and the last must be max_batch_size, "
            f"{batching.max_batch_size}. Received: {list(sizes)}"
        )
    return batching


def read_monitoring(file):
    """Read a monitoring configuration.

    Args:
        file: String or `Path`; None for none.

    Returns:
        String, the path of the metrics; None where they are off.

    Raises:
        ServeError: If it cannot be read.
    """
    if not file:
        return None
    prometheus = _parsed(file, empty_message("MonitoringConfig")).prometheus_config
    return (prometheus.path or PROMETHEUS_PATH) if prometheus.enable else None


def _parsed(file, message):
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ServeError(f"{file} cannot be read: {reason}") from None
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise ServeError(f"Invalid protobuf file: '{file}': {error}") from None

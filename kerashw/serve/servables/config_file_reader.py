"""Reads TensorFlow Serving's configuration files, which are in protobuf's text format."""

from pathlib import Path
from typing import NamedTuple

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from kerashw.errors import InputError, ServeError
from kerashw.files import local_path
from kerashw.serve.servables.config_messages import empty_message

PROMETHEUS_PATH = "/monitoring/prometheus/metrics"


class ModelConfig(NamedTuple):
    """The configuration of one model.

    Args:
        name: String.
        base_path: `Path` of the folder of its versions.
        latest: Integer, the number of the latest versions to serve; 0 for all versions.
        specific: Frozen set of integers, the versions to serve; empty if `latest` determines them.
        labels: Dictionary, version by label.
    """

    name: str
    base_path: Path
    latest: int = 1
    specific: frozenset = frozenset()
    labels: dict = {}  # noqa: RUF012 - never changed


class BatchingParameters(NamedTuple):
    """How requests are combined into batches.

    Args:
        max_batch_size: Integer, the largest number of examples in one call of a model.
        batch_timeout_micros: Integer, the time in microseconds that a request waits for others
            until its batch is full.
        max_enqueued_batches: Integer, the largest number of batches that wait for a thread.
        num_batch_threads: Integer, the number of batches that run at the same time.
        allowed_batch_sizes: Tuple of integers; a batch is padded to the next one.
        thread_pool_name: String, a label in the metrics.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 2
    allowed_batch_sizes: tuple = ()
    thread_pool_name: str = "batch_threads"


class SslConfig(NamedTuple):
    """The keys and certificates of TLS, in PEM format.

    Args:
        key: Bytes, the private key of the server.
        certificate: Bytes, the certificate of the server.
        authority: Bytes, the certificate of the authority that signs those of clients; or None.
        client_verify: Boolean, whether clients need a certificate.
    """

    key: bytes
    certificate: bytes
    authority: bytes | None
    client_verify: bool


def read_models_config(file):
    """Read a models.config.

    Args:
        file: String or `Path`.

    Returns:
        List of `ModelConfig`.

    Raises:
        ServeError: If the file cannot be read, or is not valid.
    """
    config = _parse(file, model_server_config_pb2.ModelServerConfig())
    if config.WhichOneof("config") != "model_config_list":
        raise ServeError(f"{file} has no model_config_list")
    return read_model_config_list(config.model_config_list)


def read_model_config_list(message):
    """Read the list of models in a models.config or a request.

    Args:
        message: `ModelConfigList`.

    Returns:
        List of `ModelConfig`.

    Raises:
        ServeError: If it is not valid.
    """
    models = [_model_config(model) for model in message.config]
    names = set()
    for model in models:
        if model.name in names:
            raise ServeError(f"Illegal to list model {model.name} multiple times in config list")
        names.add(model.name)
    return models


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
    config = ModelConfig(
        model.name,
        read_base_path(model.name, model.base_path),
        0 if choice == "all" else max(1, policy.latest.num_versions),
        frozenset(policy.specific.versions),
        dict(model.version_labels),
    )
    check_model_config(config)
    return config


def check_model_config(config):
    """Check the name and the path of a model.

    Args:
        config: `ModelConfig`.

    Raises:
        ServeError: If the name has a character that is not allowed, or the path is relative.
    """
    if not config.name or any(character in "/:" for character in config.name):
        raise ServeError(
            "The name of a model must not be empty and must not contain '/' or ':'. "
            f"Received: {config.name!r}"
        )
    if not config.base_path.is_absolute():
        raise ServeError(
            f"Expected model {config.name} to have an absolute path or URI; got "
            f"base_path()={config.base_path}. Use the absolute path: {config.base_path.absolute()}"
        )


def read_base_path(name, text):
    """Return the folder of a model's versions.

    Args:
        name: String, the name of the model.
        text: String, a path, which may start with `~` or `file://`.

    Returns:
        `Path`.

    Raises:
        ServeError: If it is another URL, or if the home folder is not known.
    """
    return _local_path(f"the base path of model {name}:", text)


def read_batching_parameters(file, threads):
    """Read a batching parameters file.

    Args:
        file: String or `Path`; None for the defaults.
        threads: Integer, the default of `num_batch_threads`.

    Returns:
        `BatchingParameters`.

    Raises:
        ServeError: If the file cannot be read, or is not valid.
    """
    message = _parse(file, empty_message("BatchingParameters")) if file else None
    values = {"num_batch_threads": threads}
    for field, value in message.ListFields() if message else ():
        if field.name == "allowed_batch_sizes":
            values[field.name] = tuple(value)
        elif field.name in BatchingParameters._fields:
            values[field.name] = value.value
        elif value:
            raise ServeError(f"{file}: {field.name} is not supported. Remove it")
    parameters = BatchingParameters(**values)
    _check_batching_parameters(parameters)
    return parameters


def _check_batching_parameters(parameters):
    for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
        if getattr(parameters, name) < 1:
            raise ServeError(f"{name} must be positive; was {getattr(parameters, name)}")
    if parameters.batch_timeout_micros < 0:
        raise ServeError(
            f"batch_timeout_micros must be non-negative; was {parameters.batch_timeout_micros}"
        )
    sizes = parameters.allowed_batch_sizes
    if sizes and (list(sizes) != sorted(set(sizes)) or sizes[-1] != parameters.max_batch_size):
        raise ServeError(
            "allowed_batch_sizes must increase, and the last must be max_batch_size, "
            f"{parameters.max_batch_size}. Received: {list(sizes)}"
        )


def read_monitoring_config(file):
    """Read a monitoring configuration.

    Args:
        file: String or `Path`, or None.

    Returns:
        String, the path of the metrics; None if metrics are disabled.

    Raises:
        ServeError: If the file cannot be read, or is not valid.
    """
    if not file:
        return None
    prometheus = _parse(file, empty_message("MonitoringConfig")).prometheus_config
    return (prometheus.path or PROMETHEUS_PATH) if prometheus.enable else None


def read_ssl_config(file):
    """Read the keys and certificates of TLS.

    Args:
        file: String or `Path`, or None.

    Returns:
        `SslConfig`; None if there is no file.

    Raises:
        ServeError: If the file cannot be read, or is not valid.
    """
    if not file:
        return None
    config = _parse(file, empty_message("SSLConfig"))
    if not config.server_key or not config.server_cert:
        raise ServeError(f"{file} needs server_key and server_cert, both in PEM format")
    if config.client_verify and not config.custom_ca:
        raise ServeError(f"{file}: client_verify needs custom_ca, the certificate of the authority")
    return SslConfig(
        config.server_key.encode(),
        config.server_cert.encode(),
        config.custom_ca.encode() or None,
        config.client_verify,
    )


def _local_path(name, path):
    try:
        return local_path(name, path)
    except InputError as error:
        raise ServeError(str(error)) from None


def _parse(file, message):
    try:
        text = _local_path("the configuration file", file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ServeError(f"{file} cannot be read: {reason}") from None
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise ServeError(f"Invalid protobuf file: '{file}': {error}") from None

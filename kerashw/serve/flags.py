"""The command's flags: those of tensorflow_model_server, and a few of this server only."""

import argparse

from kerashw.console import Parser

NAME = "python -m kerashw.serve"
EXAMPLES = """\
examples:
  python -m kerashw.serve --model_config_file=runs/mnist/exports/models.config
  python -m kerashw.serve --model_name=convnet --model_base_path="$PWD/runs/mnist/exports/convnet"
"""
MAX_PORT = 2**16 - 1
# Flags of tensorflow_model_server that are accepted and ignored, with the reason.
IGNORED = {
    "port": "there is no gRPC",
    "grpc_socket_path": "there is no gRPC",
    "grpc_channel_arguments": "there is no gRPC",
    "grpc_max_threads": "there is no gRPC",
    "enable_grpc_healthcheck_service": "there is no gRPC",
    "num_load_threads": "models are loaded one after the other",
    "num_unload_threads": "models are unloaded one after the other",
    "flush_filesystem_caches": "files are read through the system's cache",
    "tensorflow_session_parallelism": "use --tensorflow_intra_op_parallelism",
    "tensorflow_inter_op_parallelism": "a request runs on one thread of the server",
    "remove_unused_fields_from_bundle_metagraph": "only signatures are kept",
    "enable_profiler": "there is no profiler",
    "num_tflite_pools": "there is no TensorFlow Lite",
    "num_tflite_interpreters_per_pool": "there is no TensorFlow Lite",
}
# Flags that are rejected, because without them the server would not do what the user expects.
UNSUPPORTED = (
    "ssl_config_file",
    "use_alts_credentials",
    "platform_config_file",
    "prefer_tflite_model",
    "thread_pool_factory_config_file",
    "xla_cpu_compilation_enabled",
    "enable_per_model_batching_parameters",
)
MINIMA = {
    "model_config_file_poll_wait_seconds": 0,
    "file_system_poll_wait_seconds": 0,
    "max_num_load_retries": 0,
    "tensorflow_intra_op_parallelism": 0,
    "per_process_gpu_memory_fraction": 0,
    "rest_api_num_threads": 0,
    "rest_api_timeout_in_ms": 1,
    "keep_alive_timeout_in_ms": 1,
    "max_connections": 1,
    "max_body_bytes": 1,
}
# Flags that have no effect without another one.
NEEDS = {
    "model_config_file_poll_wait_seconds": "model_config_file",
    "batching_parameters_file": "enable_batching",
}


def parse(arguments):
    """Read the command's arguments.

    Args:
        arguments: List of strings.

    Returns:
        `argparse.Namespace` with one attribute for each flag.
    """
    parser = create_parser()
    options = parser.parse_args(arguments)
    for name in UNSUPPORTED:
        if getattr(options, name) not in (None, False):
            parser.error(f"--{name} is not supported here. Leave it out")
    if not 1 <= options.rest_api_port <= MAX_PORT:
        parser.error(
            f"--rest_api_port must be at least 1 and at most {MAX_PORT}. "
            f"Received: {options.rest_api_port}"
        )
    for name, minimum in MINIMA.items():
        value = getattr(options, name)
        if value is not None and not value >= minimum:  # NaN is not at least anything
            parser.error(f"--{name} must be at least {minimum}. Received: {value}")
    for name, needed in NEEDS.items():
        if getattr(options, name) and not getattr(options, needed):
            parser.error(f"--{name} needs --{needed}. Add it, or leave --{name} out")
    return options


def create_parser():
    """Return the command's `argparse.ArgumentParser`."""
    parser = Parser(
        prog=NAME,
        description="Serve SavedModels over TensorFlow Serving's REST API.",
        epilog=EXAMPLES,
        allow_abbrev=False,
    )
    _add_models(parser.add_argument_group("models"))
    _add_loading(parser.add_argument_group("loading"))
    _add_rest(parser.add_argument_group("REST API"))
    unused = parser.add_argument_group("flags of tensorflow_model_server that have no effect")
    for name, reason in IGNORED.items():
        unused.add_argument(f"--{name}", nargs="?", const=True, metavar="X", help=reason)
    for name in UNSUPPORTED:
        parser.add_argument(
            f"--{name}", nargs="?", const=True, type=_unsupported, help=argparse.SUPPRESS
        )
    return parser


def _add_models(group):
    add = group.add_argument
    add(
        "--model_config_file",
        metavar="FILE",
        help="a models.config file, which lists the models; --model_base_path is then ignored",
    )
    add("--model_base_path", metavar="DIR", help="the folder of a single model, an absolute path")
    add(
        "--model_name",
        default="default",
        metavar="NAME",
        help="the name of the single model (default: default)",
    )
    add(
        "--model_config_file_poll_wait_seconds",
        type=float,
        default=0,
        metavar="N",
        help="read the models.config file again every N seconds (default: 0, never)",
    )
    add(
        "--allow_version_labels_for_unavailable_models",
        **_BOOLEAN,
        help="let new version labels stand for versions that are not available yet",
    )


def _add_loading(group):
    add = group.add_argument
    add(
        "--file_system_poll_wait_seconds",
        type=float,
        default=1,
        metavar="N",
        help="look for new versions every N seconds (default: 1); 0 looks once, and whenever "
        "models.config is read again",
    )
    add(
        "--max_num_load_retries",
        type=int,
        default=5,
        metavar="N",
        help="how often the server retries to load a version after the start (default: 5)",
    )
    add(
        "--load_retry_interval_micros",
        type=int,
        default=60_000_000,
        metavar="N",
        help="microseconds between these retries (default: 60000000); it does not wait below 1",
    )
    add(
        "--saved_model_tags",
        default="serve",
        metavar="TAGS",
        help="tags of the graph (default: serve)",
    )
    add(
        "--enable_model_warmup",
        **(_BOOLEAN | {"default": True}),
        help="run the warm-up requests of a SavedModel (default: true)",
    )
    add(
        "--num_request_iterations_for_warmup",
        type=int,
        default=1,
        metavar="N",
        help="how often each warm-up request runs (default: 1, also below 1)",
    )
    add(
        "--tensorflow_intra_op_parallelism",
        type=int,
        default=0,
        metavar="N",
        help="threads of one operation (default: 0, the number of cores)",
    )
    add(
        "--per_process_gpu_memory_fraction",
        type=float,
        default=0,
        metavar="X",
        help="the share of a GPU's memory to allocate (default: 0, as needed)",
    )


def _add_rest(group):
    add = group.add_argument
    add("--rest_api_port", type=int, default=8501, metavar="N", help="the port (default: 8501)")
    add("--host", default="127.0.0.1", help="the address (default: 127.0.0.1)")
    add(
        "--rest_api_timeout_in_ms",
        type=int,
        default=30_000,
        metavar="N",
        help="time limit in ms to receive a request, and to answer it (default: 30000)",
    )
    add(
        "--keep_alive_timeout_in_ms",
        type=int,
        default=75_000,
        metavar="N",
        help="close a connection without a request after N ms (default: 75000), which must be "
        "longer than a load balancer keeps it",
    )
    add(
        "--rest_api_num_threads",
        type=int,
        default=None,
        metavar="N",
        help="threads for slow requests (default: 4 per core)",
    )
    add(
        "--rest_api_enable_cors_support",
        **_BOOLEAN,
        help="accept requests from web pages of other origins",
    )
    add(
        "--max_connections",
        type=int,
        default=1000,
        metavar="N",
        help="the largest number of open connections (default: 1000)",
    )
    add(
        "--max_body_bytes",
        type=int,
        default=64 * 2**20,
        metavar="N",
        help="the largest body of a request in bytes (default: 67108864)",
    )
    add("--enable_batching", **_BOOLEAN, help="run concurrent requests in one call of the model")
    add("--batching_parameters_file", metavar="FILE", help="the settings of batching")
    add(
        "--monitoring_config_file",
        metavar="FILE",
        help="the settings of the metrics for Prometheus",
    )
    add(
        "--enable_signature_method_name_check",
        **_BOOLEAN,
        help="require the matching method name of a signature to classify and regress",
    )


def _boolean(text):
    """Parse the value of a flag as TensorFlow does."""
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"expected true or false. Received: {text}")


def _unsupported(text):
    """Parse the value of an unsupported flag: `None` if it is empty or false."""
    return None if text.lower() in ("", "false", "0") else text


_BOOLEAN = {"nargs": "?", "const": True, "default": False, "type": _boolean, "metavar": "BOOL"}

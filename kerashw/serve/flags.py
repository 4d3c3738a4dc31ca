"""The command's flags: those of tensorflow_model_server, and a few of this server only."""

import argparse
import math

import kerashw
from kerashw.console import Parser
from kerashw.serve.flag_values import BOOLEAN, channel_arguments, unsupported, workers

NAME = "python -m kerashw.serve"
EXAMPLES = """\
examples:
  python -m kerashw.serve --model_config_file=runs/mnist/exports/models.config
  python -m kerashw.serve --model_name=convnet --model_base_path="$PWD/runs/mnist/exports/convnet"
"""
# Flags of tensorflow_model_server that are accepted and ignored, with the reason.
IGNORED = {
    "grpc_max_threads": "gRPC uses the threads of --rest_api_num_threads",
    "enable_grpc_healthcheck_service": "the health service is always there",
    "num_load_threads": "models are loaded one after the other",
    "num_unload_threads": "models are unloaded one after the other",
    "flush_filesystem_caches": "files are read through the system's cache",
    "tensorflow_session_parallelism": "use --tensorflow_intra_op_parallelism",
    "tensorflow_inter_op_parallelism": "a request runs on one thread of the server",
    "remove_unused_fields_from_bundle_metagraph": "only signatures are kept",
    "enable_profiler": "there is no profiler",
    "skip_initialize_tpu": "there are no TPUs",
    "num_tflite_pools": "there is no TensorFlow Lite",
    "num_tflite_interpreters_per_pool": "there is no TensorFlow Lite",
}
# Flags that are rejected, because without them the server would not do what the user expects.
UNSUPPORTED = (
    "use_alts_credentials",
    "platform_config_file",
    "mixed_precision",
    "prefer_tflite_model",
    "thread_pool_factory_config_file",
    "xla_cpu_compilation_enabled",
    "enable_per_model_batching_parameters",
)
MINIMA = {
    "port": 0,
    "rest_api_port": 1,
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
MAXIMA = dict.fromkeys(("port", "rest_api_port"), 2**16 - 1)
# Flags that have no effect without another one.
NEEDS = {
    "ssl_config_file": "port",
    "grpc_channel_arguments": "port",
    "grpc_socket_path": "port",
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
    for name, minimum in MINIMA.items():
        value, maximum = getattr(options, name), MAXIMA.get(name, math.inf)
        if value is not None and not minimum <= value <= maximum:  # NaN is not at least anything
            bounds = f"at least {minimum}" + (f" and at most {maximum}" if name in MAXIMA else "")
            parser.error(f"--{name} must be {bounds}. Received: {value}")
    if options.port == options.rest_api_port:
        parser.error(f"--port and --rest_api_port must differ. Received: {options.port} for both")
    for name, needed in NEEDS.items():
        if getattr(options, name) and not getattr(options, needed):
            parser.error(f"--{name} needs --{needed}. Add it, or leave --{name} out")
    if options.grpc_socket_path and options.workers != "1":
        parser.error("--grpc_socket_path needs --workers=1, as workers cannot share a file")
    return options


def create_parser():
    """Return the command's `argparse.ArgumentParser`."""
    parser = Parser(
        prog=NAME,
        description="Serve SavedModels over TensorFlow Serving's REST and gRPC APIs.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--version", action="version", version=f"kerashw {kerashw.__version__}")
    _add_models(parser.add_argument_group("models"))
    _add_loading(parser.add_argument_group("loading"))
    _add_rest(parser.add_argument_group("REST API"))
    _add_grpc(parser.add_argument_group("gRPC API"))
    _add_both(parser.add_argument_group("both APIs"))
    _add_limits(parser.add_argument_group("limits of both APIs"))
    unused = parser.add_argument_group("flags of tensorflow_model_server that have no effect")
    flag = {"nargs": "?", "const": True}
    for name, reason in IGNORED.items():
        unused.add_argument(f"--{name}", **flag, metavar="X", help=reason)
    for name in UNSUPPORTED:
        parser.add_argument(f"--{name}", **flag, type=unsupported, help=argparse.SUPPRESS)
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
        **BOOLEAN,
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
        **(BOOLEAN | {"default": True}),
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
        default=1,
        metavar="N",
        help="threads of one operation (default: 1, as concurrent requests use all cores); 0, the "
        "number of cores, is faster for large models with one client",
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
    add(
        "--rest_api_enable_cors_support",
        **BOOLEAN,
        help="accept requests from web pages of other origins",
    )


def _add_grpc(group):
    add = group.add_argument
    add("--port", type=int, default=8500, metavar="N", help="the port (default: 8500); 0: no gRPC")
    add(
        "--ssl_config_file",
        metavar="FILE",
        help="the keys and certificates of TLS, for gRPC only",
    )
    add(
        "--grpc_channel_arguments",
        type=channel_arguments,
        default={},
        metavar="KEY=VALUE,...",
        help="arguments for gRPC's library, such as grpc.keepalive_time_ms=60000",
    )
    add("--grpc_socket_path", metavar="FILE", help="a UNIX socket that serves gRPC too")


def _add_both(group):
    add = group.add_argument
    add("--host", default="127.0.0.1", help="the address (default: 127.0.0.1)")
    add(
        "--workers",
        default="1",
        type=workers,
        metavar="N",
        help="the number of processes that share the ports (default: 1); auto: one for two cores",
    )
    add(
        "--join_requests",
        **(BOOLEAN | {"default": True}),
        help="let requests that wait anyway share the next call of the model (default: true)",
    )
    add("--enable_batching", **BOOLEAN, help="run concurrent requests in one call of the model")
    add("--batching_parameters_file", metavar="FILE", help="the settings of batching")
    add(
        "--monitoring_config_file",
        metavar="FILE",
        help="the settings of the metrics for Prometheus",
    )
    add(
        "--enable_signature_method_name_check",
        **BOOLEAN,
        help="require the matching method name of a signature to classify and regress",
    )


def _add_limits(group):
    add = group.add_argument
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
        "--max_connections",
        type=int,
        default=1000,
        metavar="N",
        help="the largest number of connections of REST, and of requests by gRPC that run at the "
        "same time (default: 1000)",
    )
    add(
        "--max_body_bytes",
        type=int,
        default=64 * 2**20,
        metavar="N",
        help="the largest body of a request in bytes (default: 67108864)",
    )

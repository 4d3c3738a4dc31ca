"""The server process: build the application from the flags, run it, and stop it."""

import asyncio
import contextlib
import gc
import logging
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from kerashw.serve.api.request_runner import RequestRunner
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.flags import IGNORED
from kerashw.serve.grpc_server.grpc_server import GrpcOptions, serving_grpc
from kerashw.serve.http_server.application import App, Options
from kerashw.serve.http_server.http_server import serving_http
from kerashw.serve.http_server.request_limits import Limits
from kerashw.serve.listening_socket import format_address, is_shared, release_reservation
from kerashw.serve.prometheus_metrics import Metrics
from kerashw.serve.servables.batching import Batcher
from kerashw.serve.servables.config_file_reader import BatchingParameters
from kerashw.serve.servables.loaded_model import LoadedModel, default_config
from kerashw.serve.servables.model_registry import ModelRegistry
from kerashw.serve.servables.model_version import LoadSettings
from kerashw.serve.servables.warmup import warm_up
from kerashw.serve.server_config import cpu_count, read_models

log = logging.getLogger("kerashw.serve")

# Without `--enable_batching`, requests that wait while the model is busy share the next call.
JOINING = BatchingParameters(
    max_batch_size=32, max_enqueued_batches=sys.maxsize, num_batch_threads=cpu_count()
)
# A thread that has run a model must not wait 5 ms, Python's default, for the thread that reads
# requests.
THREAD_SWITCH_SECONDS = 0.0002


def serve(options, config, sockets, announce):
    """Serve models until SIGTERM or SIGINT.

    Args:
        options: `argparse.Namespace` of `kerashw.serve.flags.parse`.
        config: `kerashw.serve.server_config.ServerConfig`.
        sockets: List of sockets of `kerashw.serve.listening_socket.bound_sockets`. They listen
            after the models are loaded.
        announce: Function that is called then, with a line that names the models and addresses.

    Raises:
        ServeError: If the server cannot start.
    """
    for name, reason in IGNORED.items():
        if getattr(options, name) is not None:
            log.warning("--%s has no effect: %s", name, reason)
    sys.setswitchinterval(THREAD_SWITCH_SECONDS)
    limits = Limits(
        body_bytes=options.max_body_bytes,
        connections=options.max_connections,
        timeout=options.rest_api_timeout_in_ms / 1000,
        idle=options.keep_alive_timeout_in_ms / 1000,
    )
    metrics = Metrics() if config.metrics_path else None
    registry = _registry(options, config.models, metrics)
    registry.start()
    executor = ThreadPoolExecutor(options.rest_api_num_threads or 4 * cpu_count(), "requests")
    batcher = _batcher(config.batching, options.join_requests, metrics)
    runner = RequestRunner(executor, limits.timeout, batcher, metrics)
    app = App(
        registry,
        runner,
        Options(
            limits,
            options.rest_api_enable_cors_support,
            options.enable_signature_method_name_check,
            config.metrics_path,
        ),
        metrics,
    )
    listener, *reservations = sockets
    address = f"http://{format_address(options.host, options.rest_api_port)}"
    grpc = contextlib.nullcontext()
    for reservation in reservations:
        grpc_options = _grpc_options(options, config.ssl, limits, reservation)
        grpc = serving_grpc(registry, runner, grpc_options, metrics)
        scheme = "grpcs" if config.ssl else "grpc"
        address += f", {scheme}://{format_address(options.host, options.port)}"
        release_reservation(reservation)
    names = ", ".join(sorted(registry.models))
    line = f"Serving {names} at {address}"
    _run(app, limits, listener, grpc, lambda: announce(line))
    registry.stop()


def _registry(options, models, metrics):
    config = default_config(
        options.tensorflow_intra_op_parallelism, options.per_process_gpu_memory_fraction
    )
    tags = frozenset(options.saved_model_tags.split(","))
    # As in TensorFlow Serving, a number below 1 is the default, 1.
    iterations = max(1, options.num_request_iterations_for_warmup)
    iterations = iterations if options.enable_model_warmup else 0
    settings = LoadSettings(
        load=partial(_load, tags=tags, config=config, iterations=iterations, metrics=metrics),
        poll_seconds=options.file_system_poll_wait_seconds,
        max_retries=options.max_num_load_retries,
        retry_seconds=options.load_retry_interval_micros / 1e6,
        label_unavailable=options.allow_version_labels_for_unavailable_models,
    )
    reread_seconds = options.model_config_file_poll_wait_seconds
    reread = partial(read_models, options) if options.model_config_file else None
    return ModelRegistry(settings, models, reread, reread_seconds)


def _load(path, tags, config, iterations, metrics):
    model = LoadedModel(path, tags, config)
    if iterations:
        start, count, code = time.monotonic(), 1, "OK"
        try:
            count = warm_up(model, path, iterations)
        except Exception as error:  # of any kind; it is counted, and raised again
            code = RequestError.from_exception(error).code
            raise
        finally:
            if metrics and count:
                metrics.record_warmup(path, code, time.monotonic() - start)
    return model


def _batcher(parameters, join_requests, metrics):
    """Return the batcher; without `--enable_batching`, for requests that wait anyway."""
    if not parameters:
        if not join_requests:
            return None
        parameters, metrics = JOINING, None
    executor = ThreadPoolExecutor(parameters.num_batch_threads, "batches")
    return Batcher(parameters, executor, metrics, takes_all=parameters is not JOINING)


def _grpc_options(options, ssl, limits, reservation):
    addresses = [format_address(*reservation.getsockname()[:2])]
    if options.grpc_socket_path:
        addresses.append(f"unix:{options.grpc_socket_path}")
    return GrpcOptions(
        tuple(addresses),
        limits,
        {"grpc.so_reuseport": is_shared(reservation)} | options.grpc_channel_arguments,
        ssl,
        options.enable_signature_method_name_check,
        can_reload=not is_shared(reservation),
    )


def _run(app, limits, listener, grpc, announce):
    """Serve until SIGTERM or SIGINT."""
    # Models live long, and requests create many small lists: the garbage collector skips the
    # former and runs less often for the latter.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    release_reservation(listener)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve_until_signal(app, limits, listener, grpc, announce))


async def _serve_until_signal(app, limits, listener, grpc, announce):
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_signal(*_):
        if not loop.is_closed():  # a second signal can arrive at the end
            loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    async with (
        contextlib.AsyncExitStack() as grpc_server,
        contextlib.AsyncExitStack() as http_server,
    ):
        await grpc_server.enter_async_context(grpc)
        await http_server.enter_async_context(serving_http(app.respond, listener, limits))
        announce()
        await stop.wait()
        # At the same time, as each waits for its requests.
        await asyncio.gather(grpc_server.aclose(), http_server.aclose())


def _loop_factory():
    try:
        import uvloop
    except ImportError:  # uvloop does not support Windows
        return None
    return uvloop.new_event_loop

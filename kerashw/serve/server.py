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

import uvicorn

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.flags import IGNORED
from kerashw.serve.http_server.application import App, Options
from kerashw.serve.http_server.request_limits import Limits
from kerashw.serve.http_server.uvicorn_connection import protocol_class
from kerashw.serve.listening_socket import format_address, release_reservation
from kerashw.serve.prometheus_metrics import Metrics
from kerashw.serve.servables.batching import Batcher
from kerashw.serve.servables.loaded_model import LoadedModel, default_config
from kerashw.serve.servables.model_registry import ModelRegistry
from kerashw.serve.servables.model_version import LoadSettings
from kerashw.serve.servables.warmup import warm_up
from kerashw.serve.server_config import cpu_count, read_models

log = logging.getLogger("kerashw.serve")


def serve(options, config, listener):
    """Serve models until SIGTERM or SIGINT.

    Args:
        options: `argparse.Namespace` of `kerashw.serve.flags.parse`.
        config: `kerashw.serve.server_config.ServerConfig`.
        listener: Socket of `kerashw.serve.listening_socket.bound_socket`. It listens after the
            models are loaded.

    Raises:
        ServeError: If the server cannot start.
    """
    _set_up_log()
    for name, reason in IGNORED.items():
        if getattr(options, name) is not None:
            log.warning("--%s has no effect: %s", name, reason)
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
    app = App(
        registry,
        executor,
        Options(
            limits,
            options.rest_api_enable_cors_support,
            options.enable_signature_method_name_check,
            config.metrics_path,
        ),
        config.batching and _batcher(config.batching, metrics),
        metrics,
    )
    _run(app, limits, listener, f"http://{format_address(options.host, options.rest_api_port)}")
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


def _batcher(parameters, metrics):
    executor = ThreadPoolExecutor(parameters.num_batch_threads, "batches")
    pool = parameters.thread_pool_name
    on_queued = partial(metrics.record_queuing, pool) if metrics else None
    return Batcher(parameters, executor, on_queued)


class _Server(uvicorn.Server):
    """A server of uvicorn that prints its address and exits with code 0 at SIGTERM and SIGINT."""

    def __init__(self, config, address, models):
        super().__init__(config)
        self.address = address
        self.models = models

    @contextlib.contextmanager
    def capture_signals(self):
        """Stop at SIGTERM and SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield

    async def startup(self, sockets=None):
        """Start, and print the models and the address."""
        await super().startup(sockets)
        names = ", ".join(sorted(self.models))
        sys.stdout.write(f"Serving {names} at {self.address}\n")
        sys.stdout.flush()


def _run(app, limits, listener, address):
    config = uvicorn.Config(
        app,
        http=protocol_class(limits),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=limits.timeout,
        backlog=2048,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    # Models live long, and requests create many small lists: the garbage collector skips the
    # former and runs less often for the latter.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    server = _Server(config, address, app.registry.models)
    release_reservation(listener)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))


def _loop_factory():
    try:
        import uvloop
    except ImportError:  # uvloop does not support Windows
        return None
    return uvloop.new_event_loop


def _set_up_log():
    logging.basicConfig(
        stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING
    )
    log.setLevel(logging.INFO)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)

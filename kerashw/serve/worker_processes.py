"""Several server processes that share the addresses, so that one command uses all cores.

Each worker process has its own sockets, bound with SO_REUSEPORT, and the models. The operating
system assigns each new connection to one of them. The parent process reserves the addresses, and
starts another worker if one ends.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from multiprocessing.connection import wait

from kerashw.errors import ServeError
from kerashw.serve.listening_socket import bound_sockets, share_address
from kerashw.serve.prometheus_metrics import METRICS_FOLDER
from kerashw.serve.server_config import cpu_count
from kerashw.serve.server_process import print_line, serve_in_this_process, set_up_log

log = logging.getLogger("kerashw.serve")

RESTART_SECONDS = 1.0  # from the end of a worker that did not start to the next attempt


def worker_count(text):
    """Return the number of workers: that of `--workers`, or one for two cores if it is `auto`."""
    return max(1, cpu_count() // 2) if text == "auto" else int(text)


def run_workers(options, config, count):
    """Serve with several processes until SIGTERM or SIGINT.

    Args:
        options: `argparse.Namespace` of `kerashw.serve.flags.parse`.
        config: `kerashw.serve.server_config.ServerConfig`.
        count: Integer, the number of workers.

    Raises:
        ServeError: If a worker cannot start.
    """
    set_up_log()
    workers = [_Worker(number, options, config) for number in range(1, count + 1)]
    stopping = threading.Event()

    def stop(*_):
        stopping.set()
        for worker in workers:
            worker.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with bound_sockets(options) as reservations, _metrics_folder():
        for reservation in reservations:
            share_address(reservation)
        try:
            for worker in workers:
                worker.start()
            lines = [worker.wait_until_serving(stopping) for worker in workers]
            if stopping.is_set():
                raise KeyboardInterrupt  # as one process that is stopped before it serves
            print_line(f"{lines[0]}, with {count} workers")
            _watch(workers, stopping)
        finally:
            stop()
            for worker in workers:
                worker.join()


@contextlib.contextmanager
def _metrics_folder():
    """Make the folder in which the workers add up their metrics."""
    with tempfile.TemporaryDirectory(prefix="kerashw-metrics-") as folder:
        os.environ[METRICS_FOLDER] = folder
        yield


def _watch(workers, stopping):
    """Start workers again that end, until the server stops."""
    while not stopping.is_set():
        processes = [worker.process for worker in workers]
        wait([each.sentinel for each in processes if each.is_alive()], timeout=RESTART_SECONDS)
        for worker in workers:
            if stopping.is_set() or worker.process.is_alive():
                continue
            if worker.process.exitcode == 0:  # SIGTERM or SIGINT reached it first
                return
            if worker.may_start():
                worker.start()


class _Worker:
    """One worker process, and those that replace it.

    Attributes:
        process: `multiprocessing.Process`, the last one that was started.
    """

    def __init__(self, number, options, config):
        self.number = number
        self.options, self.config = options, config
        self.process = self.connection = None
        self._start_time = 0.0
        self._is_logged = False

    def start(self):
        """Start a process."""
        # As TensorFlow has threads, a process must not be forked once it is imported.
        context = multiprocessing.get_context("spawn")
        self.connection, other_end = context.Pipe()
        self.process = context.Process(
            target=serve_as_worker, args=(self.options, self.config, other_end)
        )
        # In a terminal, SIGINT reaches all processes. A worker handles it as soon as it serves.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.process.start()
        signal.signal(signal.SIGINT, handler)
        other_end.close()
        self._start_time, self._is_logged = time.monotonic(), False

    def wait_until_serving(self, stopping):
        """Return the line that describes what is served, and where; empty if the server stops.

        Raises:
            ServeError: If the process ends before.
        """
        try:
            line, error = self.connection.recv()
        except EOFError:
            self.process.join()
            line, error = "", f"worker {self.number} ended with {self._end()}"
        if error and not stopping.is_set():
            raise ServeError(error)
        return line

    def may_start(self):
        """Return whether it is time to replace a process that has ended; log its end."""
        if not self._is_logged:
            self._is_logged = True
            log.error(
                "worker %d (process %d) ended with %s. Another one starts",
                *(self.number, self.process.pid, self._end()),
            )
        return time.monotonic() - self._start_time > RESTART_SECONDS

    def join(self):
        """Wait for the end of the process."""
        if self.process:
            self.process.join()

    def terminate(self):
        """Let the process answer the requests that have begun, and end."""
        if self.process and self.process.is_alive():
            self.process.terminate()

    def _end(self):
        code = self.process.exitcode
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def serve_as_worker(options, config, connection):
    """Serve in a worker process. It also ends when the parent process has ended.

    Args:
        options: `argparse.Namespace` of `kerashw.serve.flags.parse`.
        config: `kerashw.serve.server_config.ServerConfig`.
        connection: End of a `multiprocessing.Pipe`. It receives a pair of strings: what is served,
            and the error if nothing is.
    """
    threading.Thread(target=_end_with_parent, args=[connection], daemon=True).start()
    try:
        serve_in_this_process(
            options, config, lambda line: connection.send((line, "")), is_shared=True
        )
    except ServeError as error:
        with contextlib.suppress(OSError):
            connection.send(("", str(error)))
        raise SystemExit(2) from None


def _end_with_parent(connection):
    with contextlib.suppress(EOFError, OSError):
        connection.recv()
    os.kill(os.getpid(), signal.SIGTERM)

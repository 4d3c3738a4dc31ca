"""TensorFlow's strategy for several workers, created within a time limit."""

import contextlib
import faulthandler
import os
import signal
import threading
from pathlib import Path

import tensorflow as tf

from kerashw.errors import WorkerError


def create_multiworker_strategy(timeout):
    """Connect to the other workers in `TF_CONFIG`, and return the strategy.

    The process ends with exit code 1 if the workers are not connected in time.

    Args:
        timeout: Float, the time limit in seconds.

    Returns:
        `tf.distribute.MultiWorkerMirroredStrategy`.

    Raises:
        WorkerError: If TensorFlow reports that it cannot connect to another worker.
    """
    options = tf.distribute.experimental.CommunicationOptions(implementation=communication())
    try:
        with _process_time_limit(timeout):
            return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except tf.errors.OpError as error:
        raise WorkerError(f"TensorFlow cannot join the other workers: {error.message}") from error
    finally:
        _restore_sigterm()


def communication():
    """Return how workers exchange tensors: NCCL between GPUs, RING otherwise."""
    implementations = tf.distribute.experimental.CommunicationImplementation
    has_gpu = tf.config.list_physical_devices("GPU")
    return implementations.NCCL if has_gpu else implementations.RING


@contextlib.contextmanager
def _process_time_limit(seconds):
    """End the process with exit code 1 if the block takes longer than a number of seconds.

    TensorFlow has no public time limit for connecting workers, and it holds the interpreter's lock
    while it waits, so that neither a Python thread nor a Python signal handler can run.
    `faulthandler` uses a C thread that does not need the lock. The default action of SIGALRM is no
    alternative: Linux ignores it for process 1, which is what a command in a container usually is.
    """
    with Path(os.devnull).open("w") as traceback_file:
        faulthandler.dump_traceback_later(seconds, exit=True, file=traceback_file)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def _restore_sigterm():
    """Install Python's handler for SIGTERM again, because TensorFlow replaces it."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM) or signal.SIG_DFL)

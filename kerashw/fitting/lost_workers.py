"""Convert TensorFlow's errors about a lost worker to `WorkerError`, and count workers."""

import contextlib
import re

import tensorflow as tf

from kerashw.errors import WorkerError

# The errors that TensorFlow raises if it cannot reach a worker.
CONNECTION_ERRORS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


@contextlib.contextmanager
def worker_loss_as_error(strategy):
    """Raise a `WorkerError` in the block if TensorFlow reports that a worker is lost.

    Args:
        strategy: `tf.distribute.Strategy`.

    Raises:
        WorkerError: If the strategy has several workers, and an operation failed because one of
            them cannot be reached.
    """
    try:
        yield
    except tf.errors.OpError as error:
        text = str(error)
        workers = worker_count(strategy)
        is_lost = isinstance(error, CONNECTION_ERRORS) or "ollective" in text
        if workers == 1 or not is_lost:
            raise
        task = re.search(r"remote target /job:\w+/replica:\d+/task:(\d+)", text)
        lost = f"worker {int(task[1]) + 1}" if task else "another worker"
        raise WorkerError(
            f"{lost} of {workers} is gone, and the others cannot continue without it. The finished "
            "epochs are saved: start all workers again to resume after the last one"
        ) from error


def worker_count(strategy):
    """Return the number of processes of a strategy."""
    resolver = getattr(strategy, "cluster_resolver", None)
    tasks = resolver.cluster_spec().as_dict() if resolver else {}
    return max(1, sum(len(tasks.get(job, ())) for job in ("chief", "worker")))

"""Lost workers: count the processes of a strategy and report a lost one as one clear error."""

import contextlib
import re

import tensorflow as tf

from kerashw.errors import WorkerError

# What TensorFlow raises when it cannot reach a worker any more.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


@contextlib.contextmanager
def worker_loss_as_error(strategy):
    """Turn what TensorFlow says when a worker of several is lost into one clear error.

    Args:
        strategy: `tf.distribute.Strategy`.

    Raises:
        WorkerError: If an operation failed and the strategy has several workers.
    """
    try:
        yield
    except tf.errors.OpError as error:
        text = str(error)
        if worker_count(strategy) == 1 or not (isinstance(error, LOST) or "ollective" in text):
            raise
        found = re.search(r"remote target /job:\w+/replica:\d+/task:(\d+)", text)
        who = f"worker {int(found[1]) + 1}" if found else "another worker"
        raise WorkerError(
            f"{who} of {worker_count(strategy)} is gone, and the others cannot go on without it. The "
            "epochs that were finished are kept: start all workers again to go on after the last"
        ) from error


def worker_count(strategy):
    """Return how many processes a strategy has at work."""
    resolver = getattr(strategy, "cluster_resolver", None)
    tasks = resolver.cluster_spec().as_dict() if resolver else {}
    return max(1, sum(len(tasks.get(job, ())) for job in ("chief", "worker")))

"""Broadcast bytes from the chief to all workers."""

import numpy as np
import tensorflow as tf

from kerashw.fitting.lost_workers import worker_count, worker_loss_as_error


def broadcast(strategy, content):
    """Return the chief's bytes on every worker. All workers must call this, and wait for the rest.

    Args:
        strategy: `tf.distribute.Strategy`.
        content: Bytes. Only the chief's are used.

    Returns:
        Bytes.

    Raises:
        WorkerError: If another worker was lost.

    Example:
        >>> import kerashw
        >>> broadcast(kerashw.distribution.strategy("default"), b"epoch 3")
        b'epoch 3'
    """
    if worker_count(strategy) == 1:
        return content
    content = content if _is_chief(strategy.cluster_resolver) else b""
    with worker_loss_as_error(strategy):
        length = int(_broadcast_array(strategy, np.array([len(content)], np.int64))[0])
        words = np.zeros(-(-length // 8), np.int64)
        words.view(np.uint8)[: len(content)] = np.frombuffer(content, np.uint8)
        return _broadcast_array(strategy, words).tobytes()[:length] if length else b""


def _broadcast_array(strategy, array):
    """Return the integer array of the first replica on all workers."""

    def sum_over_replicas(values):
        context = tf.distribute.get_replica_context()
        is_first = tf.cast(tf.equal(context.replica_id_in_sync_group, 0), values.dtype)
        # The other replicas add zeros. Sums of integers are exact.
        return context.all_reduce(tf.distribute.ReduceOp.SUM, values * is_first)

    values = tf.constant(array)
    run = tf.function(lambda values: strategy.run(sum_over_replicas, (values,)), autograph=False)
    sums = run.get_concrete_function(tf.TensorSpec.from_tensor(values))(values)
    return strategy.experimental_local_results(sums)[0].numpy()


def _is_chief(resolver):
    if resolver.task_type == "chief" or "chief" not in resolver.cluster_spec().jobs:
        return resolver.task_id == 0
    return False

"""Bytes broadcast from the chief to all workers."""

import numpy as np
import tensorflow as tf

from kerashw.fitting.lost_workers import worker_count, worker_loss_as_error


def broadcast(strategy, content):
    """Return the chief's bytes on every worker; all of them wait for each other here.

    Args:
        strategy: `tf.distribute.Strategy`.
        content: Bytes, on the chief; the other workers' do not matter.

    Returns:
        Bytes.

    Raises:
        WorkerError: If another worker was lost.

    Example:
        >>> share(strategy("default"), b"epoch 3")
        b'epoch 3'
    """
    if worker_count(strategy) == 1:
        return content
    content = content if _is_chief(strategy.cluster_resolver) else b""
    with worker_loss_as_error(strategy):
        length = int(_first_replicas(strategy, np.array([len(content)], np.int64))[0])
        words = np.zeros(-(-length // 8), np.int64)
        words.view(np.uint8)[: len(content)] = np.frombuffer(content, np.uint8)
        return _first_replicas(strategy, words).tobytes()[:length] if length else b""


def _first_replicas(strategy, array):
    """Return the array of integers that the first of all replicas has."""

    def send(part):
        context = tf.distribute.get_replica_context()
        mine = tf.cast(tf.equal(context.replica_id_in_sync_group, 0), part.dtype)
        # The others add zeros: a sum of integers is exact.
        return context.all_reduce(tf.distribute.ReduceOp.SUM, part * mine)

    value = tf.constant(array)
    run = tf.function(lambda value: strategy.run(send, (value,)), autograph=False)
    sums = run.get_concrete_function(tf.TensorSpec.from_tensor(value))(value)
    return strategy.experimental_local_results(sums)[0].numpy()


def _is_chief(resolver):
    if resolver.task_type == "chief" or "chief" not in resolver.cluster_spec().jobs:
        return resolver.task_id == 0
    return False

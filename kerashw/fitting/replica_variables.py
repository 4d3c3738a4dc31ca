"""Variables of which each replica has its own copy: the seeds of dropout, and averages."""

import functools

import tensorflow as tf

SEED_STATE = "seed_generator_state"
# The difference between the dropout seeds of two consecutive replicas.
SEED_STRIDE = 0x9E3779B9


class ReplicaVariables:
    """The non-trainable variables of a model under a `tf.distribute` strategy.

    Args:
        model: Built `keras.Model`.
    """

    def __init__(self, model):
        self.strategy = model.distribute_strategy
        variables = [(v.name == SEED_STATE, v.value) for v in model.non_trainable_variables]
        self.seeds = [value for is_seed, value in variables if is_seed]
        self.averages = [
            value for is_seed, value in variables if not is_seed and value.dtype.is_floating
        ]

        self._run_offset, self._run_copy = (
            tf.function(functools.partial(self.strategy.run, step), autograph=False)
            for step in (self._offset_seeds, self._copy_averages)
        )

    def offset_dropout_seeds(self):
        """Give each replica its own dropout seeds. The first replica's seeds do not change."""
        self._run_offset()

    def copy_from_first_replica(self):
        """Copy the averages of the first replica, such as those of batch normalization, to all.

        These are the values that are saved with the model.
        """
        self._run_copy()

    def _offset_seeds(self):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        for seed in self.seeds:
            offset = tf.cast(tf.cast(replica, tf.int64) * SEED_STRIDE, seed.dtype)
            seed.assign_add(tf.stack([offset, tf.zeros_like(offset)]))

    def _copy_averages(self):
        if not self.averages:
            return
        context = tf.distribute.get_replica_context()
        is_first = tf.equal(context.replica_id_in_sync_group, 0)
        values = [tf.where(is_first, average, tf.zeros_like(average)) for average in self.averages]
        values = context.all_reduce(tf.distribute.ReduceOp.SUM, values)
        for average, value in zip(self.averages, values, strict=True):
            average.assign(value)

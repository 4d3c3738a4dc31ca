"""Dropout seeds that depend on the run's seed and the epoch alone, so that a run can resume exactly."""

import keras
import numpy as np


class ReseedDropout(keras.callbacks.Callback):
    """Make what dropout draws in an epoch depend on the seed and the epoch alone.

    A run that was interrupted between two epochs then goes on as if it had not been.

    Args:
        seed: Non-negative integer.

    Example:
        >>> import kerashw
        >>> model, callback = kerashw.models.mlp(), ReseedDropout(seed=0)
        >>> callback.set_model(model)
        >>> callback.on_epoch_begin(3)
    """

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        """Set the state of every seed generator of the model."""
        states = [v for v in self.model.non_trainable_variables if v.name == "seed_generator_state"]
        for number, state in enumerate(states):
            seeds = np.random.SeedSequence((self.seed, epoch, number)).generate_state(2)
            state.assign(seeds.astype(state.dtype))

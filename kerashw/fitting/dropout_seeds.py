"""A callback that makes dropout reproducible when an interrupted training resumes."""

import keras
import numpy as np


class ReseedDropout(keras.callbacks.Callback):
    """Set the seeds of dropout at the start of every epoch, from one seed and the epoch's number.

    A training that resumes after an interrupted epoch then drops the same units as one without an
    interruption.

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

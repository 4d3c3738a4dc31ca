"""`tf.distribute` strategies for one device, several GPUs or several machines."""

from kerashw.distribution.broadcast import broadcast
from kerashw.distribution.strategy_choice import (
    TIMEOUT,
    StrategyChoice,
    choose_strategy,
    describe,
    strategy,
)
from kerashw.fitting import fit

__all__ = [
    "TIMEOUT",
    "StrategyChoice",
    "broadcast",
    "choose_strategy",
    "describe",
    "fit",
    "strategy",
]

"""One device, several GPUs or several machines: choose a `tf.distribute` strategy, connect workers."""

from kerashw.distribution.broadcast import broadcast
from kerashw.distribution.strategy_choice import NAMES, TIMEOUT, Plan, describe, plan, strategy
from kerashw.fitting import fit

__all__ = ["NAMES", "TIMEOUT", "Plan", "broadcast", "describe", "fit", "plan", "strategy"]

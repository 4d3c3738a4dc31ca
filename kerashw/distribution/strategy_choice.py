"""Choose a `tf.distribute` strategy for one device, several GPUs or several machines.

A worker is one process of a cluster, which the environment variable `TF_CONFIG` describes. The
first worker is the chief, which writes the files of a run. A replica is a device with a copy of the
model.

`fit` is `kerashw.fitting.fit`, which supports every strategy. `Model.fit` of Keras 3 does not: it
supports neither several workers nor, with several GPUs, several steps per call.
"""

import dataclasses
import os

import tensorflow as tf

from kerashw.distribution import rendezvous
from kerashw.distribution.multiworker_strategy import communication, create_multiworker_strategy
from kerashw.distribution.tf_config import EXAMPLE, read_cluster
from kerashw.errors import InputError

NAMES = ("auto", "default", "mirrored", "multiworker")
TIMEOUT = 60  # seconds


@dataclasses.dataclass(frozen=True)
class StrategyChoice:
    """A chosen strategy that TensorFlow has not created yet.

    Args:
        name: "default", "mirrored" or "multiworker".
        devices: Tuple of strings, the devices of this process that have a copy of the model.
        addresses: Tuple of strings "host:port", one for each worker; empty without a cluster.
        index: Integer, the index of this worker. The chief has index 0.
    """

    name: str = "default"
    devices: tuple = ()
    addresses: tuple = ()
    index: int = 0

    @property
    def workers(self):
        """The number of workers."""
        return max(1, len(self.addresses))

    @property
    def replicas(self):
        """The number of copies of the model on all workers together."""
        return self.workers * max(1, len(self.devices))

    @property
    def is_chief(self):
        """Whether this worker writes the files of a run."""
        return self.index == 0

    def all_gather(self, message, timeout=TIMEOUT):
        """Return the messages of all workers. See `kerashw.distribution.rendezvous.all_gather`."""
        if not self.addresses:
            return [message]
        return rendezvous.all_gather(self.addresses, self.index, message, timeout)

    def create_strategy(self, timeout=TIMEOUT):
        """Create the strategy. With several workers, call this before any other TensorFlow code.

        Args:
            timeout: Float, the longest time to wait for the other workers in seconds. The process
                ends with exit code 1 after that time.

        Returns:
            `tf.distribute.Strategy`.

        Raises:
            WorkerError: If another worker was lost.
        """
        _enable_gpu_memory_growth()
        if self.name == "default":
            return tf.distribute.get_strategy()
        if self.name == "mirrored":
            return tf.distribute.MirroredStrategy(list(self.devices))
        return create_multiworker_strategy(timeout)


def choose_strategy(name="auto"):
    """Choose the strategy to train under.

    Args:
        name: "default" for one device, "mirrored" for all GPUs, "multiworker" for the workers in
            `TF_CONFIG`, or "auto". "auto" chooses "multiworker" if `TF_CONFIG` has a cluster, else
            "mirrored" if there are several GPUs, else "default".

    Returns:
        `StrategyChoice`.

    Raises:
        InputError: If there is no strategy of that name, if "mirrored" has only one device, if
            "multiworker" has no cluster, or if `TF_CONFIG` is invalid.

    Example:
        >>> choose_strategy("default")
        StrategyChoice(name='default', devices=(), addresses=(), index=0)
    """
    if name not in NAMES:
        raise InputError(f"strategy must be one of {', '.join(NAMES)}. Received: {name!r}")
    if name == "multiworker" or (name == "auto" and os.environ.get("TF_CONFIG")):
        addresses, index = read_cluster()
        if addresses:
            # Listing logical devices would initialize TensorFlow without the cluster.
            gpus = tf.config.list_physical_devices("GPU")
            devices = tuple(f"GPU:{number}" for number in range(len(gpus))) or ("CPU:0",)
            return StrategyChoice("multiworker", devices, addresses, index)
        if name == "multiworker":
            raise InputError(f"the strategy multiworker needs TF_CONFIG with a cluster. {EXAMPLE}")
    if name in ("auto", "mirrored"):
        _enable_gpu_memory_growth()
        gpus = tf.config.list_logical_devices("GPU")
        devices = gpus or tf.config.list_logical_devices("CPU")
        if len(gpus) > 1 or (name == "mirrored" and len(devices) > 1):
            return StrategyChoice("mirrored", tuple(device.name for device in devices))
        if name == "mirrored":
            raise InputError(
                "the strategy mirrored needs at least 2 devices. Received: only "
                f"{devices[0].name}. Use the strategy default, or multiworker for several machines"
            )
    return StrategyChoice()


def strategy(name="auto", timeout=TIMEOUT):
    """Return a `tf.distribute` strategy, in whose scope models are built, loaded and compiled.

    Call this before any other TensorFlow code. With several workers, the call returns when all of
    them are connected.

    Args:
        name: As for `choose_strategy`.
        timeout: Float, the longest time to wait for the other workers in seconds.

    Returns:
        `tf.distribute.Strategy`.

    Raises:
        InputError: As for `choose_strategy`.
        WorkerError: If another worker does not answer in time.

    Example:
        >>> import keras, kerashw
        >>> import numpy as np
        >>> with kerashw.distribution.strategy("default").scope():
        ...     model = kerashw.models.softmax_regression()
        ...     model.compile(kerashw.optimizers.Adadelta(), "sparse_categorical_crossentropy")
        >>> x, y = np.zeros((5, 28, 28, 1)), np.arange(5)
        >>> kerashw.distribution.fit(model, x, y, batch_size=2, epochs=3, verbose=0).epoch
        [0, 1, 2]
    """
    choice = choose_strategy(name)
    choice.all_gather({}, timeout)
    return choice.create_strategy(timeout)


def describe(choice, strategy):
    """Return the description of a strategy for the manifest of a run.

    Args:
        choice: `StrategyChoice`.
        strategy: `tf.distribute.Strategy` that `choice.create_strategy` returned.

    Returns:
        Dict of `strategy`, its name; `replicas` and `workers`, their numbers; `communication`,
        "NCCL", "RING" or `None`; and `devices`, the names of this worker's devices.

    Example:
        >>> choice = choose_strategy("default")
        >>> describe(choice, choice.create_strategy())["workers"]
        1
    """
    if choice.name == "default":
        # TensorFlow's default device.
        found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        devices = [found[0].name]
    else:
        devices = list(strategy.extended.worker_devices)
    return {
        "strategy": choice.name,
        "replicas": choice.replicas,
        "workers": choice.workers,
        "communication": communication().value if choice.replicas > 1 else None,
        "devices": devices,
    }


def _enable_gpu_memory_growth():
    """Make TensorFlow allocate GPU memory when it is needed, not all at the start."""
    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            return  # TensorFlow is already initialized.

"""One device, several GPUs, or several machines: which, and what each process has to do then.

A worker is one process of several on a cluster, as the environment variable `TF_CONFIG` describes
it to TensorFlow; the first one, the chief, writes what a run leaves. A replica is one device that
holds a copy of the model.

`fit` is `kerashw.fitting.fit`, which is right under every strategy; `Model.fit` of Keras 3 is not:
it takes no several workers, and under several GPUs no several steps a call.
"""

import dataclasses
import faulthandler
import os
import signal
import threading
from pathlib import Path

import tensorflow as tf

from kerashw.distribution.rendezvous import meet
from kerashw.distribution.tf_config import EXAMPLE, read_cluster
from kerashw.errors import InputError, WorkerError

NAMES = ("auto", "default", "mirrored", "multiworker")
TIMEOUT = 60


@dataclasses.dataclass(frozen=True)
class Plan:
    """Where a model will be trained; TensorFlow has not been told of it yet.

    Args:
        name: "default", "mirrored" or "multiworker".
        devices: Tuple of strings, the devices of this process that hold a copy of the model.
        addresses: Tuple of strings "host:port", one a worker; none without a cluster.
        index: Integer, this worker's place among them; the chief's is 0.
    """

    name: str = "default"
    devices: tuple = ()
    addresses: tuple = ()
    index: int = 0

    @property
    def workers(self):
        """The number of processes."""
        return max(1, len(self.addresses))

    @property
    def replicas(self):
        """The number of copies of the model, over all workers alike."""
        return self.workers * max(1, len(self.devices))

    @property
    def is_chief(self):
        """Whether this process writes what a run leaves."""
        return self.index == 0

    def meet(self, told, timeout=TIMEOUT):
        """Meet the other workers; return what each of them tells. See `rendezvous.meet`."""
        return meet(self.addresses, self.index, told, timeout) if self.addresses else [told]

    def start(self, timeout=TIMEOUT):
        """Return the `tf.distribute.Strategy`; with several workers before anything else runs.

        Args:
            timeout: Seconds to wait for other workers at most.

        Raises:
            WorkerError: If another worker was lost meanwhile.
        """
        _grow_gpu_memory()
        if self.name == "default":
            return tf.distribute.get_strategy()
        if self.name == "mirrored":
            return tf.distribute.MirroredStrategy(list(self.devices))
        # If a worker is lost right after the workers have met, TensorFlow waits for it, and holds
        # the interpreter meanwhile. This ends the process (exit code 1) all the same.
        with Path(os.devnull).open("w") as nowhere:
            faulthandler.dump_traceback_later(timeout, exit=True, file=nowhere)
            try:
                return tf.distribute.MultiWorkerMirroredStrategy(
                    communication_options=tf.distribute.experimental.CommunicationOptions(
                        implementation=_communication()
                    )
                )
            except tf.errors.OpError as error:
                raise WorkerError(
                    f"TensorFlow cannot join the other workers: {error.message}"
                ) from error
            finally:
                faulthandler.cancel_dump_traceback_later()
                _take_sigterm_back()


def plan(name="auto"):
    """Choose where to train.

    Args:
        name: "auto": several workers where `TF_CONFIG` has a cluster, otherwise all GPUs where
            there are several, otherwise TensorFlow's default, one device. "default", "mirrored" or
            "multiworker" ask for one of these.

    Returns:
        `Plan`.

    Raises:
        InputError: If there is no such choice, "mirrored" is asked for and there is one device
            only, or "multiworker" and `TF_CONFIG` has no cluster, or it is broken.

    Example:
        >>> plan("default")
        Plan(name='default', devices=(), addresses=(), index=0)
    """
    if name not in NAMES:
        raise InputError(f"strategy must be one of {', '.join(NAMES)}. Received: {name!r}")
    if name == "multiworker" or (name == "auto" and os.environ.get("TF_CONFIG")):
        addresses, index = read_cluster()
        if addresses:
            # TensorFlow must not start before it knows of the cluster: ask for no logical devices.
            gpus = tf.config.list_physical_devices("GPU")
            devices = tuple(f"GPU:{number}" for number in range(len(gpus))) or ("CPU:0",)
            return Plan("multiworker", devices, addresses, index)
        if name == "multiworker":
            raise InputError(f"--strategy multiworker needs TF_CONFIG with a cluster. {EXAMPLE}")
    if name in ("auto", "mirrored"):
        _grow_gpu_memory()
        gpus = tf.config.list_logical_devices("GPU")
        found = gpus or tf.config.list_logical_devices("CPU")
        if len(gpus) > 1 or (name == "mirrored" and len(found) > 1):
            return Plan("mirrored", tuple(device.name for device in found))
        if name == "mirrored":
            raise InputError(
                f"--strategy mirrored needs at least 2 devices. Received: {found[0].name} alone. "
                "Take --strategy default, or multiworker for several machines"
            )
    return Plan()


def strategy(name="auto", timeout=TIMEOUT):
    """Return a `tf.distribute` strategy to build, load and compile models in the scope of.

    Call it before anything else of TensorFlow. With several workers it returns when all are there.

    Args:
        name: As for `plan`.
        timeout: Seconds to wait for other workers at most.

    Returns:
        `tf.distribute.Strategy`.

    Raises:
        InputError: As `plan`.
        WorkerError: If a worker is not there in time.

    Example:
        >>> import keras, kerashw
        >>> with strategy("default").scope():
        ...     model = kerashw.models.softmax_regression()
        ...     model.compile(kerashw.optimizers.Adadelta(), "sparse_categorical_crossentropy")
        >>> x, y = np.zeros((5, 28, 28, 1)), np.arange(5)
        >>> fit(model, (x, y), batch_size=2, epochs=3, verbose=0).epoch
        [0, 1, 2]
    """
    chosen = plan(name)
    chosen.meet({}, timeout)
    return chosen.start(timeout)


def describe(chosen, strategy):
    """Return what a manifest says of a plan that has been started.

    Args:
        chosen: `Plan`.
        strategy: The `tf.distribute.Strategy` that it gave.

    Returns:
        Dict of `strategy`, its name; `replicas` and `workers`, their numbers; `communication`,
        "NCCL", "RING" or `None`; `devices`, those of this worker that train.

    Example:
        >>> describe(plan("default"), strategy("default"))["workers"]
        1
    """
    communication = _communication() if chosen.replicas > 1 else None
    if chosen.name == "default":
        # Where TensorFlow puts what it is not told to put elsewhere.
        found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        devices = [found[0].name]
    else:
        devices = list(strategy.extended.worker_devices)
    return {
        "strategy": chosen.name,
        "replicas": chosen.replicas,
        "workers": chosen.workers,
        "communication": communication and communication.value,
        "devices": devices,
    }


def _take_sigterm_back():
    """Have SIGTERM do what it did before TensorFlow took it, to tell nobody of it."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM) or signal.SIG_DFL)


def _communication():
    options = tf.distribute.experimental.CommunicationImplementation
    return options.NCCL if tf.config.list_physical_devices("GPU") else options.RING


def _grow_gpu_memory():
    """Have TensorFlow take a GPU's memory as it needs it, not all at once."""
    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            return  # TensorFlow has started, and took what it was told to.

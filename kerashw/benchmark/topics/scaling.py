"""The cost of several replicas or workers that share the cores of this machine.

Each strategy trains the same model with the same global batches, in processes of its own. Since the
cores are shared, a strategy can only be slower than one worker. The difference is the cost of
coordination: summing gradients, waiting for other workers, and computing in smaller pieces. Workers
on machines of their own have the first two of these costs, and gain the rest.
"""

import contextlib
import itertools
import json
import os
import statistics
import sys
import time
from typing import NamedTuple

from kerashw.benchmark.result_table import Table
from kerashw.benchmark.subprocesses import free_ports, start_process
from kerashw.console import EXIT_TEMPORARY_FAILURE, run_command
from kerashw.datasets import mnist
from kerashw.errors import BenchmarkError, WorkerError

MODELS = ("softmax", "mlp")
EXAMPLES, BATCH_SIZE = 12_800, 128
EPOCHS = 4  # with one epoch of warm-up
ROUNDS = 2


class Cluster(NamedTuple):
    """A strategy, its number of worker processes, and the number of replicas in each process."""

    strategy: str
    workers: int
    replicas_per_worker: int

    @property
    def replicas(self):
        """The number of replicas in all workers."""
        return self.workers * self.replicas_per_worker


CLUSTERS = (
    Cluster("default", 1, 1),
    Cluster("mirrored", 1, 2),
    Cluster("multiworker", 1, 1),
    Cluster("multiworker", 2, 1),
)


def measure(setup):
    """Time epochs with each strategy.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.

    Yields:
        `Table`, one per model.
    """
    # Prepares MNIST once for all processes, and raises an error before they start.
    mnist.load(data_dir=setup.data_dir)
    for model in MODELS:
        seconds = {cluster: [] for cluster in CLUSTERS}
        for _ in range(ROUNDS):
            for cluster in CLUSTERS:
                setup.progress(f"{model}, {cluster.strategy}, {cluster.workers} processes")
                seconds[cluster] += _epoch_seconds(model, cluster, setup.data_dir)
        rates = {cluster: EXAMPLES / statistics.median(times) for cluster, times in seconds.items()}
        rows = [
            (*_first_cells(cluster), seconds[cluster], rate, _loss_percentage(cluster, rates))
            for cluster, rate in rates.items()
        ]
        yield Table(
            f"Scaling on the same {os.cpu_count()} cores: {model}, batches of {BATCH_SIZE}",
            ("strategy", "workers", "replicas", "s per epoch", "examples per second", "% lost"),
            rows,
            ("{}", "{}", "{}", "{:.2f}", "{:,.0f}", "{:.0f}"),
        )


def _first_cells(cluster):
    return cluster.strategy, cluster.workers, cluster.replicas


def _loss_percentage(cluster, rates):
    """Return how much slower a cluster is than one replica of its strategy, or than one device."""
    if cluster.replicas == 1:
        return None
    alone = Cluster(cluster.strategy, 1, 1)
    return 100 * (1 - rates[cluster] / rates[alone if alone in rates else CLUSTERS[0]])


def _epoch_seconds(model, cluster, data_dir):
    """Train in a cluster; return the seconds of each epoch in its first process but the first."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(cluster.workers)]
    arguments = [model, cluster.strategy, str(cluster.replicas_per_worker), data_dir or ""]
    command = [sys.executable, "-m", __name__, *arguments]
    with contextlib.ExitStack() as stack:
        processes = []
        for index in range(cluster.workers):
            environment = {key: value for key, value in os.environ.items() if key != "TF_CONFIG"}
            if cluster.strategy == "multiworker":
                task = {"type": "worker", "index": index}
                config = {"cluster": {"worker": addresses}, "task": task}
                environment["TF_CONFIG"] = json.dumps(config)
            processes.append(stack.enter_context(start_process(command, env=environment)))
        outputs = [process.stdout.read() for process in processes]
        _check_exit_codes(processes, cluster.strategy)
    return json.loads(outputs[0])


def _check_exit_codes(processes, strategy):
    """Raise the error of a failed process, preferably of one that did not just lose another."""
    failed = [process for process in processes if process.wait()]
    failed.sort(key=lambda process: process.returncode == EXIT_TEMPORARY_FAILURE)
    for process in failed:
        error_class = (
            WorkerError if process.returncode == EXIT_TEMPORARY_FAILURE else BenchmarkError
        )
        raise error_class(f"a process of {strategy} failed: {process.last_error_line()}")


def _train(model, strategy_name, replicas, data_dir):
    """Train with a strategy; print the seconds of each epoch except the first as JSON."""
    import keras
    import tensorflow as tf

    from kerashw import distribution
    from kerashw.datasets.pipeline import Batches
    from kerashw.models import compiled_model

    if strategy_name == "mirrored":
        (cpu,) = tf.config.list_physical_devices("CPU")
        devices = [tf.config.LogicalDeviceConfiguration() for _ in range(int(replicas))]
        tf.config.set_logical_device_configuration(cpu, devices)
    strategy = distribution.strategy(strategy_name)
    data = mnist.load(data_dir=data_dir or None).first(EXAMPLES, 1)
    with strategy.scope():
        compiled = compiled_model(model, 0, (28, 28, 1), 10)
    train = Batches(data.train_images, data.train_labels, BATCH_SIZE, seed=0)
    epoch_ends = []
    timer = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epoch_ends.append(time.perf_counter())
    )
    distribution.fit(compiled, train, epochs=EPOCHS, callbacks=[timer], verbose=0)
    seconds = [after - before for before, after in itertools.pairwise(epoch_ends)]
    sys.stdout.write(json.dumps(seconds))


if __name__ == "__main__":
    sys.exit(run_command(lambda: _train(*sys.argv[1:]), __spec__.name))

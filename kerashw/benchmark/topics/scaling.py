"""What several replicas or workers cost: they share this machine's cores, so nothing can be gained.

Every strategy trains the same model with the same global batches in processes of its own, in turn.
What is missing to the examples a second of one worker is the price of coordination: gradients that
are summed, workers that wait for each other, arithmetic in smaller pieces. On machines of their
own, workers pay for the first two of these, and gain the rest.
"""

import contextlib
import itertools
import json
import os
import socket
import statistics
import sys
import time

from kerashw.benchmark.result_table import Table
from kerashw.benchmark.subprocesses import started
from kerashw.console import TRY_AGAIN, run_command
from kerashw.datasets import mnist
from kerashw.errors import BenchmarkError, WorkerError

MODELS = ("softmax", "mlp")
EXAMPLES, BATCH_SIZE = 12_800, 128
EPOCHS = 4  # the first of them does not count
ROUNDS = 2
# Strategy, processes, replicas in each.
WAYS = (("default", 1, 1), ("mirrored", 1, 2), ("multiworker", 1, 1), ("multiworker", 2, 1))


def measure(setup):
    """Time epochs under every strategy.

    Args:
        setup: `kerashw.benchmark.result_table.Setup`.

    Yields:
        `Table`, one a model.
    """
    # Prepares it once for all processes, and tells at once if that cannot be.
    mnist.load(data_dir=setup.data_dir)
    for model in MODELS:
        seconds = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way in WAYS:
                setup.progress(f"{model}, {way[0]}, {way[1]} processes")
                seconds[way] += _epochs(model, way, setup.data_dir)
        rates = {way: EXAMPLES / statistics.median(times) for way, times in seconds.items()}
        yield Table(
            f"Scaling on the same {os.cpu_count()} cores: {model}, batches of {BATCH_SIZE}",
            ("strategy", "workers", "replicas", "s an epoch", "examples a second", "% lost"),
            [(*_named(way), seconds[way], rate, _lost(way, rates)) for way, rate in rates.items()],
            ("{}", "{}", "{}", "{:.2f}", "{:,.0f}", "{:.0f}"),
        )


def _named(way):
    name, processes, replicas = way
    return name, processes, processes * replicas


def _lost(way, rates):
    """Return the percentage missing to the same strategy's single replica, or to one device."""
    name, processes, replicas = way
    if processes * replicas == 1:
        return None
    alone = (name, 1, 1) if (name, 1, 1) in rates else WAYS[0]
    return 100 * (1 - rates[way] / rates[alone])


def _epochs(model, way, data_dir):
    """Return the seconds of the counted epochs, as the first process has them."""
    name, processes, replicas = way
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(processes)]
    with contextlib.ExitStack() as stack:
        running = []
        for index in range(processes):
            environment = {key: value for key, value in os.environ.items() if key != "TF_CONFIG"}
            if name == "multiworker":
                task = {"type": "worker", "index": index}
                config = {"cluster": {"worker": addresses}, "task": task}
                environment["TF_CONFIG"] = json.dumps(config)
            command = [sys.executable, "-m", __name__, model, name, str(replicas), data_dir or ""]
            running.append(stack.enter_context(started(command, env=environment)))
        written = [process.process.stdout.read() for process in running]
        failed = [process for process in running if process.process.wait()]
        # One that lost another says less than the other.
        failed.sort(key=lambda process: process.process.returncode == TRY_AGAIN)
        for process in failed:
            lost = process.process.returncode == TRY_AGAIN
            kind = WorkerError if lost else BenchmarkError
            raise kind(f"a process of {name} failed: {process.last_words()}")
    return json.loads(written[0])


def _free_ports(number):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _train(model, name, replicas, data_dir):
    """Train under a strategy; print the seconds of each epoch but the first."""
    import keras
    import tensorflow as tf

    from kerashw import distribution
    from kerashw.datasets.pipeline import Batches
    from kerashw.models import compiled_model

    if name == "mirrored":
        (cpu,) = tf.config.list_physical_devices("CPU")
        devices = [tf.config.LogicalDeviceConfiguration() for _ in range(int(replicas))]
        tf.config.set_logical_device_configuration(cpu, devices)
    strategy = distribution.strategy(name)
    data = mnist.load(data_dir=data_dir or None).first(EXAMPLES, 1)
    with strategy.scope():
        built = compiled_model(model, 0, (28, 28, 1), 10)
    train = Batches(data.train_images, data.train_labels, BATCH_SIZE, seed=0)
    moments = []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: moments.append(time.perf_counter())
    )
    distribution.fit(built, train, epochs=EPOCHS, callbacks=[clock], verbose=0)
    seconds = [after - before for before, after in itertools.pairwise(moments)]
    sys.stdout.write(json.dumps(seconds))


if __name__ == "__main__":
    sys.exit(run_command(lambda: _train(*sys.argv[1:]), __spec__.name))

"""What the tests of distribution run in processes of their own, as replicas or as workers.

`python -m tests.distribution.jobs jobs OUTPUT` does the same trainings under whatever strategy there is:
all workers of `TF_CONFIG`, or else one device, 2 and 3 logical devices in turn. The results
are in `OUTPUT/jobs-NAME.npz`. `python -m tests.distribution.jobs train …` is the command on two logical
devices.
"""

import contextlib
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.ports import free_ports

EXAMPLES, BATCH = 41, 8  # six batches, the last of one example: fewer than there are replicas
WIDTH = 4000


def main(command, *arguments):
    import tensorflow as tf

    if "TF_CONFIG" not in os.environ:
        (cpu,) = tf.config.list_physical_devices("CPU")
        number = 2 if command == "train" else 3
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(number)]
        )
    if command == "train":
        from kerashw.train.__main__ import main

        sys.exit(main(list(arguments)))
    from kerashw import distribution
    from kerashw.fitting.lost_workers import worker_count

    (output,) = map(Path, arguments)
    if "TF_CONFIG" in os.environ:
        strategy = distribution.strategy("multiworker")
        where = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
        np.savez(
            output / f"jobs-worker-{where}-of-{worker_count(strategy)}.npz", **results(strategy)
        )
        return
    np.savez(output / "jobs-default.npz", **results(distribution.strategy("default")))
    for number in (2, 3):
        # Two strategies of one process must not use the same names for their reductions.
        tf.distribute.MirroredStrategy._collective_key_base += 1000
        devices = [f"/cpu:{index}" for index in range(number)]
        strategy = tf.distribute.MirroredStrategy(devices)
        np.savez(output / f"jobs-mirrored-{number}.npz", **results(strategy))


def results(strategy):
    """Train small models; return their losses and weights by name."""
    found = {}
    for job in (law, generality, seen, dropout, statistics, synchronized):
        for name, values in job(strategy):
            for number, value in enumerate(values):
                found[f"{name}/{number}"] = value
    return found


def digits():
    from kerashw.datasets import mnist

    return mnist.load().first(EXAMPLES, 50)


def trained(strategy, build, data, validation_data=None, epochs=1, optimizer=None, **settings):
    """Train a model under a strategy; return it and what it measured."""
    import keras

    from kerashw.distribution import fit
    from kerashw.optimizers import Adadelta

    keras.utils.set_random_seed(3)
    with strategy.scope():
        model = build()
        model.compile(optimizer() if optimizer else Adadelta(), **settings)
    history = fit(model, data, validation_data, epochs=epochs, batch_size=BATCH, verbose=0).history
    # Of a model with several outputs, Keras averages their single losses over batches.
    return model, [history[name] for name in sorted(history) if name not in SINGLE_LOSSES]


SINGLE_LOSSES = ("digit_loss", "ink_loss")
DIGITS = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


def law(strategy):
    """The models of the homework, without dropout."""
    from kerashw.datasets.pipeline import Batches
    from kerashw.models import convnet, mlp, softmax_regression

    data = digits()
    train = Batches(data.train_images, data.train_labels, BATCH, seed=0)
    test = Batches(data.test_images, data.test_labels, 23)
    for name, build in (
        ("softmax", softmax_regression),
        ("mlp", lambda: mlp(dropout=0)),
        ("convnet", lambda: convnet(conv_dropout=0, dense_dropout=0)),
    ):
        model, measured = trained(strategy, build, train, test, **DIGITS)
        yield name, measured + model.get_weights()


def generality(strategy):
    """Somebody else's model and data: arrays with weights, tf.data, two outputs, clipping."""
    import keras
    import tensorflow as tf

    def build():
        image = keras.Input((28, 28, 1))
        x = keras.layers.Flatten()(image)
        x = keras.layers.Dense(9, "tanh", kernel_regularizer="l2", activity_regularizer="l2")(x)
        outputs = {
            "digit": keras.layers.Dense(10, "softmax", name="digit")(x),
            "ink": keras.layers.Dense(1, name="ink")(x),
        }
        return keras.Model(image, outputs)

    def clipped():
        return keras.optimizers.Adam(0.01, global_clipnorm=0.1)

    data = digits()
    x = data.train_images[..., None] / 255
    y = {"digit": data.train_labels, "ink": x.mean(axis=(1, 2))}
    weight = np.linspace(0.5, 2, EXAMPLES)
    settings = {
        "loss": {"digit": DIGITS["loss"], "ink": "mse"},
        "metrics": {"digit": ["accuracy"]},
        "weighted_metrics": {"ink": ["mae"]},
    }
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)
    for name, batches in (("arrays", (x, y, weight)), ("dataset", dataset)):
        model, measured = trained(strategy, build, batches, epochs=2, optimizer=clipped, **settings)
        yield name, measured + model.get_weights()


def linear(build_hidden, width):
    """A model whose weights become minus the mean of what they were given, batch by batch."""
    import keras

    x = keras.Input((width,))
    weights = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    return keras.Model(x, weights(build_hidden(x)))


def plain():
    import keras

    return keras.optimizers.SGD(1.0)


def mean_output(y, outputs):
    return outputs[:, 0]


def seen(strategy):
    """Example i is the unit vector i: weight i tells how often it was seen, and how heavy."""
    data = np.eye(EXAMPLES), np.zeros(EXAMPLES)
    build = functools.partial(linear, lambda x: x, EXAMPLES)
    model, _ = trained(strategy, build, data, loss=mean_output, optimizer=plain)
    yield "seen", model.get_weights()


def dropout(strategy):
    """One batch of ones through dropout: each weight becomes minus the mean of its masks."""
    from kerashw.layers import Dropout

    data = np.ones((BATCH, WIDTH)), np.zeros(BATCH)

    def build():
        return linear(Dropout(0.5), WIDTH)

    model, _ = trained(strategy, build, data, loss=mean_output, optimizer=plain)
    yield "dropout", model.get_weights()


def statistics(strategy):
    """What batch normalization remembers, as each replica of this process has it."""
    import keras

    from kerashw.fitting.replica_step import is_distributed

    def build():
        return linear(keras.layers.BatchNormalization(), 3)

    data = np.random.default_rng(0).normal(size=(EXAMPLES, 3)), np.zeros(EXAMPLES)
    model, _ = trained(strategy, build, data, loss="mse")
    for variable in model.non_trainable_variables:
        copies = variable.value.values if is_distributed(model) else [variable]
        yield f"statistics/{variable.name}", [np.stack(copies)]


def synchronized(strategy):
    """Batch normalization over all replicas' parts of a batch."""
    import keras

    def build():
        return linear(keras.layers.BatchNormalization(synchronized=True), 3)

    inputs = np.random.default_rng(0).normal(size=(EXAMPLES - 1, 3))
    model, measured = trained(strategy, build, (inputs, inputs.sum(axis=1)), loss="mse")
    yield "synchronized", measured + model.get_weights()


def start(module, arguments, **environment):
    """Start a module as a process."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"} | environment
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def start_workers(module, arguments, number):
    """Start the workers of a cluster on this machine; return their processes, the chief's first."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(number)]}
    tasks = [{"type": "worker", "index": index} for index in range(number)]
    configs = [json.dumps({"cluster": cluster, "task": task}) for task in tasks]
    return [start(module, arguments, TF_CONFIG=config) for config in configs]


def ended(processes, codes=None):
    """Wait until processes have ended with these exit codes; return what each of them wrote."""
    written = [process.communicate(timeout=900) for process in processes]
    found = [process.returncode for process in processes]
    assert found == (codes or [0] * len(processes)), written
    return written


@contextlib.contextmanager
def killed_in_the_end(processes):
    """Leave none of these processes behind, whatever a test finds."""
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def made_once(tmp_path_factory, name, make):
    """Return a folder that `make(folder)` fills, once for all processes of pytest."""
    from kerashw.files import locked

    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    lock, folder = root / f"{name}-lock", root / name
    lock.mkdir(exist_ok=True)
    with locked(lock):
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "made").touch()
    return folder


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Small trainings that the tests run under several strategies, in processes of their own.

`python -m tests.fitting.training_jobs OUTPUT NAME…` runs the jobs of each name in `LOCAL_JOBS`, and
writes their results to `OUTPUT/NAME.npz`. With `TF_CONFIG`, it runs the jobs of names in
`WORKER_JOBS` as a worker, and writes `OUTPUT/worker-INDEX-of-NUMBER.npz`.
"""

import contextlib
import functools
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.distribution.logical_devices import split_cpu
from tests.fitting.feature_jobs import features

EXAMPLES, BATCH_SIZE = 41, 8  # The last batch has one example, fewer than there are replicas.
DROPOUT_WIDTH = 4000
DIGITS = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


def main(output, *names):
    from kerashw import distribution
    from kerashw.fitting.lost_workers import worker_count

    output = Path(output)
    if "TF_CONFIG" in os.environ:
        strategy = distribution.strategy("multiworker")
        index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
        path = output / f"worker-{index}-of-{worker_count(strategy)}.npz"
        jobs = [job for name in names for job in WORKER_JOBS[name]]
        np.savez(path, **run_jobs(strategy, jobs))
        return
    split_cpu(3)
    for name in names:
        replicas, jobs = LOCAL_JOBS[name]
        np.savez(output / f"{name}.npz", **run_jobs(local_strategy(replicas), jobs))


def local_strategy(replicas):
    import tensorflow as tf

    from kerashw import distribution

    if replicas == 1:
        return distribution.strategy("default")
    return tf.distribute.MirroredStrategy([f"/cpu:{index}" for index in range(replicas)])


def run_jobs(strategy, jobs):
    """Run jobs; return their arrays by name and number."""
    return {
        f"{name}/{number}": array
        for job in jobs
        for name, arrays in job(strategy)
        for number, array in enumerate(arrays)
    }


def arrays_of(results, name):
    """Return the arrays of one job from the results of `run_jobs`."""
    arrays = [array for key, array in results.items() if key.startswith(f"{name}/")]
    assert arrays
    return arrays


def trained(strategy, build, data, validation_data=None, epochs=1, optimizer=None, **settings):
    """Train a model under a strategy; return it with its losses and metrics."""
    import keras

    from kerashw.distribution import fit
    from kerashw.optimizers import Adadelta

    keras.utils.set_random_seed(3)
    with strategy.scope():
        model = build()
        model.compile(optimizer() if optimizer else Adadelta(), **settings)
    names = ("x", "y", "sample_weight")[: len(data)] if isinstance(data, tuple) else ("x",)
    given = dict(zip(names, data if isinstance(data, tuple) else (data,), strict=True))
    settings = {"batch_size": BATCH_SIZE, "epochs": epochs, "validation_data": validation_data}
    settings["shuffle"] = False  # several workers have an order of their own
    history = fit(model, **given, **settings, verbose=0).history
    return model, [history[name] for name in sorted(history)]


def digits():
    from kerashw.datasets import mnist

    return mnist.load().first(EXAMPLES, 50)


def softmax_regression(strategy):
    """The softmax regression of the homework, with validation data."""
    from kerashw import models
    from kerashw.datasets.pipeline import Batches

    data = digits()
    train = Batches(data.train_images, data.train_labels, BATCH_SIZE, seed=0)
    test = Batches(data.test_images, data.test_labels, 23)
    model, logs = trained(strategy, models.softmax_regression, train, test, **DIGITS)
    yield "softmax", logs + model.get_weights()
    with stored_images(train, test) as batches:
        model, logs = trained(strategy, models.softmax_regression, *batches, **DIGITS)
    yield "streamed", logs + model.get_weights()


@contextlib.contextmanager
def stored_images(*batches):
    """The same batches of images on disk, read in pieces of two batches."""
    from kerashw.datasets import streamed_batches
    from kerashw.datasets.stored_array import read_stored

    window_length = streamed_batches.window_length
    streamed_batches.window_length = lambda example_bytes: 2 * BATCH_SIZE
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "images.npz")
        np.savez(path, *(each.arrays[0] for each in batches))
        images = read_stored(path).values()
        yield [
            streamed_batches.image_batches(
                stored, each.arrays[1].numpy(), each.batch_size, each.seed
            )
            for stored, each in zip(images, batches, strict=True)
        ]
    streamed_batches.window_length = window_length


def deep_networks(strategy):
    """The deep networks of the homework without dropout, trained on full batches."""
    from kerashw import models
    from kerashw.datasets.pipeline import Batches

    data = digits().first(EXAMPLES - 1)
    train = Batches(data.train_images, data.train_labels, BATCH_SIZE, seed=0)
    for name, build in (
        ("mlp", lambda: models.mlp(dropout=0)),
        ("convnet", lambda: models.convnet(conv_dropout=0, dense_dropout=0)),
    ):
        model, logs = trained(strategy, build, train, **DIGITS)
        yield name, logs + model.get_weights()


def arrays_with_sample_weights(strategy):
    """A user's model of two outputs, sample weights, and clipped gradients."""
    x, y = images_and_two_targets()
    model, logs = trained_on_two_targets(strategy, (x, y, np.linspace(0.5, 2, EXAMPLES)))
    yield "arrays", logs + model.get_weights()


def dataset(strategy):
    """The same model and a `tf.data.Dataset`."""
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensor_slices(images_and_two_targets()).batch(BATCH_SIZE)
    model, logs = trained_on_two_targets(strategy, batches)
    yield "dataset", logs + model.get_weights()


def images_and_two_targets():
    data = digits()
    x = data.train_images[..., None] / 255
    return x, {"digit": data.train_labels, "ink": x.mean(axis=(1, 2))}


def trained_on_two_targets(strategy, data):
    import keras

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

    settings = {
        "loss": {"digit": DIGITS["loss"], "ink": "mse"},
        "metrics": {"digit": ["accuracy"]},
        "weighted_metrics": {"ink": ["mae"]},
    }
    return trained(strategy, build, data, epochs=2, optimizer=clipped, **settings)


def linear(hidden_layer, width):
    """Build a linear model with zero weights behind a layer."""
    import keras

    x = keras.Input((width,))
    output = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    return keras.Model(x, output(hidden_layer(x)))


def trained_on_mean_output(strategy, build, inputs):
    """Train a linear model whose weights become minus the sum of the mean inputs of all batches."""
    import keras

    def mean_output(y, outputs):
        return outputs[:, 0]

    def gradient_descent():
        return keras.optimizers.SGD(1.0)

    data = inputs, np.zeros(len(inputs))
    return trained(strategy, build, data, loss=mean_output, optimizer=gradient_descent)[0]


def example_weights(strategy):
    """Example i is the unit vector i, so weight i is minus the weight of example i."""
    build = functools.partial(linear, lambda x: x, EXAMPLES)
    model = trained_on_mean_output(strategy, build, np.eye(EXAMPLES))
    yield "example weights", model.get_weights()


def dropout_masks(strategy):
    """One batch of ones through dropout, so each weight is minus the mean of its masks."""
    from kerashw.layers import Dropout

    def build():
        return linear(Dropout(0.5), DROPOUT_WIDTH)

    model = trained_on_mean_output(strategy, build, np.ones((BATCH_SIZE, DROPOUT_WIDTH)))
    yield "dropout masks", model.get_weights()


def batch_averages(strategy):
    """The averages of batch normalization, of each replica of this process."""
    import keras

    from kerashw.fitting.replica_step import is_distributed

    def build():
        return linear(keras.layers.BatchNormalization(), 3)

    data = np.random.default_rng(0).normal(size=(EXAMPLES, 3)), np.zeros(EXAMPLES)
    model, _ = trained(strategy, build, data, loss="mse")
    for variable in model.non_trainable_variables:
        copies = variable.value.values if is_distributed(model) else [variable]
        yield f"batch averages/{variable.name}", [np.stack(copies)]


def synchronized_normalization(strategy):
    """Batch normalization over the parts of all replicas together."""
    import keras

    def build():
        return linear(keras.layers.BatchNormalization(synchronized=True), 3)

    inputs = np.random.default_rng(0).normal(size=(EXAMPLES - 1, 3))
    model, logs = trained(strategy, build, (inputs, inputs.sum(axis=1)), loss="mse")
    yield "synchronized", logs + model.get_weights()


LAYER_JOBS = (example_weights, dropout_masks, batch_averages, synchronized_normalization)
QUICK_JOBS = (softmax_regression, arrays_with_sample_weights, *LAYER_JOBS)
SLOW_JOBS = (dataset, deep_networks, features)
# Name → the number of replicas, and the jobs.
LOCAL_JOBS = {
    "default": (1, QUICK_JOBS),
    "mirrored-3": (3, QUICK_JOBS),
    "default-slow": (1, SLOW_JOBS),
    "mirrored-3-slow": (3, SLOW_JOBS),
    "mirrored-2-slow": (2, (*QUICK_JOBS, *SLOW_JOBS)),
}
# A worker runs the jobs of these names.
WORKER_JOBS = {
    "quick": (softmax_regression, example_weights, synchronized_normalization),
    "slow": (arrays_with_sample_weights, dropout_masks, batch_averages, *SLOW_JOBS),
    "few": (softmax_regression, arrays_with_sample_weights, dataset),
}

if __name__ == "__main__":
    main(*sys.argv[1:])

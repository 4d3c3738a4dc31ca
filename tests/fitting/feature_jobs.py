"""Features of Keras' training that tests run under several strategies, as in `training_jobs`.

All models have losses and gradients whose means do not depend on how a batch is divided.
"""

import keras
import numpy as np
import tensorflow as tf

from kerashw import optimizers

EXAMPLES, BATCH_SIZE, FEATURES = 41, 8, 6  # The last batch has one example.
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(EXAMPLES, FEATURES)).astype("float32")
Y = RANDOM.integers(3, size=EXAMPLES)
TOKENS = RANDOM.integers(4, size=(EXAMPLES, 5))  # 0 is masked
SORTED_TOKENS = np.sort(TOKENS)[:, ::-1]
CROSSENTROPY = "sparse_categorical_crossentropy"


class OwnStep(keras.Model):
    """Has a training step without Keras' loss and metrics, which returns its own logs."""

    def train_step(self, batch):
        x, y = batch
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, outputs))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss, "means": {"first": tf.reduce_mean(outputs[:, 0])}}


class OwnMetrics(keras.Model):
    """Has a training step that computes Keras' loss and metrics, and one log beside them."""

    def train_step(self, batch):
        return super().train_step(batch) | {"examples": tf.reduce_mean(tf.ones_like(batch[0]))}


class NestedMetrics(keras.Model):
    """Has a training step that returns the results of `metrics`, where Keras nests its own."""

    def train_step(self, batch):
        x, y = batch
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = self.compute_loss(x, y, outputs)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        metrics = [metric for metric in self.metrics if metric.name != "loss"]
        for metric in metrics:
            metric.update_state(y, outputs)
        return {metric.name: metric.result() for metric in metrics}


class Generated(keras.utils.PyDataset):
    """The batches of all examples, from another one on in each epoch."""

    first = 0

    def __len__(self):
        return -(-EXAMPLES // BATCH_SIZE)

    def __getitem__(self, index):
        start = (self.first + index) % len(self) * BATCH_SIZE
        return X[start : start + BATCH_SIZE], Y[start : start + BATCH_SIZE]

    def on_epoch_end(self):
        self.first += 1


def dataset():
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(BATCH_SIZE)


def dense(model_class=keras.Model):
    x = keras.Input((FEATURES,))
    hidden = keras.layers.Dense(5, "tanh", kernel_regularizer="l2")(x)
    return model_class(x, keras.layers.Dense(3, "softmax")(hidden))


def tagger():
    """Return a model with an output for each token that is not masked."""
    x = keras.Input((5,), dtype="int32")
    embedded = keras.layers.Embedding(4, 3, mask_zero=True)(x)
    return keras.Model(x, keras.layers.Dense(4, "softmax")(embedded))


def accumulating():
    return keras.optimizers.Adam(0.01, gradient_accumulation_steps=3, global_clipnorm=0.1)


def scaling():
    # The scale doubles after every second step.
    inner = keras.optimizers.SGD(0.1, momentum=0.9, clipnorm=0.1)
    return keras.optimizers.LossScaleOptimizer(inner, dynamic_growth_steps=2)


def averaging():
    return keras.optimizers.AdamW(0.01, use_ema=True, ema_overwrite_frequency=4, weight_decay=0.1)


def adding_rows():
    # Keras' own Adam squares the gradients of a repeated row one by one on one device.
    return optimizers.Adam(0.05, global_clipnorm=0.1)


def loss(reduction):
    return keras.losses.SparseCategoricalCrossentropy(reduction=reduction)


def weighted_loss():
    return {"loss": loss("mean_with_sample_weight"), "weighted_metrics": ["accuracy"]}


PLAIN = {"build": dense, "optimizer": "adam", "compile": dict, "fit": {"x": X, "y": Y}}
OWN_STEP = {"build": lambda: dense(OwnStep), "compile": lambda: {"metrics": None}}
WEIGHTS = {"sample_weight": np.linspace(0, 2, EXAMPLES)}
TAGS = {"x": SORTED_TOKENS, "y": TOKENS}
# Name → what differs from `PLAIN`. `compile` makes arguments, since losses belong to one model.
FEATURE_JOBS = {
    "loss scaling": {"optimizer": scaling},
    "step of its own": OWN_STEP,
    "accumulation": {"optimizer": accumulating},
    "sum": {"compile": lambda: {"loss": loss("sum")}},
    "mask": {"build": tagger, "optimizer": "sgd", "fit": TAGS},
    "embedding": {"build": tagger, "optimizer": adding_rows, "fit": TAGS},
    "averaged weights": {"optimizer": averaging},
    "logs of its own": {"build": lambda: dense(OwnMetrics)},
    "nested metrics": {"build": lambda: dense(NestedMetrics)},
    "mean with weights": {"compile": weighted_loss, "fit": PLAIN["fit"] | WEIGHTS},
    "class weights": {"fit": PLAIN["fit"] | {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}},
    "steps per epoch": {"fit": PLAIN["fit"] | {"steps_per_epoch": 3}},
    "step of its own, dataset": OWN_STEP | {"fit": {"x": dataset}},
    "PyDataset": {"fit": {"x": lambda: Generated(workers=2)}},
}


def features(strategy, names=tuple(FEATURE_JOBS)):
    """Train a model with each feature; yield its name, and its losses, metrics and weights."""
    from kerashw.fitting import fit

    for name in names:
        job = PLAIN | FEATURE_JOBS[name]
        keras.utils.set_random_seed(3)
        with strategy.scope():
            model = job["build"]()
            optimizer = job["optimizer"]
            settings = {"loss": CROSSENTROPY, "metrics": ["accuracy"]} | job["compile"]()
            model.compile(optimizer() if callable(optimizer) else optimizer, **settings)
        arguments = {"shuffle": False, "epochs": 2, "verbose": 0} | job["fit"]
        if callable(arguments["x"]):
            arguments["x"] = arguments["x"]()
        else:
            arguments["batch_size"] = BATCH_SIZE
        history = fit(model, **arguments).history
        yield name, [history[key] for key in sorted(history)] + model.get_weights()

"""The models of `test_drop_in`: each has a feature of Keras' training. And their data."""

import functools

import keras
import numpy as np
import tensorflow as tf

N, FEATURES = 203, 6  # the last batch of 32 is smaller
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(N, FEATURES)).astype("float32"), RANDOM.integers(3, size=N)


def compiled(model, **settings):
    model.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy"} | settings)
    return model


def dense(**settings):
    model = keras.Sequential(
        [keras.Input((FEATURES,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")]
    )
    settings = {"optimizer": "adam", "metrics": ["accuracy"]} | settings
    return compiled(model, **settings)


class AddsLoss(keras.layers.Layer):
    def call(self, x):
        self.add_loss(0.1 * keras.ops.mean(x**2))
        return x


def with_layers(*layers, **settings):
    model = keras.Sequential([keras.Input((FEATURES,)), *layers, keras.layers.Dense(3, "softmax")])
    return compiled(model, **settings)


def recurrent():
    reshape = keras.layers.Reshape((FEATURES, 1))
    return with_layers(reshape, keras.layers.LSTM(4, unroll=True), optimizer="rmsprop")


def embedded():
    layers = keras.layers
    integers = layers.Lambda(lambda x: keras.ops.cast(keras.ops.abs(x), "int32"))
    embedding = layers.Embedding(9, 3, mask_zero=True)
    return with_layers(integers, embedding, layers.GlobalAveragePooling1D())


def two_outputs():
    x = keras.Input((FEATURES,))
    outputs = [keras.layers.Dense(3, "softmax", name=name)(x) for name in ("first", "second")]
    model = keras.Model(x, outputs)
    losses = ["sparse_categorical_crossentropy"] * 2
    model.compile("adam", losses, loss_weights=[1.0, 0.3], metrics=[["accuracy"], []])
    return model


def decaying():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    return with_layers(optimizer=keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True))


def convolutional():
    layers = keras.layers
    augmentation = layers.RandomFlip(seed=1), layers.RandomTranslation(0.3, 0.3, seed=2)
    convolution = layers.Conv2D(4, 2, activation="relu"), layers.BatchNormalization()
    pooling = layers.MaxPooling2D((2, 1)), layers.Flatten(), layers.Dropout(0.3, seed=3)
    return with_layers(layers.Reshape((3, 2, 1)), *augmentation, *convolution, *pooling)


def with_attention():
    layers = keras.layers
    x = keras.Input((FEATURES,))
    tokens = layers.Dense(4)(layers.Reshape((FEATURES, 1))(x))
    attended = layers.MultiHeadAttention(2, 2, dropout=0.1, seed=1)(tokens, tokens)
    normalized = layers.LayerNormalization()(layers.Add()([tokens, attended]))
    outputs = layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(normalized))
    # Not Adam: the keys' bias has the gradient 0, and Adam would scale its rounding errors to 1.
    return compiled(keras.Model(x, outputs), optimizer="sgd")


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(5, "gelu", kernel_constraint="max_norm")
        self.outputs_layer = keras.layers.Dense(3, "softmax", bias_regularizer="l1")

    def call(self, x, training=False):
        return self.outputs_layer(self.hidden(2 * x if training else x))


class OwnStep(keras.Model):
    def train_step(self, batch):
        x, y = batch
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply([0.5 * each for each in gradients], self.trainable_variables)
        return self.compute_metrics(x, y, self(x, training=False))


def with_own_step():
    x = keras.Input((FEATURES,))
    return compiled(OwnStep(x, keras.layers.Dense(3, "softmax")(x)), metrics=["accuracy"])


def with_policy(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return dense()
    finally:
        keras.config.set_dtype_policy(before)


def clipped(name):
    """Return a model with an optimizer that clips gradients."""
    return dense(optimizer=getattr(keras.optimizers, name)(clipnorm=0.1))


def mean_with_weights():
    return keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")


POLICIES = ["mixed_float16", "mixed_bfloat16", "float64"]
OPTIMIZERS = ["Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb"]
OPTIMIZERS += ["Lion", "Nadam", "RMSprop", "SGD"]
BUILDERS = {
    "accumulation": lambda: dense(optimizer=keras.optimizers.SGD(gradient_accumulation_steps=3)),
    "several steps a call": lambda: dense(steps_per_execution=4),
    "normalization": lambda: with_layers(keras.layers.BatchNormalization()),
    "add_loss": lambda: with_layers(AddsLoss()),
    "recurrent": recurrent,
    "masked embedding": embedded,
    "schedule": decaying,
    "averaged weights": lambda: dense(optimizer=keras.optimizers.Adam(use_ema=True)),
    "clipping": lambda: dense(optimizer=keras.optimizers.Adam(global_clipnorm=0.01)),
    "weighted metrics": lambda: dense(weighted_metrics=["accuracy"]),
    "convolutions": convolutional,
    "attention": with_attention,
    "subclass": lambda: compiled(Subclassed()),
    "own step": with_own_step,
    "mean with weights": lambda: dense(loss=mean_with_weights()),
    **{policy: functools.partial(with_policy, policy) for policy in POLICIES},
    **{name: functools.partial(clipped, name) for name in OPTIMIZERS},
}

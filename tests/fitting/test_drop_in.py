"""`fit` in the place of `Model.fit`: equal weights, History and callbacks for all arguments."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.fitting import accelerate, evaluate, explain, fit, predict

N, FEATURES = 203, 6  # the last batch of 32 is smaller
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(N, FEATURES)).astype("float32"), RANDOM.integers(3, size=N)
WEIGHTS = np.linspace(0, 2, N)


class Recorder(keras.callbacks.Callback):
    """Records every call with its batch or epoch and its logs."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(("begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(("end", batch, rounded(logs)))

    def on_test_batch_end(self, batch, logs=None):
        self.calls.append(("test", batch, rounded(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(("epoch", epoch, rounded(logs)))


def rounded(logs):
    return {name: round(float(value), 4) for name, value in logs.items()}


def compiled(model, **settings):
    model.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy"} | settings)
    return model


def dense(**settings):
    model = keras.Sequential(
        [keras.Input((FEATURES,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")]
    )
    settings = {"optimizer": "adam", "metrics": ["accuracy"]} | settings
    return compiled(model, **settings)


def dataset():
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(32)


class Generated(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(32 * index, 32 * index + 32)
        return X[rows], Y[rows]


def endless():
    while True:
        yield X[:32], Y[:32]


def assert_same_training(build, fused, callbacks=list, **arguments):
    """Train equal models; the arguments may be functions, for data that are read only once."""
    models, histories = [], []
    for train in (keras.Model.fit, fit):
        keras.utils.set_random_seed(5)
        models.append(build())
        given = {name: value() if callable(value) else value for name, value in arguments.items()}
        settings = {"epochs": 3, "verbose": 0, "shuffle": False} | given
        histories.append(train(models[-1], callbacks=callbacks(), **settings).history)
    explained = explain(models[-1], given["x"], given.get("y"), callbacks())
    assert explained.startswith("fused" if fused else "as in Keras"), explained
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-5, err_msg=name)
    for one, other in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-6)


ARRAYS = {"x": X, "y": Y}
ARGUMENTS = {
    "validation_split": ARRAYS | {"validation_split": 0.2, "validation_batch_size": 50},
    "class_weight": ARRAYS | {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}},
    "steps_per_epoch": ARRAYS | {"steps_per_epoch": 3, "batch_size": 20},
    "a dataset": {"x": dataset},
    "validation_freq": ARRAYS | {"validation_data": (X[:50], Y[:50]), "validation_freq": 2},
    "validation dataset": ARRAYS | {"validation_data": dataset, "validation_steps": 2},
    "sample_weight": ARRAYS | {"sample_weight": WEIGHTS},
    "initial_epoch": ARRAYS | {"initial_epoch": 1},
    "tensors": {"x": tf.constant(X), "y": tf.constant(Y)},
}
READ_BY_KERAS = {
    "a dataset of unknown length": {"x": lambda: dataset().filter(lambda x, y: True)},
    "a PyDataset": {"x": Generated},
    "a generator": {"x": endless, "steps_per_epoch": 4},
}


def some_slow(names, quick):
    """Return parameters of which only the first are quick."""
    first, others = list(names)[:quick], list(names)[quick:]
    return [*first, *(pytest.param(name, marks=pytest.mark.slow) for name in others)]


@pytest.mark.parametrize("name", some_slow(ARGUMENTS, quick=3))
def test_every_argument_and_every_batch_is_as_in_keras(name):
    recorders = []

    def recorder():
        recorders.append(Recorder())
        return recorders[-1:]

    assert_same_training(dense, True, recorder, **ARGUMENTS[name])
    assert recorders[0].calls == recorders[1].calls


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("name", some_slow(READ_BY_KERAS, quick=1))
def test_keras_reads_what_cannot_be_fused(name):
    assert_same_training(dense, False, **READ_BY_KERAS[name])


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


@pytest.mark.parametrize("name", some_slow(BUILDERS, quick=2))
def test_every_feature_of_models_is_as_in_keras(name):
    assert_same_training(BUILDERS[name], True, **ARRAYS)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("steps", [None, 3])
def test_a_seeded_dataset_has_the_order_of_keras_in_every_epoch(steps):
    def shuffled():
        return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(N, seed=3).batch(32)

    assert_same_training(
        dense, True, x=shuffled, validation_data=shuffled, steps_per_epoch=steps, epochs=4
    )


def test_the_order_of_arrays_follows_the_seed_and_goes_on():
    def losses(seed, **settings):
        keras.utils.set_random_seed(seed)
        model = dense(optimizer="sgd")
        model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
        for epoch in range(2):
            bounds = {"initial_epoch": epoch, "epochs": epoch + 1} if settings else {}
            fit(model, X, Y, verbose=0, **bounds)
        return model.get_weights()[0]

    first = losses(1)
    np.testing.assert_array_equal(losses(1), first)
    assert (losses(2) != first).any()
    keras.utils.set_random_seed(1)
    model = dense(optimizer="sgd")
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    fit(model, X, Y, verbose=0, epochs=2)
    np.testing.assert_allclose(losses(1, resumed=True), model.get_weights()[0], atol=1e-6)
    assert (model.get_weights()[0] != first).any()


@pytest.mark.parametrize("split", [0, 2.0, -0.1])
def test_data_without_examples_are_left_to_keras(split):
    x, y = (X, Y) if split else (X[:0], Y[:0])
    assert explain(dense(), X[:0], Y[:0], validation_split=split).startswith("as in Keras")
    with pytest.warns(UserWarning):
        fit(dense(), x, y, validation_split=split, verbose=0)


def test_arrays_of_other_lengths_need_no_other_steps():
    model = dense()
    loops = vars(model).setdefault("_fused_loops", {})
    for length in (100, 110, 127):
        fit(model, X[:length], Y[:length], verbose=0)
    assert len(loops) == 2  # the steps, and the state that they were traced in


def test_only_models_with_the_methods_of_keras_are_accelerated():
    class Own(keras.Sequential):
        def fit(self, *arguments, **settings):
            return super().fit(*arguments, **settings)

    with pytest.raises(InputError, match="replaces fit, which Own overrides"):
        accelerate(Own())
    with pytest.raises(InputError, match=r"takes a keras\.Model\. Received: Dense"):
        accelerate(keras.layers.Dense(3))


def test_a_callback_may_evaluate_and_predict():
    found = []

    class Evaluates(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            loss, _ = self.model.evaluate(X[:70], Y[:70], batch_size=9, verbose=0)
            total = self.model.predict(X, batch_size=7, verbose=0).sum()
            found.append((round(loss, 4), round(float(total), 3)))

    assert_same_training(dense, True, lambda: [Evaluates()], **ARRAYS)
    assert found[:3] == found[3:]


def test_a_stateful_layer_goes_on_with_its_state():
    def build():
        inputs = keras.Input(batch_shape=(29, FEATURES))
        sequence = keras.layers.Reshape((FEATURES, 1))(inputs)
        state = keras.layers.GRU(4, stateful=True)(sequence)
        return compiled(keras.Model(inputs, keras.layers.Dense(3, "softmax")(state)))

    assert_same_training(build, True, **ARRAYS, batch_size=29)


@pytest.mark.parametrize("container", [dict, list])
def test_several_inputs_are_trained_as_in_keras(container):
    def build():
        inputs = {name: keras.Input((3,), name=name) for name in ("left", "right")}
        joined = keras.layers.Dot(1)([keras.layers.Dense(4)(each) for each in inputs.values()])
        outputs = keras.layers.Dense(3, "softmax")(joined)
        return compiled(keras.Model(container(structure(inputs)), outputs))

    def structure(parts):
        return parts if container is dict else parts.values()

    x = container(structure({"left": X[:, :3], "right": X[:, 3:]}))
    assert_same_training(build, True, x=x, y=Y)


def test_two_outputs_are_trained_as_in_keras():
    assert_same_training(two_outputs, True, x=X, y=[Y, Y[::-1]])


def test_a_model_that_runs_eagerly_is_trained_by_keras():
    assert_same_training(lambda: dense(run_eagerly=True), False, **ARRAYS)


@pytest.mark.parametrize("save_freq", [3, pytest.param(2, marks=pytest.mark.slow)])
def test_checkpoints_are_saved_at_the_batches_of_keras(save_freq, tmp_path):
    def saved(train, folder):
        file = tmp_path / folder / "{epoch}-{batch}.weights.h5"
        file.parent.mkdir()
        callback = keras.callbacks.ModelCheckpoint(
            file, save_weights_only=True, save_freq=save_freq
        )
        train(dense(), X, Y, epochs=2, verbose=0, callbacks=[callback])
        return sorted(path.name for path in file.parent.iterdir())

    assert saved(fit, "ours") == saved(keras.Model.fit, "keras") != []


@pytest.mark.slow
def test_an_accelerated_model_trains_evaluates_and_predicts_as_before():
    keras.utils.set_random_seed(0)
    model, other = dense(), dense()
    other.set_weights(model.get_weights())
    assert accelerate(model) is model
    given = {"epochs": 2, "verbose": 0, "shuffle": False}
    found, expected = (each.fit(X, Y, **given).history["loss"] for each in (model, other))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(
        model.evaluate(X, Y, verbose=0), other.evaluate(X, Y, verbose=0), rtol=1e-5
    )
    np.testing.assert_allclose(
        model.predict(X, verbose=0), other.predict(X, verbose=0), rtol=1e-4, atol=1e-6
    )
    assert evaluate(other, X, Y, verbose=0, return_dict=True).keys() == {"loss", "accuracy"}
    assert predict(other, X, verbose=0).shape == (N, 3)


def test_the_traced_steps_are_kept_until_the_model_is_compiled_again():
    traced = []

    class Counted(keras.Model):
        def train_step(self, batch):
            traced.append(batch)
            return super().train_step(batch)

    x = keras.Input((FEATURES,))
    model = Counted(x, keras.layers.Dense(3, "softmax")(x))
    for _ in range(2):
        model.compile("sgd", "sparse_categorical_crossentropy")
        for is_first in (True, False):
            before = len(traced)
            fit(model, X, Y, verbose=0)
            assert (len(traced) > before) == is_first
    fit(model, X[:171], Y[:171], verbose=0)  # as many in the last batch
    assert len(traced) == before

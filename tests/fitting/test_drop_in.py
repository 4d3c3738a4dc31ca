"""`fit` in the place of `Model.fit`: equal weights, History and callbacks for all arguments."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.fitting import accelerate, evaluate, explain, fit, predict
from tests.fitting.drop_in_models import BUILDERS, FEATURES, N, X, Y, compiled, dense, two_outputs

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


@pytest.mark.parametrize("name", some_slow(BUILDERS, quick=1))
def test_every_feature_of_models_is_as_in_keras(name):
    assert_same_training(BUILDERS[name], True, **ARRAYS)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("steps", [pytest.param(None, marks=pytest.mark.slow), 3])
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


@pytest.mark.parametrize("split", [0, 2.0, pytest.param(-0.1, marks=pytest.mark.slow)])
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


@pytest.mark.slow
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


@pytest.mark.parametrize("container", [dict, pytest.param(list, marks=pytest.mark.slow)])
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

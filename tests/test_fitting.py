import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw import fitting
from kerashw.datasets.pipeline import ArrayBatches, Batches
from kerashw.errors import InputError
from kerashw.fitting import STEPS_PER_CALL, ReseedDropout, evaluate, fit
from kerashw.models import convnet, mlp, softmax_regression
from tests.conftest import compiled


def some(data, train=1000, test=300, batch_size=24, seed=0):
    """Pieces of MNIST that are no multiple of the batch sizes."""
    cut = data.first(train, test)
    return (
        Batches(cut.train_images, cut.train_labels, batch_size, seed),
        Batches(cut.test_images, cut.test_labels, 128),
    )


def floats(images):
    return images[..., None].astype("float32") / 255


def test_evaluate_is_keras_own(data):
    _, test = some(data)
    model = compiled(softmax_regression())
    images = floats(data.test_images[:300])
    loss, accuracy = model.evaluate(images, data.test_labels[:300], verbose=0)
    found = evaluate(model, test)
    np.testing.assert_allclose([found["loss"], found["accuracy"]], [loss, accuracy], rtol=1e-5)


@pytest.mark.parametrize(
    ("build", "examples"),
    [
        # The last call may be the shorter last step alone, or there may be no other.
        *((softmax_regression, n) for n in (20, 24, STEPS_PER_CALL * 24, STEPS_PER_CALL * 24 + 1)),
        # Few: sooner or later a rounding error decides on which side of a ReLU's kink a unit is.
        (lambda: mlp(dropout=0.0), 140),
        (lambda: convnet(conv_dropout=0, dense_dropout=0), 140),
    ],
)
def test_the_result_is_that_of_keras_own_fit(data, build, examples):
    train, test = some(data, train=examples)
    ours = compiled(build())
    theirs = compiled(keras.models.clone_model(ours))
    theirs.set_weights(ours.get_weights())
    history = fit(ours, train, test, epochs=1, verbose=0).history
    order = train.order(0).numpy()
    expected = theirs.fit(
        floats(data.train_images[order]),
        data.train_labels[order],
        validation_data=(floats(data.test_images[:300]), data.test_labels[:300]),
        batch_size=24,
        shuffle=False,
        verbose=0,
    ).history
    assert history.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4)
    for weight, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-4)


def test_going_on_after_an_epoch_equals_not_having_stopped(data):
    train, test = some(data)
    whole = compiled(mlp())
    parts = compiled(keras.models.clone_model(whole))
    parts.set_weights(whole.get_weights())
    reseed = [ReseedDropout(seed=5)]
    losses = fit(whole, train, test, epochs=3, callbacks=reseed, verbose=0).history["loss"]
    first = fit(parts, train, test, epochs=1, callbacks=reseed, verbose=0).history["loss"]
    rest = fit(parts, train, epochs=3, initial_epoch=1, callbacks=reseed, verbose=0)
    np.testing.assert_allclose(first + rest.history["loss"], losses, rtol=1e-6)
    for weight, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-6)


def test_dropout_differs_between_epochs_and_seeds():
    model, x = mlp(), np.ones((1, 28, 28, 1), "float32")

    def drawn(seed, epoch):
        callback = ReseedDropout(seed)
        callback.set_model(model)
        callback.on_epoch_begin(epoch)
        return model(x, training=True).numpy().tobytes()

    assert drawn(0, 0) == drawn(0, 0)
    assert len({drawn(0, 0), drawn(0, 1), drawn(1, 0)}) == 3


@pytest.mark.parametrize("jit_compile", [True, False])
@pytest.mark.parametrize("device", ["CPU", "GPU"])
def test_xla_is_for_gpus_and_for_those_who_let_it(jit_compile, device, data, monkeypatch):
    # On a CPU the ConvNet's epoch would take five times as long, so not even where it is asked for.
    found = tf.config.LogicalDevice(f"/device:{device}:0", device)
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda kind=device: [found] * (kind == device)
    )
    model = compiled(softmax_regression(), jit_compile=jit_compile)
    traced = fitting._Pass(model, some(data)[0], training=True).loop
    compiled_by_xla = traced.function_def.attr["_XlaMustCompile"].b
    assert compiled_by_xla == (device == "GPU" and jit_compile)


def test_the_two_dropout_layers_do_not_drop_the_same():
    model = mlp()
    callback = ReseedDropout(0)
    callback.set_model(model)
    callback.on_epoch_begin(0)
    states = {v.path: v.numpy().tolist() for v in model.non_trainable_variables}
    assert len(states) == 2
    assert len({tuple(state) for state in states.values()}) == 2


class Watch(keras.callbacks.Callback):
    """Notes what it is told, and stops the training where it is asked to."""

    def __init__(self, stop_after=None):
        super().__init__()
        self.batches, self.epochs, self.stop_after = [], [], stop_after

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((epoch, sorted(logs)))
        self.model.stop_training = epoch == self.stop_after


@pytest.mark.parametrize(("asked", "heard"), [(1, STEPS_PER_CALL), (2, 2), (1000, 1000)])
def test_callbacks_hear_what_keras_would_tell_them(data, asked, heard):
    train, test = some(data)
    watch = Watch(stop_after=1)
    model = compiled(softmax_regression(), steps_per_execution=asked)
    history = fit(model, train, test, 5, callbacks=[watch], verbose=0)
    names = ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert watch.epochs == [(0, names), (1, names)]
    last = train.steps - 1
    assert watch.batches == [*range(heard - 1, last, heard), last] * 2
    assert history.epoch == [0, 1]
    assert history.params["steps"] == train.steps


def test_verbose_shows_keras_progress_bar(data, capsys):
    fit(compiled(softmax_regression()), some(data)[0])
    assert "42/42" in capsys.readouterr().out


def test_a_model_with_its_own_train_step_keeps_it(data):
    class Counting(keras.Model):
        """Learns nothing and counts the examples that it is given."""

        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.seen = keras.metrics.Sum(name="seen")

        def train_step(self, batch):
            images, _ = batch
            self.seen.update_state(keras.ops.ones(keras.ops.shape(images)[0]))
            return {"seen": self.seen.result()}

    base = softmax_regression()
    model = Counting(base.inputs, base.outputs)
    model.compile(keras.optimizers.SGD())
    history = fit(model, some(data)[0], epochs=2, verbose=0).history
    assert history["seen"] == [1000, 1000]


@pytest.mark.slow
def test_somebody_else_s_model_is_trained_as_it_is():
    model = compiled(keras.applications.MobileNetV3Small((32, 32, 3), weights=None, classes=2))
    images = np.random.default_rng(0).integers(0, 256, (320, 32, 32, 3), "uint8")
    labels = (images.mean(axis=(1, 2, 3)) > 127.5).astype(int)
    images[labels == 1] //= 2
    batches = Batches(images / np.float32(1), labels, batch_size=32, seed=0)
    losses = fit(model, batches, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_what_cannot_be_trained_is_said(data):
    train, _ = some(data)
    with pytest.raises(InputError, match="must be compiled"):
        fit(softmax_regression(), train)
    model = compiled(softmax_regression())
    with pytest.raises(InputError, match=r"data must be .*Batches.*Received: ndarray"):
        fit(model, data.train_images)
    with pytest.raises(InputError, match=r"equally many examples.*Received: 3, 5"):
        fit(model, (floats(data.train_images[:5]), data.train_labels[:3]))
    with pytest.raises(InputError, match="must have an end"):
        fit(model, dataset_of(data, 5).repeat())
    with pytest.raises(InputError, match="without a batch"):
        fit(model, dataset_of(data, 5).take(0))


def dataset_of(data, number, batch_size=32):
    arrays = floats(data.train_images[:number]), data.train_labels[:number]
    return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)


def test_arrays_and_datasets_are_taken_as_keras_takes_them(data):
    arrays = floats(data.train_images[:140]), data.train_labels[:140]
    weights = np.linspace(0, 1, 140)

    def trained(train, fit=fit):
        keras.utils.set_random_seed(1)
        model = compiled(softmax_regression())
        return fit(model, train).history, model.get_weights()

    def keras_fit(model, train):
        return model.fit(*train, batch_size=32, shuffle=False, verbose=0)

    def our_fit(model, train):
        return fit(model, train, verbose=0)

    # One whose length TensorFlow does not know, too.
    unknown = dataset_of(data, 140).filter(lambda *batch: True)
    expected = trained(arrays, keras_fit)
    for dataset in (dataset_of(data, 140), unknown):
        keras.tree.map_structure(
            lambda value, same: np.testing.assert_allclose(value, same, rtol=1e-4, atol=1e-5),
            trained(dataset, our_fit),
            expected,
        )
    # Weights count, and arrays are shuffled, differently in each epoch, alike in each run.
    once, again, heavy = (
        trained(data, our_fit)[1] for data in (arrays, arrays, (*arrays, weights))
    )
    assert all((a == b).all() for a, b in zip(once, again, strict=True))
    assert (once[0] != expected[1][0]).any()
    assert (once[0] != heavy[0]).any()


def small(wrap=keras.Model):
    """A small model, built; `wrap` makes it of its inputs and outputs."""
    x = keras.Input((4,))
    model = wrap(x, keras.layers.Dense(3, "softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def few(seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(203, 4)).astype("float32"), random.integers(3, size=203)


def both(build, callbacks=list, epochs=2, data=None):
    """Train twins, ours and by Keras' own fit on the same batches; return both histories."""
    keras.utils.set_random_seed(1)
    ours = build()
    keras.utils.set_random_seed(1)
    theirs = build()
    settings = {"validation_data": few(1), "epochs": epochs, "verbose": 0}
    batches = data() if data else ArrayBatches(few(), 32)
    found = fit(ours, batches, callbacks=callbacks(), **settings).history
    given = {"x": data()} if data else dict(zip("xy", few(), strict=True))
    expected = theirs.fit(**given, shuffle=False, callbacks=callbacks(), **settings).history
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)
    return found


class OwnSteps(keras.Model):
    """Tells what it likes."""

    def train_step(self, batch):
        x, y = batch
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss, "norms": {"first": tf.norm(gradients[0])}}

    def test_step(self, batch):
        x, y = batch
        return {"own": self.compute_loss(x, y, self(x, training=False))}


def test_what_own_steps_return_is_what_is_told():
    assert set(both(lambda: small(OwnSteps))) == {"loss", "first", "val_own"}


def test_a_model_that_is_not_built_yet_is_built():
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3, "softmax")

        def call(self, x):
            return self.dense(x)

    def compiled_as(make):
        model = make()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    both(lambda: compiled_as(Subclassed))
    both(lambda: compiled_as(lambda: keras.Sequential([keras.layers.Dense(3, "softmax")])))


def test_callbacks_of_the_test_are_called_too():
    heard = []

    class Hearing(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            heard.append([])
            for name in ("begin", "batch_begin", "batch_end", "end"):
                note = functools.partial(self.note, name)
                setattr(self, f"on_test_{name}", note)

        def note(self, name, *arguments, logs=None):
            heard[-1].append(name)

    def averaging():
        model = small()
        optimizer = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
        model.compile(optimizer, "sparse_categorical_crossentropy", steps_per_execution=32)
        return model

    both(averaging, lambda: [Hearing()])
    assert heard[0] == heard[1] == ["begin", "batch_begin", "batch_end", "end"] * 2
    # It tests the averaged weights, and trains on with the others.
    both(averaging, lambda: [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)])


def test_steps_that_are_no_methods_are_taken_too():
    class Decorated(keras.Model):
        @tf.function
        def train_step(self, batch):
            return super().train_step(batch)

    def replaced():
        model = small()
        model.test_step = lambda batch: {"own": tf.reduce_sum(batch[0])}
        return model

    assert set(both(lambda: small(Decorated))) == {"loss", "val_loss"}
    assert set(both(replaced)) == {"loss", "val_own"}


def test_metrics_may_be_arrays():
    def build():
        model = small()
        model.compile("adam", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
        return model

    x, y = few()
    data = ArrayBatches((x, keras.utils.to_categorical(y)), 32)
    (found,) = fit(build(), data, epochs=1, verbose=0).history["f1_score"]
    assert found.shape == (3,)


def test_a_model_without_optimizer_is_evaluated():
    model = small()
    model.compile(optimizer=None, loss="sparse_categorical_crossentropy")
    expected = model.evaluate(*few(), verbose=0)
    assert evaluate(model, few())["loss"] == pytest.approx(expected, rel=1e-5)


def test_xla_takes_datasets_too(monkeypatch):
    monkeypatch.setattr(fitting, "_on_cpu", lambda: False)

    def build():
        model = small()
        model.compile("adam", "sparse_categorical_crossentropy", jit_compile=True)
        return model

    both(build, data=lambda: tf.data.Dataset.from_tensor_slices(few()).batch(32))


def test_a_backup_is_gone_on_with(tmp_path):
    class Fails(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("power cut")

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    with pytest.raises(RuntimeError, match="power cut"):
        fit(small(), few(), epochs=4, callbacks=[backup(), Fails()], verbose=0)
    assert fit(small(), few(), epochs=4, callbacks=[backup()], verbose=0).epoch == [2, 3]


def test_a_shuffled_dataset_s_first_order_is_not_lost():
    def shuffled():
        return tf.data.Dataset.from_tensor_slices(few()).shuffle(300, seed=3).batch(32)

    both(small, data=shuffled, epochs=1)


def test_a_dataset_that_gets_shorter_is_said():
    lengths = iter([3, 3, 2])

    def numbers():
        for _ in range(next(lengths)):
            yield np.zeros((8, 4), "float32"), np.zeros(8, "int64")

    specs = tf.TensorSpec((8, 4)), tf.TensorSpec((8,), tf.int64)
    dataset = tf.data.Dataset.from_generator(numbers, output_signature=specs)
    with pytest.raises(InputError, match="as many batches in every epoch as at first, 3"):
        fit(small(), dataset, epochs=3, verbose=0)


def test_no_weights_and_a_batch_size_of_numpy_are_fine():
    x, y = few()
    assert fit(small(), (x, y, None), batch_size=np.int64(64), verbose=0).params["steps"] == 4


def test_predictions_are_for_batches():
    with pytest.raises(InputError, match="data must be Batches"):
        fitting.predict(small(), few())

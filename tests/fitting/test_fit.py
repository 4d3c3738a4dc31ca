import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.datasets.pipeline import Batches
from kerashw.errors import InputError
from kerashw.fitting import ReseedDropout, evaluate, fit, predict
from kerashw.fitting.fused_loop import STEPS_PER_CALL, FusedLoop
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
    traced = FusedLoop(model, some(data)[0], training=True).loop
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


def test_predictions_are_for_batches():
    with pytest.raises(InputError, match="data must be Batches"):
        predict(softmax_regression(), (np.zeros((2, 28, 28, 1)), np.zeros(2)))

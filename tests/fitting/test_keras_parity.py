"""`fit` accepts the models, data and callbacks of `Model.fit`, with the same results."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.fitting import evaluate, fit


def small(wrap=keras.Model):
    """Return a small compiled model; `wrap` creates it from its inputs and outputs."""
    x = keras.Input((4,))
    model = wrap(x, keras.layers.Dense(3, "softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def few(seed=0, examples=203):
    """Return random inputs and labels. By default, the last batch of 32 is smaller."""
    random = np.random.default_rng(seed)
    inputs, labels = random.normal(size=(203, 4)).astype("float32"), random.integers(3, size=203)
    return inputs[:examples], labels[:examples]


def train_both(build, callbacks=list, epochs=2, data=None, validation_examples=203):
    """Train equal models with our `fit` and with Keras'; compare and return our history."""
    keras.utils.set_random_seed(1)
    ours = build()
    keras.utils.set_random_seed(1)
    theirs = build()
    validation_data = few(seed=1, examples=validation_examples)
    settings = {"validation_data": validation_data, "epochs": epochs, "verbose": 0}
    settings |= {"shuffle": False}
    given = [{"x": data()} if data else dict(zip("xy", few(), strict=True)) for _ in range(2)]
    found = fit(ours, **given[0], callbacks=callbacks(), **settings).history
    expected = theirs.fit(**given[1], callbacks=callbacks(), **settings).history
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)
    return found


class CustomSteps(keras.Model):
    """Returns its own logs."""

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


def test_the_logs_of_custom_steps_are_used():
    assert set(train_both(lambda: small(CustomSteps))) == {"loss", "first", "val_own"}


def test_unbuilt_models_are_built():
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

    train_both(lambda: compiled_as(Subclassed))
    train_both(lambda: compiled_as(lambda: keras.Sequential([keras.layers.Dense(3, "softmax")])))


@pytest.mark.slow
def test_callbacks_run_during_validation():
    calls = []

    class Recorder(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            calls.append([])
            for name in ("begin", "batch_begin", "batch_end", "end"):
                setattr(self, f"on_test_{name}", functools.partial(self.record, name))

        def record(self, name, *arguments, logs=None):
            calls[-1].append(name)

    def averaging():
        model = small()
        optimizer = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
        model.compile(optimizer, "sparse_categorical_crossentropy", steps_per_execution=32)
        return model

    train_both(averaging, lambda: [Recorder()])
    assert calls[0] == calls[1] == ["begin", "batch_begin", "batch_end", "end"] * 2
    # This callback swaps the averaged weights in for the validation only.
    train_both(averaging, lambda: [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)])


@pytest.mark.slow
def test_steps_may_be_functions():
    class Decorated(keras.Model):
        @tf.function
        def train_step(self, batch):
            return super().train_step(batch)

    def replaced():
        model = small()
        model.test_step = lambda batch: {"own": tf.reduce_sum(batch[0])}
        return model

    assert set(train_both(lambda: small(Decorated))) == {"loss", "val_loss"}
    assert set(train_both(replaced)) == {"loss", "val_own"}


def test_a_model_without_optimizer_can_be_evaluated():
    model = small()
    model.compile(optimizer=None, loss="sparse_categorical_crossentropy")
    expected = model.evaluate(*few(), verbose=0)
    assert evaluate(model, *few(), verbose=0) == pytest.approx(expected, rel=1e-5)


def test_a_backup_is_restored(tmp_path):
    class Fails(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("power cut")

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    with pytest.raises(RuntimeError, match="power cut"):
        fit(small(), *few(), epochs=4, callbacks=[backup(), Fails()], verbose=0)
    assert fit(small(), *few(), epochs=4, callbacks=[backup()], verbose=0).epoch == [2, 3]


def test_a_shuffled_dataset_has_the_order_of_its_first_epoch():
    def shuffled():
        return tf.data.Dataset.from_tensor_slices(few()).shuffle(300, seed=3).batch(32)

    train_both(small, data=shuffled, epochs=1)


def varying(lengths):
    """Return a dataset of batches of 4 examples that has the next of these lengths in each epoch.

    TensorFlow does not know how long it is.
    """
    remaining = iter(lengths)

    def batches():
        x, y = few()
        for start in range(0, 4 * next(remaining), 4):
            yield x[start : start + 4], y[start : start + 4]

    specs = tf.TensorSpec((4, 4)), tf.TensorSpec((4,), tf.int64)
    return tf.data.Dataset.from_generator(batches, output_signature=specs)


def test_epochs_of_a_dataset_have_the_lengths_that_keras_gives_them():
    counts = [], []

    def count(number):
        return keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: counts[number].append(batch)
        )

    numbers = iter(range(2))
    with pytest.warns(UserWarning, match="ran out of data"):
        train_both(
            small,
            lambda: [count(next(numbers))],
            epochs=3,
            data=lambda: varying([10, 11, 12]),
        )
    assert counts[0] == counts[1]


def test_the_batch_size_may_be_an_integer_of_numpy():
    x, y = few()
    assert fit(small(), x, y, batch_size=np.int64(64), verbose=0).params["steps"] == 4

"""What `Model.fit` takes and tells, `kerashw.fitting.fit` takes and tells too."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.datasets.pipeline import ArrayBatches
from kerashw.errors import InputError
from kerashw.fitting import evaluate, fit, fused_loop


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
    monkeypatch.setattr(fused_loop, "_on_cpu", lambda: False)

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

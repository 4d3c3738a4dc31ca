"""`fit`, `evaluate` and `predict` compute what Keras computes, and refuse other data."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.datasets.pipeline import Batches
from kerashw.errors import InputError
from kerashw.fitting import evaluate, explain, fit, predict
from kerashw.fitting.steps_per_call import STEPS_PER_CALL
from kerashw.models import convnet, mlp, softmax_regression
from tests.conftest import compiled
from tests.fitting.mnist_batches import as_floats, mnist_batches


def test_evaluate_equals_that_of_keras(data):
    _, test = mnist_batches(data)
    model = compiled(softmax_regression())
    images = as_floats(data.test_images[:300])
    loss, accuracy = model.evaluate(images, data.test_labels[:300], verbose=0)
    np.testing.assert_allclose(evaluate(model, test, verbose=0), [loss, accuracy], rtol=1e-5)


@pytest.mark.parametrize(
    ("build", "examples"),
    [
        # The last call may be the smaller last step alone, or there may be no other call.
        (softmax_regression, 20),
        pytest.param(softmax_regression, 24, marks=pytest.mark.slow),
        pytest.param(softmax_regression, STEPS_PER_CALL * 24, marks=pytest.mark.slow),
        (softmax_regression, STEPS_PER_CALL * 24 + 1),
        # With more examples, a rounding error would put a unit on the other side of ReLU's kink.
        pytest.param(lambda: mlp(dropout=0.0), 140, marks=pytest.mark.slow),
        pytest.param(lambda: convnet(conv_dropout=0, dense_dropout=0), 100, marks=pytest.mark.slow),
    ],
)
def test_fit_equals_that_of_keras(data, build, examples):
    train, test = mnist_batches(data, train=examples)
    ours = compiled(build())
    theirs = compiled(keras.models.clone_model(ours))
    theirs.set_weights(ours.get_weights())
    history = fit(ours, train, verbose=0, validation_data=test).history
    order = train.order(0).numpy()
    expected = theirs.fit(
        as_floats(data.train_images[order]),
        data.train_labels[order],
        validation_data=(as_floats(data.test_images[:300]), data.test_labels[:300]),
        batch_size=24,
        shuffle=False,
        verbose=0,
    ).history
    assert history.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4)
    for weight, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-4)


def dataset_of(data, number, batch_size=32):
    arrays = as_floats(data.train_images[:number]), data.train_labels[:number]
    return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)


def test_arrays_and_datasets_are_used_as_keras_uses_them(data):
    arrays = as_floats(data.train_images[:140]), data.train_labels[:140]
    weights = np.linspace(0, 1, 140)

    def trained(train, fit=fit):
        keras.utils.set_random_seed(1)
        model = compiled(softmax_regression())
        return fit(model, train).history, model.get_weights()

    def keras_fit(model, train):
        return model.fit(*train, batch_size=32, shuffle=False, verbose=0)

    def our_fit(model, train):
        given = dict(zip(("x", "y", "sample_weight"), train, strict=False))
        return fit(model, **given, shuffle=len(train) > 1, verbose=0)

    expected = trained(arrays, keras_fit)
    keras.tree.map_structure(
        lambda value, same: np.testing.assert_allclose(value, same, rtol=1e-4, atol=1e-5),
        trained((dataset_of(data, 140),), our_fit),
        expected,
    )
    # Arrays are shuffled in the same order in each run, and sample weights are used.
    once, again, weighted = (
        trained(data, our_fit)[1] for data in (arrays, arrays, (*arrays, weights))
    )
    assert all((a == b).all() for a, b in zip(once, again, strict=True))
    assert (once[0] != expected[1][0]).any()
    assert (once[0] != weighted[0]).any()


def test_verbose_shows_the_progress_bar_of_keras(data, capsys):
    fit(compiled(softmax_regression()), mnist_batches(data)[0])
    assert "42/42" in capsys.readouterr().out


@pytest.mark.slow
def test_a_model_of_keras_applications_learns():
    model = compiled(keras.applications.MobileNetV3Small((32, 32, 3), weights=None, classes=2))
    images = np.random.default_rng(0).integers(0, 256, (320, 32, 32, 3), "uint8")
    labels = (images.mean(axis=(1, 2, 3)) > 127.5).astype(int)
    images[labels == 1] //= 2
    batches = Batches(images / np.float32(1), labels, batch_size=32, seed=0)
    losses = fit(model, batches, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_batches_need_fused_steps_and_have_their_targets(data):
    train, _ = mnist_batches(data)
    with pytest.raises(InputError, match="Received: the model is not compiled"):
        fit(softmax_regression(), train)
    with pytest.raises(InputError, match="Received: the model is compiled with run_eagerly"):
        evaluate(compiled(softmax_regression(), run_eagerly=True), train)
    with pytest.raises(InputError, match="Received: targets or weights beside them"):
        fit(compiled(softmax_regression()), train, data.train_labels)
    with pytest.raises(InputError, match="Received: targets or weights beside them"):
        fit(compiled(softmax_regression()), train, class_weight=dict.fromkeys(range(10), 2.0))


def test_explain_takes_the_arguments_of_fit():
    model = compiled(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")]))
    x, y = np.ones((8, 4), "float32"), np.zeros(8, int)

    def batches():
        yield x, y

    assert explain(model, x, y, validation_data=(x, y)).startswith("fused")
    assert explain(model, x, y, validation_data=batches()).startswith("as in Keras: ")
    assert explain(model, x, y, validation_split=7) == "as in Keras: validation_split is 7"
    with pytest.raises(TypeError, match="batchsize"):
        explain(model, x, y, batchsize=3)
    tf.config.run_functions_eagerly(True)
    try:
        assert explain(model, x, y) == "as in Keras: TensorFlow runs functions eagerly"
    finally:
        tf.config.run_functions_eagerly(False)


def test_predict_takes_a_number_of_steps(data):
    test = Batches(data.test_images[:50], data.test_labels[:50], batch_size=20)
    model = softmax_regression()
    np.testing.assert_array_equal(predict(model, test, steps=2), predict(model, test)[:40])

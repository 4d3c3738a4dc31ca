"""Architectures, outputs and errors of the builders, and the exactness of the diagonal ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.datasets import diagonals
from kerashw.errors import InputError
from kerashw.model_names import TITLES, TRAINED_MODELS
from kerashw.models import (
    MODELS,
    compiled_model,
    convnet,
    diagonal_classifier,
    mlp,
    softmax_regression,
)
from tests.conftest import compiled

PARAMETERS = {
    "softmax": 7_850,
    "mlp": 669_706,
    "convnet": 1_199_882,
    "factored": 8_040,
    "learned_diagonal": 10,
}


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_those_of_the_homework(name):
    assert MODELS[name]().count_params() == PARAMETERS[name]


@pytest.mark.parametrize("name", MODELS)
def test_the_keras_configuration_changes_no_model(name):
    """Users of other programs keep `image_data_format` and `floatx` in ~/.keras/keras.json."""
    images = np.random.default_rng(0).random((2, 28, 28, 1), "float32")
    expected = compiled_model(name, 0, (28, 28, 1), 10)
    before = keras.config.image_data_format(), keras.config.floatx()
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float64")
    try:
        model = compiled_model(name, 0, (28, 28, 1), 10)
    finally:
        keras.config.set_image_data_format(before[0])
        keras.config.set_floatx(before[1])
    assert [layer.name for layer in model.layers] == [layer.name for layer in expected.layers]
    for weight, other in zip(model.weights, expected.weights, strict=True):
        assert weight.dtype == other.dtype == "float32"
        np.testing.assert_array_equal(weight, other)
    np.testing.assert_array_equal(model.predict_on_batch(images), expected.predict_on_batch(images))


def test_convnet_has_the_shapes_of_the_homework():
    shapes = {layer.name: layer.output.shape[1:] for layer in convnet().layers}
    assert shapes["pool"] == (12, 12, 64)
    assert shapes["flatten"] == (9216,)
    assert shapes["hidden"] == (128,)


@pytest.mark.parametrize(
    ("model", "rates"),
    [
        (mlp(), [0.2, 0.2]),
        (mlp(dropout=0.0), [0.0, 0.0]),
        (convnet(), [0.25, 0.5]),
        (convnet(conv_dropout=0.1, dense_dropout=0.3), [0.1, 0.3]),
    ],
)
def test_dropout_rates(model, rates):
    found = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert found == rates


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_float32_distributions(name, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = MODELS[name](input_shape=(28, 28, 1))
    finally:
        keras.config.set_dtype_policy("float32")
    probabilities = model(np.random.default_rng(0).random((3, 28, 28, 1), "float32"))
    assert probabilities.dtype == "float32"
    np.testing.assert_allclose(np.sum(probabilities, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_other_image_shapes_and_numbers_of_classes(name):
    model = MODELS[name](input_shape=(9, 7, 3), num_classes=4)
    assert model(np.zeros((2, 9, 7, 3), "float32")).shape == (2, 4)


@pytest.mark.parametrize("in_graph", [False, True])
def test_a_confidently_wrong_prediction_has_its_true_loss_and_gradient(in_graph):
    model = compiled(softmax_regression())
    kernel, bias = model.get_layer("probabilities").weights
    kernel.assign(np.zeros(kernel.shape))
    bias.assign([200.0] + [0.0] * 9)
    images, labels = tf.zeros((1, 28, 28, 1)), tf.constant([1])

    def loss_and_gradient():
        with tf.GradientTape() as tape:
            loss = model.compute_loss(images, labels, model(images, training=True))
        return loss, tape.gradient(loss, bias.value)

    loss, gradient = (tf.function(loss_and_gradient) if in_graph else loss_and_gradient)()
    assert float(loss) == 200
    np.testing.assert_allclose(gradient, [1, -1] + [0] * 8, atol=1e-30)


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        (softmax_regression, {"input_shape": (28, 28)}, "Received: input_shape=\\(28, 28\\)"),
        (softmax_regression, {"input_shape": (28, 0, 1)}, "input_shape"),
        (convnet, {"input_shape": (5, 28, 1)}, "at least 6"),
        (mlp, {"num_classes": 1}, "Received: num_classes=1"),
        (mlp, {"dropout": 1.0}, "Received: dropout=1.0"),
        (convnet, {"conv_dropout": -0.1}, "Received: conv_dropout=-0.1"),
        (convnet, {"dense_dropout": "half"}, "Received: dense_dropout='half'"),
        (MODELS["learned_diagonal"], {"num_classes": 1}, "Received: num_classes=1"),
        (diagonal_classifier, {"image_size": 0}, "input_shape"),
        (diagonal_classifier, {"image_size": 5, "size": 6}, "size=6"),
        (diagonal_classifier, {"count": "all"}, "Received: 'all'"),
    ],
)
def test_invalid_arguments_are_errors(build, arguments, message):
    with pytest.raises(InputError, match=message):
        build(**arguments)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("image_size", [20, 100])
def test_the_diagonal_classifier_is_always_right(image_size, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = diagonal_classifier(image_size)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {name: output.dtype for name, output in model.output.items()} == {
        "count": "int32",
        "class": "int64",
    }
    assert (model.trainable_weights, model.count_params()) == ([], 9)
    images, labels, _ = diagonals.generate(300, image_size, noise=0.02)
    predictions = model.predict(images.astype("float32"), verbose=0)
    np.testing.assert_array_equal(predictions["class"], labels)
    np.testing.assert_array_equal(predictions["count"], labels)


def test_the_diagonal_classifier_predicts_class_2_unless_there_is_one_diagonal():
    one = diagonals.paint(np.array([[[3, 4]]]), 20)
    images = np.concatenate([0 * one, one[:, ::-1], one, np.ones_like(one)])
    predictions = diagonal_classifier(20).predict(images.astype("float32"), verbose=0)
    assert predictions["count"].tolist() == [0, 0, 1, 18 * 18]
    assert predictions["class"].tolist() == [2, 2, 1, 2]


def test_the_learned_diagonal_classifier_can_equal_that_of_the_homework():
    model = MODELS["learned_diagonal"]((20, 20, 1), 2)
    kernel = np.eye(3)[::-1, :, None, None]
    model.get_layer("kernel").set_weights([kernel, np.array([-2.0])])
    images, labels, _ = diagonals.generate(200, 20, noise=0.05)
    probabilities = model.predict(images.astype("float32"), verbose=0)
    np.testing.assert_array_equal(probabilities.argmax(1) + 1, labels)
    # The probability of the class k for a sum of exactly k.
    np.testing.assert_allclose(probabilities.max(1), 1 / (1 + np.exp(-1)), rtol=1e-6)


def test_how_many_steps_a_call_takes_is_not_saved_with_a_model(tmp_path):
    model = compiled_model("softmax", 0, (28, 28, 1), 10)
    model.optimizer.build(model.trainable_variables)
    assert model.steps_per_execution > 1
    model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").steps_per_execution == 1


def test_seeds_decide_the_initial_weights():
    def weights(seed):
        return compiled_model("softmax", seed, (28, 28, 1), 10).get_weights()[0]

    np.testing.assert_array_equal(weights(1), weights(1))
    assert (weights(1) != weights(2)).any()


def test_the_names_are_those_of_the_builders():
    assert tuple(MODELS) == TRAINED_MODELS
    assert {*MODELS, "diagonal"} == set(TITLES)

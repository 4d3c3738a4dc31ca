"""What the signatures `inside`, `attributions` and `weights` show, against NumPy and Keras."""

import io
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

from kerashw.datasets.pipeline import Batches
from kerashw.export import export_saved_model
from kerashw.export.explanations import attributions_function, inside_function
from kerashw.export.shown_layers import find_shown_layers
from kerashw.fitting import fit
from kerashw.layers import Dense, FactoredDense
from kerashw.models import compiled_model

SHOWN = ["maps", "normal", "bright", "pool", "signed", "hidden", "scales", "probabilities"]
# Units in the rows of the pictures of weights: the columns of 7 and of 20 units.
COLUMNS = {"scales": 8, "probabilities": 4}


def digit_model(policy="float32"):
    """A classifier with every kind of layer, and weights that no two layers share."""
    image = keras.Input((28, 28, 1))
    options = {"dtype": policy, "data_format": "channels_last"}
    x = layers.Conv2D(5, (3, 2), name="maps", **options)(image)
    x = layers.BatchNormalization(name="normal", dtype=policy)(x)
    x = layers.Activation("relu", name="bright", dtype=policy)(x)
    x = layers.AveragePooling2D(2, name="pool", **options)(x)
    x = layers.Conv2D(6, 3, activation="tanh", name="signed", use_bias=False, **options)(x)
    x = layers.Dropout(0.5)(layers.Flatten(data_format="channels_last")(x))
    x = Dense(20, activation="relu", name="hidden", dtype=policy)(x)
    x = Dense(7, name="scales", dtype=policy)(layers.Dropout(0.2)(x))
    x = FactoredDense(10, use_bias=True, activation="softmax", name="probabilities")(x)
    model = keras.Model(image, x)
    generator = np.random.default_rng(0)
    for weight in model.weights:
        noise = generator.normal(0, 0.1, weight.shape)
        weight.assign(np.abs(noise) + 0.5 if "variance" in weight.path else noise)
    return model


@pytest.fixture(scope="module")
def model():
    return digit_model()


@pytest.fixture(scope="module")
def signatures(model, tmp_path_factory):
    return tf.saved_model.load(
        export_saved_model(model, tmp_path_factory.mktemp("digits"))
    ).signatures


@pytest.fixture(scope="module")
def pixels(data):
    return data.test_images[:3]


def floats(pixels):
    return pixels[..., None] / np.float32(255)


def decode(file):
    image = Image.open(io.BytesIO(file))
    assert image.mode == "L"
    return np.asarray(image).astype(float)


def tiles(picture, height, width, count):
    """Cut a picture into its tiles, row by row: (tiles, height, width)."""
    columns = picture.shape[1] // width
    corners = [divmod(number, columns) for number in range(count)]
    cut = [
        picture[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row, column in corners
    ]
    return np.array(cut)


def described(answer):
    texts = set(answer["layers"].numpy())
    assert len(texts) == 1
    return json.loads(texts.pop())


def test_inside_shows_every_layers_output(model, signatures, pixels):
    answer = signatures["inside"](image=tf.constant(pixels))
    layers_shown = described(answer)
    assert [layer["name"] for layer in layers_shown] == SHOWN
    assert [layer["signed"] for layer in layers_shown] == [1, 1, 0, 0, 1, 0, 1, 0]
    assert layers_shown[0]["kernel"], layers_shown[3]["kernel"] == ([3, 2], [2, 2])
    assert [layer["activation"] for layer in layers_shown[-4:]] == ["tanh", "relu", None, "softmax"]
    # "scales" is also the name of another output.
    assert layers_shown[-2]["output"] == "scales_units"
    outputs = keras.Model(model.input, [model.get_layer(name).output for name in SHOWN])
    values = outputs.predict(floats(pixels), verbose=0)
    largest = [np.abs(value).reshape(3, -1).max(axis=1) for value in values]
    np.testing.assert_allclose(answer["scales"], np.transpose(largest), rtol=1e-5)
    for layer, value, scale in zip(layers_shown, values, answer["scales"].numpy().T, strict=True):
        assert layer["shape"] == list(value.shape[1:])
        found = answer[layer["output"]].numpy()
        if value.ndim == 2:
            np.testing.assert_allclose(found, value, atol=1e-5)
            continue
        zero, steps = (128, 127) if layer["signed"] else (0, 255)
        for file, maps, white in zip(found, value, scale, strict=True):
            picture = decode(file)
            assert picture.shape[1] == layer["columns"] * maps.shape[1]
            cut = tiles(picture, *maps.shape[:2], maps.shape[2])
            expected = np.moveaxis(maps, -1, 0) / white * steps + zero
            assert np.abs(cut - expected).max() < 0.51


def test_the_logits_are_those_of_the_softmax(model, signatures, pixels):
    before = keras.Model(model.input, model.get_layer("scales").output).predict(floats(pixels))
    kernel, bias = model.get_layer("probabilities").collapse()
    for name in ("inside", "attributions"):
        answer = signatures[name](image=tf.constant(pixels))
        np.testing.assert_allclose(answer["logits"], before @ kernel + bias, atol=1e-5)
    answer = signatures["inside"](image=tf.constant(pixels))
    np.testing.assert_allclose(
        answer["probabilities"], model.predict(floats(pixels), verbose=0), atol=1e-6
    )


@pytest.mark.parametrize(
    "last",
    [
        [layers.Dense(4), layers.Activation("softmax")],
        [layers.Dense(4), layers.Softmax()],
        # Nothing tells the logits here: those are the logarithms of the probabilities.
        [layers.Dense(4, activation="softmax"), layers.Reshape((2, 2)), layers.Flatten()],
    ],
)
def test_models_end_with_a_softmax_in_different_ways(last):
    model = keras.Sequential([keras.Input((5, 5, 1)), layers.Flatten(), *last])
    model = keras.Model(model.inputs[0], model.outputs[0])
    images = np.random.default_rng(0).random((2, 5, 5, 1), np.float32)
    dense = next(layer for layer in model.layers if isinstance(layer, layers.Dense))
    logits = images.reshape(2, -1) @ dense.get_weights()[0]
    for function in (
        inside_function(model, find_shown_layers(model)),
        attributions_function(model),
    ):
        found = tf.function(function, autograph=False)(images)["logits"].numpy()
        # The softmax of logits does not change if they all change by the same number.
        np.testing.assert_allclose(found - found[:, :1], logits - logits[:, :1], atol=1e-5)


def test_the_evidence_of_softmax_regression_is_weight_times_pixel(softmax, pixels):
    answer = softmax.signatures["attributions"](image=tf.constant(pixels))
    kernel, bias = [variable.numpy() for variable in softmax.variables]
    evidence = pixels.reshape(3, 784, 1) / 255 * kernel  # (N, pixels, classes)
    np.testing.assert_allclose(answer["sums"], evidence.sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(answer["logits"] - answer["baseline"], answer["sums"], atol=1e-5)
    np.testing.assert_allclose(answer["baseline"], [bias] * 3, atol=1e-6)
    np.testing.assert_allclose(answer["scale"], np.abs(evidence).max(axis=(1, 2)), rtol=1e-5)
    for file, expected, scale in zip(
        answer["attributions_bytes"].numpy(), evidence, answer["scale"].numpy(), strict=True
    ):
        classes = tiles(decode(file), 28, 28, 10).reshape(10, 784)
        assert np.abs(classes - (expected.T / scale * 127 + 128)).max() < 0.51


def test_a_black_image_has_no_attributions(signatures, pixels):
    answer = signatures["attributions"](image=tf.constant(pixels))
    black = signatures["attributions"](image=tf.zeros((1, 28, 28), tf.uint8))
    np.testing.assert_allclose(answer["baseline"], np.repeat(black["logits"], 3, axis=0), atol=1e-6)
    assert not np.any(black["sums"])
    assert set(decode(black["attributions_bytes"].numpy()[0]).ravel()) == {128}


@pytest.mark.parametrize("name", ["mlp", pytest.param("convnet", marks=pytest.mark.slow)])
def test_attributions_add_up_to_the_logits(name, data):
    trained = compiled_model(name, 0, (28, 28, 1), 10)
    first = data.first(5000, 50)
    fit(trained, Batches(first.train_images, first.train_labels, 128, 0), epochs=2, verbose=0)
    function = tf.function(attributions_function(trained), autograph=False)
    answer = function(floats(first.test_images))
    change = np.subtract(answer["logits"], answer["baseline"])
    error = np.abs(answer["sums"] - change).max(axis=1) / np.abs(change).max(axis=1)
    assert np.quantile(error, 0.9) < 0.01
    assert error.max() < 0.02


def test_weights_are_laid_out_as_their_inputs(model, signatures):
    units = [0, 5, 9, 4_000, -1]
    answer = signatures["weights"](unit=tf.constant(units))
    for index, layer in enumerate(described(answer)):
        source = model.get_layer(layer["name"])
        kernel, *bias = (
            source.collapse() if layer["name"] == "probabilities" else source.get_weights()
        )
        height, width = layer["tile"]
        if layer["name"] == "hidden":  # its inputs are the maps of "signed"
            assert [height, width] == list(model.get_layer("signed").output.shape[1:3])
        elif kernel.ndim == 4:
            assert [height, width] == list(kernel.shape[:2])
        else:
            assert (height, width, layer["columns"]) == (1, 1, COLUMNS[layer["name"]])
        by_tile = kernel.reshape(height, width, -1, kernel.shape[-1])
        bias = bias[0] if bias else np.zeros(kernel.shape[-1])
        for row, unit in enumerate(units):
            picture = decode(answer[layer["output"]].numpy()[row])
            assert picture.shape[1] == layer["columns"] * width
            scale = answer["scales"].numpy()[row, index]
            if not 0 <= unit < len(bias):
                assert set(picture.ravel()) == {128}
                assert scale == answer["bias"].numpy()[row, index] == 0
                continue
            into_unit = np.moveaxis(by_tile[..., unit], -1, 0)
            np.testing.assert_allclose(scale, np.abs(into_unit).max(), rtol=1e-5)
            np.testing.assert_allclose(answer["bias"].numpy()[row, index], bias[unit], atol=1e-7)
            cut = tiles(picture, height, width, len(into_unit))
            assert np.abs(cut - (into_unit / scale * 127 + 128)).max() < 0.51


def test_a_request_for_too_many_weights_is_refused(signatures):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"at most 1,024 elements\. Send"):
        signatures["weights"](unit=tf.zeros(1025, tf.int32))


@pytest.mark.slow
def test_a_model_of_half_precision_answers_in_float32(tmp_path, pixels):
    loaded = tf.saved_model.load(export_saved_model(digit_model("mixed_bfloat16"), tmp_path))
    for name, inputs in (
        ("inside", {"image": pixels}),
        ("attributions", {"image": pixels}),
        ("weights", {"unit": np.arange(3, dtype=np.int32)}),
    ):
        answer = loaded.signatures[name](**{key: tf.constant(x) for key, x in inputs.items()})
        assert {value.dtype for value in answer.values()} <= {tf.float32, tf.string}
        assert {len(value) for value in answer.values()} == {3}
        for value in answer.values():
            assert value.dtype == tf.string or np.isfinite(value).all()

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.datasets import diagonals
from kerashw.export import export_saved_model
from kerashw.export.signatures import build_signatures
from kerashw.models import softmax_regression
from kerashw.preprocessing import center_digits, scale_files


def test_signatures_are_as_documented(softmax):
    image = tf.TensorSpec((None, 28, 28, 1), tf.float32, "image")
    pixels = tf.TensorSpec((None, 28, 28), tf.uint8, "image")
    files = tf.TensorSpec((None,), tf.string, "image_bytes")
    examples = tf.TensorSpec((None,), tf.string, "inputs")
    outputs = {
        "probabilities": tf.TensorSpec((None, 10), tf.float32, "probabilities"),
        "class": tf.TensorSpec((None,), tf.int64, "class"),
    }
    classified = {
        "classes": tf.TensorSpec((None, 10), tf.string, "classes"),
        "scores": tf.TensorSpec((None, 10), tf.float32, "scores"),
    }
    numbers = tf.TensorSpec((None,), tf.int32, "unit")
    classes = {
        name: tf.TensorSpec((None, 10), tf.float32, name)
        for name in ("logits", "probabilities", "baseline", "sums")
    }
    one = {name: tf.TensorSpec((None, 1), tf.float32, name) for name in ("scales", "bias")}
    files_of = {
        name: tf.TensorSpec((None,), tf.string, name)
        for name in ("layers", "attributions_bytes", "probabilities_bytes")
    }

    def chosen(*names):
        return {name: (classes | one | files_of)[name] for name in names}

    scale = {"scale": tf.TensorSpec((None,), tf.float32, "scale")}
    documented = {
        "serving_default": (image, outputs),
        "pixels": (pixels, outputs),
        "image_bytes": (files, outputs),
        "normalized": (files, {"image": pixels}),
        "classify": (examples, classified),
        "inside": (pixels, chosen("layers", "logits", "probabilities", "scales")),
        "attributions": (
            pixels,
            chosen("attributions_bytes", "baseline", "logits", "sums") | scale,
        ),
        "weights": (numbers, chosen("layers", "probabilities_bytes", "bias", "scales")),
    }
    assert set(softmax.signatures) == set(documented)
    for name, (spec, expected) in documented.items():
        assert softmax.signatures[name].structured_input_signature == ((), {spec.name: spec})
        assert softmax.signatures[name].structured_outputs == expected


def test_the_diagonal_classifiers_signatures_return_counts_and_classes(diagonal):
    serving = diagonal.signatures["serving_default"]
    image = tf.TensorSpec((None, 100, 100, 1), tf.float32, "image")
    assert serving.structured_input_signature == ((), {"image": image})
    assert serving.structured_outputs == {
        "count": tf.TensorSpec((None,), tf.int32, "count"),
        "class": tf.TensorSpec((None,), tf.int64, "class"),
    }
    shown = diagonal.signatures["feature_map"]
    assert shown.structured_input_signature == ((), {"image": image})
    assert shown.structured_outputs == {
        "feature_map": tf.TensorSpec((None, 98, 98), tf.int32, "feature_map"),
        "peaks": tf.TensorSpec((None, 98, 98), tf.bool, "peaks"),
    }
    images, labels, _ = diagonals.generate(50, noise=0.01)
    for answer in (
        serving(image=tf.cast(images, tf.float32)),
        diagonal.signatures["pixels"](image=tf.constant(255 * images[..., 0])),
    ):
        np.testing.assert_array_equal(answer["count"], labels)
        np.testing.assert_array_equal(answer["class"], labels)
    pixels = images[..., 0].astype(int)
    sums = pixels[:, 2:, :-2] + pixels[:, 1:-1, 1:-1] + pixels[:, :-2, 2:]
    answer = shown(image=tf.cast(images, tf.float32))
    np.testing.assert_array_equal(answer["feature_map"], sums)
    np.testing.assert_array_equal(answer["peaks"], sums == 3)


def test_every_batch_size_is_accepted(softmax):
    file = tf.io.encode_png(tf.eye(30, dtype=tf.uint8)[..., tf.newaxis] * 255).numpy()
    for n in (0, 1, 7):
        answer = softmax.signatures["pixels"](image=tf.zeros((n, 28, 28), tf.uint8))
        assert answer["probabilities"].shape == (n, 10)
        for name in ("inside", "attributions"):
            shown = softmax.signatures[name](image=tf.zeros((n, 28, 28), tf.uint8))
            assert {len(value) for value in shown.values()} == {n}
        shown = softmax.signatures["weights"](unit=tf.zeros(n, tf.int32))
        assert {len(value) for value in shown.values()} == {n}
        files = tf.constant([file] * n, tf.string)
        answer = softmax.signatures["image_bytes"](image_bytes=files)
        assert answer["probabilities"].shape == (n, 10)


def test_a_model_of_colour_images_takes_pixels_and_scales_image_files():
    model = softmax_regression(input_shape=(8, 6, 3), num_classes=4)
    signatures = build_signatures(model, list("abcd"))
    names = {"serving_default", "pixels", "image_bytes", "normalized", "classify"}
    assert set(signatures) == names
    files = [tf.io.encode_jpeg(random_image(size)).numpy() for size in ((40, 30, 3), (8, 6, 3))]
    pixels = signatures["normalized"].function(files)["image"]
    np.testing.assert_array_equal(pixels, scale_files(files, 8, 6))
    expected = model.predict(pixels.numpy() / np.float32(255), verbose=0)
    for name, inputs in (("pixels", pixels), ("image_bytes", files)):
        answer = signatures[name].function(inputs)
        np.testing.assert_allclose(answer["probabilities"], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("size", "centers_digits", "is_centered"),
    [((28, 28), None, True), ((28, 28), False, False), ((16, 20), None, False)],
)
def test_digits_alone_are_centered(size, centers_digits, is_centered):
    model = softmax_regression(input_shape=(*size, 1))
    signatures = build_signatures(model, list("0123456789"), centers_digits=centers_digits)
    files = [tf.io.encode_png(random_image((50, 40, 1))).numpy()]
    found = signatures["normalized"].function(files)["image"]
    scaled = scale_files(files, *size, 1)[..., 0]
    np.testing.assert_array_equal(found, center_digits(files) if is_centered else scaled)


def random_image(shape):
    return np.random.default_rng(0).integers(0, 256, shape, "uint8")


def test_a_sequential_model_of_half_precision_returns_float32(tmp_path):
    half = "mixed_float16"
    layers = [keras.layers.Flatten(), keras.layers.Dense(3, "softmax", dtype=half)]
    model = keras.Sequential([keras.Input((4, 5, 1)), *layers])
    loaded = tf.saved_model.load(export_saved_model(model, tmp_path))
    images = np.random.default_rng(0).random((6, 4, 5, 1), np.float32)
    answer = loaded.signatures["serving_default"](image=images)
    np.testing.assert_allclose(answer["probabilities"], model.predict(images), atol=2e-3)
    assert answer["probabilities"].dtype == tf.float32
    assert loaded.signatures["classify"].structured_outputs["scores"].dtype == tf.float32

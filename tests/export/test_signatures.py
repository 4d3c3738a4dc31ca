import keras
import numpy as np
import tensorflow as tf

from kerashw.datasets import diagonals
from kerashw.export import export_saved_model
from kerashw.models import softmax_regression


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
    documented = {
        "serving_default": (image, outputs),
        "pixels": (pixels, outputs),
        "image_bytes": (files, outputs),
        "normalized": (files, {"image": pixels}),
        "classify": (examples, classified),
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
        files = tf.constant([file] * n, tf.string)
        answer = softmax.signatures["image_bytes"](image_bytes=files)
        assert answer["probabilities"].shape == (n, 10)


def test_a_model_of_colour_images_has_no_signatures_of_grey_images(tmp_path):
    model = softmax_regression(input_shape=(8, 8, 3), num_classes=4)
    loaded = tf.saved_model.load(export_saved_model(model, tmp_path))
    assert set(loaded.signatures) == {"serving_default", "classify"}


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

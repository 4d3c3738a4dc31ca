import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.datasets import diagonals
from kerashw.errors import InputError
from kerashw.export import export_saved_model, versions, write_models_config
from kerashw.models import MODELS, diagonal_classifier, softmax_regression

ALONE = """
import sys
import numpy as np
import tensorflow as tf

folder, images, answers = sys.argv[1:]
pixels = np.load(images)
signatures = tf.saved_model.load(folder).signatures
given = {
    "serving_default": tf.constant(pixels[..., None].astype("float32") / 255),
    "pixels": tf.constant(pixels),
}
found = {}
for name, image in given.items():
    for key, value in signatures[name](image=image).items():
        found[f"{name}/{key}"] = value
assert "kerashw" not in sys.modules
np.savez(answers, **found)
"""


@pytest.mark.parametrize(
    "policy", ["float32", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", MODELS)
def test_a_process_with_tensorflow_alone_gets_the_models_outputs(name, policy, data, tmp_path):
    keras.config.set_dtype_policy(policy)
    try:
        model = MODELS[name](input_shape=(28, 28, 1))
    finally:
        keras.config.set_dtype_policy("float32")
    version = export_saved_model(model, tmp_path / "model")
    np.save(tmp_path / "images.npy", data.test_images[:50])
    arguments = [version, tmp_path / "images.npy", tmp_path / "answers.npz"]
    subprocess.run([sys.executable, "-c", ALONE, *arguments], check=True, timeout=120)
    # In a graph, as there: op by op, bfloat16 rounds at other places.
    in_graph = tf.function(model, autograph=False)
    expected = in_graph(data.test_images[:50, ..., None].astype("float32") / 255)
    answers = np.load(tmp_path / "answers.npz")
    for signature in ("serving_default", "pixels"):
        found = answers[f"{signature}/probabilities"]
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_array_equal(answers[f"{signature}/class"], np.argmax(expected, axis=1))


def test_signatures_are_as_documented(tmp_path):
    loaded = tf.saved_model.load(export_saved_model(softmax_regression(), tmp_path))
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
    assert set(loaded.signatures) == set(documented)
    for name, (spec, expected) in documented.items():
        assert loaded.signatures[name].structured_input_signature == ((), {spec.name: spec})
        assert loaded.signatures[name].structured_outputs == expected


def test_the_diagonal_classifiers_signatures_give_counts_and_classes(tmp_path):
    loaded = tf.saved_model.load(export_saved_model(diagonal_classifier(), tmp_path))
    serving = loaded.signatures["serving_default"]
    image = tf.TensorSpec((None, 100, 100, 1), tf.float32, "image")
    assert serving.structured_input_signature == ((), {"image": image})
    assert serving.structured_outputs == {
        "count": tf.TensorSpec((None,), tf.int32, "count"),
        "class": tf.TensorSpec((None,), tf.int64, "class"),
    }
    images, labels, _ = diagonals.generate(50)
    for answer in (
        serving(image=tf.cast(images, tf.float32)),
        loaded.signatures["pixels"](image=tf.constant(255 * images[..., 0])),
    ):
        np.testing.assert_array_equal(answer["count"], labels)
        np.testing.assert_array_equal(answer["class"], labels)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_any_batch_size(n, tmp_path):
    loaded = tf.saved_model.load(export_saved_model(softmax_regression(), tmp_path))
    answer = loaded.signatures["pixels"](image=tf.zeros((n, 28, 28), tf.uint8))
    assert answer["probabilities"].shape == (n, 10)


def test_a_model_of_colour_images_has_no_signatures_of_grey_ones(tmp_path):
    model = softmax_regression(input_shape=(8, 8, 3), num_classes=4)
    loaded = tf.saved_model.load(export_saved_model(model, tmp_path))
    assert set(loaded.signatures) == {"serving_default", "classify"}


def test_versions_count_up_and_are_never_overwritten(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "kept").touch()
    (tmp_path / "notes").mkdir()
    model = softmax_regression()
    assert export_saved_model(model, tmp_path) == tmp_path / "8"
    assert export_saved_model(model, tmp_path) == tmp_path / "9"
    assert versions(tmp_path) == [7, 8, 9]
    assert (tmp_path / "7" / "kept").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7", "8", "9", "notes"]


def test_a_failed_export_leaves_nothing_behind(tmp_path):
    # The process may write no file of more than 20,000 bytes, as if the disk were full.
    script = f"""
import resource
import kerashw
model = kerashw.models.softmax_regression()
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    kerashw.export.export_saved_model(model, r"{tmp_path}")
except OSError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120)
    assert b"cannot be written" in ended.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "model",
    [
        keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]),
        keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)]),
    ],
)
def test_a_model_of_another_shape(model, tmp_path):
    with pytest.raises(InputError, match="Received: shapes"):
        export_saved_model(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_models_config_lists_the_models_with_absolute_paths(tmp_path, monkeypatch):
    for folder in ("b/2", "a/1", "not a model", "a/.writing-x"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    text = write_models_config(".").read_text()
    assert re.findall(r'name: "(.*)"', text) == ["a", "b"]
    assert re.findall(r'base_path: "(.*)"', text) == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert text.count("{") == text.count("}") == 3

import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

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
floats = pixels[..., None].astype("float32") / 255
features = [{"image": tf.train.Feature(float_list={"value": image.flat})} for image in floats]
examples = [tf.train.Example(features={"feature": feature}) for feature in features]
files = tf.constant([tf.io.encode_png(image[..., None]).numpy() for image in pixels])
given = {
    "serving_default": {"image": tf.constant(floats)},
    "pixels": {"image": tf.constant(pixels)},
    "classify": {"inputs": tf.constant([each.SerializeToString() for each in examples])},
    "image_bytes": {"image_bytes": files},
}
found = {}
for name, inputs in given.items():
    for key, value in signatures[name](**inputs).items():
        found[f"{name}/{key}"] = value.numpy().astype("S" if key == "classes" else value.dtype.name)
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
    labels = [f"digit {number}" for number in range(model.output.shape[-1])]
    version = export_saved_model(model, tmp_path / "model", labels)
    # Those that come out of `image_bytes` as they are, to the last level.
    images = data.test_images[np.max(data.test_images, axis=(1, 2)) == 255][10:60]
    np.save(tmp_path / "images.npy", images)
    arguments = [version, tmp_path / "images.npy", tmp_path / "answers.npz"]
    subprocess.run([sys.executable, "-c", ALONE, *arguments], check=True, timeout=120)
    # In a graph, as there: op by op, bfloat16 rounds at other places.
    in_graph = tf.function(model, autograph=False)
    expected = in_graph(images[..., None].astype("float32") / 255)
    answers = np.load(tmp_path / "answers.npz")
    np.testing.assert_allclose(answers["classify/scores"], expected, atol=1e-6)
    assert answers["classify/classes"].tolist() == [[label.encode() for label in labels]] * 50
    for signature in ("serving_default", "pixels", "image_bytes"):
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
    shown = loaded.signatures["feature_map"]
    assert shown.structured_input_signature == ((), {"image": image})
    assert shown.structured_outputs == {
        "feature_map": tf.TensorSpec((None, 98, 98), tf.int32, "feature_map"),
        "peaks": tf.TensorSpec((None, 98, 98), tf.bool, "peaks"),
    }
    images, labels, _ = diagonals.generate(50, noise=0.01)
    for answer in (
        serving(image=tf.cast(images, tf.float32)),
        loaded.signatures["pixels"](image=tf.constant(255 * images[..., 0])),
    ):
        np.testing.assert_array_equal(answer["count"], labels)
        np.testing.assert_array_equal(answer["class"], labels)
    pixels = images[..., 0].astype(int)
    sums = pixels[:, 2:, :-2] + pixels[:, 1:-1, 1:-1] + pixels[:, :-2, 2:]
    answer = shown(image=tf.cast(images, tf.float32))
    np.testing.assert_array_equal(answer["feature_map"], sums)
    np.testing.assert_array_equal(answer["peaks"], sums == 3)


def test_any_batch_size(tmp_path):
    loaded = tf.saved_model.load(export_saved_model(softmax_regression(), tmp_path)).signatures
    file = tf.io.encode_png(tf.eye(30, dtype=tf.uint8)[..., tf.newaxis] * 255).numpy()
    for n in (0, 1, 7):
        answer = loaded["pixels"](image=tf.zeros((n, 28, 28), tf.uint8))
        assert answer["probabilities"].shape == (n, 10)
        answer = loaded["image_bytes"](image_bytes=tf.constant([file] * n, tf.string))
        assert answer["probabilities"].shape == (n, 10)


def test_labels_and_the_kind_of_signature_are_said(tmp_path):
    labels = ["T-shirt/top", "Übermantel", *"23456789"]
    for given, expected in ((labels, labels), (None, list("0123456789"))):
        version = export_saved_model(softmax_regression(), tmp_path, given)
        text = (version / "assets.extra" / "labels.txt").read_text(encoding="utf-8")
        assert text.splitlines() == expected
    saved_model = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    definitions = saved_model.meta_graphs[0].signature_def
    assert definitions["classify"].method_name == "tensorflow/serving/classify"
    for name in ("serving_default", "pixels", "image_bytes", "normalized"):
        assert definitions[name].method_name == "tensorflow/serving/predict"


@pytest.mark.parametrize("labels", [["a", "b"], "0123456789a", [*"012345678", ""], range(10)])
def test_labels_that_do_not_fit(labels, tmp_path):
    with pytest.raises(InputError, match=r"10 strings.*Received: labels="):
        export_saved_model(softmax_regression(), tmp_path / "model", labels)
    assert not list(tmp_path.iterdir())


def warm_up_requests(version):
    """The requests of a version, by signature; as TensorFlow Serving reads them."""
    file = version / "assets.extra" / "tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        kind = log.WhichOneof("log_type")
        request = getattr(log, kind).request
        assert (kind == "classify_log") == (request.model_spec.signature_name == "classify")
        yield request.model_spec.signature_name, request


@pytest.mark.parametrize("build", [softmax_regression, diagonal_classifier])
def test_the_requests_to_warm_up_with_reach_every_signature(build, tmp_path):
    version = export_saved_model(build(), tmp_path)
    loaded = tf.saved_model.load(version).signatures
    sizes = {}
    for name, request in warm_up_requests(version):
        if name == "classify":
            examples = request.input.example_list.examples
            inputs = {"inputs": tf.constant([each.SerializeToString() for each in examples])}
        else:
            inputs = {
                key: tf.constant(tf.make_ndarray(tensor)) for key, tensor in request.inputs.items()
            }
        (size,) = {len(value) for value in inputs.values()}
        assert all(len(value) == size for value in loaded[name](**inputs).values())
        sizes.setdefault(name, set()).add(size)
    assert set(sizes) == set(loaded)
    for name in set(sizes) & {"serving_default", "pixels", "feature_map"}:
        assert sizes[name] == {1, 32}


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
        keras.Sequential([keras.Input((None, None, 1)), keras.layers.GlobalMaxPooling2D()]),
    ],
)
def test_a_model_of_another_shape(model, tmp_path):
    with pytest.raises(InputError, match="Received: shapes"):
        export_saved_model(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", [keras.Sequential([keras.layers.Dense(2)]), keras.Model(), "m"])
def test_what_is_no_built_model(model, tmp_path):
    with pytest.raises(InputError, match=r"must be a built keras\.Model.* Received: "):
        export_saved_model(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_sequential_model_of_half_precision_answers_in_float32(tmp_path):
    half = "mixed_float16"
    layers = [keras.layers.Flatten(), keras.layers.Dense(3, "softmax", dtype=half)]
    model = keras.Sequential([keras.Input((4, 5, 1)), *layers])
    loaded = tf.saved_model.load(export_saved_model(model, tmp_path))
    images = np.random.default_rng(0).random((6, 4, 5, 1), np.float32)
    answer = loaded.signatures["serving_default"](image=images)
    np.testing.assert_allclose(answer["probabilities"], model.predict(images), atol=2e-3)
    assert answer["probabilities"].dtype == tf.float32
    assert loaded.signatures["classify"].structured_outputs["scores"].dtype == tf.float32


def test_models_config_lists_the_models_with_absolute_paths(tmp_path, monkeypatch):
    for folder in ("b/2", "a/1", "not a model", "a/.writing-x"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    text = write_models_config(".").read_text()
    assert re.findall(r'name: "(.*)"', text) == ["a", "b"]
    assert re.findall(r'base_path: "(.*)"', text) == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert text.count("{") == text.count("}") == 3

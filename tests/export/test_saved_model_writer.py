import resource
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from kerashw.errors import InputError
from kerashw.export import export_saved_model, versions
from kerashw.models import MODELS, softmax_regression

# Calls the signatures of models in a process that has TensorFlow but not kerashw.
CLIENT = """
import sys
import numpy as np
import tensorflow as tf

images, *folders = sys.argv[1:]
pixels = np.load(images)
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
for folder in folders:
    signatures = tf.saved_model.load(folder).signatures
    found = {}
    for name, inputs in given.items():
        for key, value in signatures[name](**inputs).items():
            dtype = "S" if key == "classes" else value.dtype.name
            found[f"{name}/{key}"] = value.numpy().astype(dtype)
    np.savez(f"{folder}/answers.npz", **found)
assert "kerashw" not in sys.modules
"""


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        ("float32", ["softmax"]),
        pytest.param("float32", ["convnet", "mlp", "factored"], marks=pytest.mark.slow),
        pytest.param("mixed_bfloat16", list(MODELS), marks=pytest.mark.slow),
    ],
)
def test_a_process_with_tensorflow_alone_gets_the_models_outputs(policy, names, data, tmp_path):
    keras.config.set_dtype_policy(policy)
    try:
        models = {name: MODELS[name](input_shape=(28, 28, 1)) for name in names}
    finally:
        keras.config.set_dtype_policy("float32")
    folders = {
        name: export_saved_model(model, tmp_path / name, labels_of(model))
        for name, model in models.items()
    }
    # `image_bytes` does not change these images: they have full contrast.
    images = data.test_images[np.max(data.test_images, axis=(1, 2)) == 255][10:60]
    np.save(tmp_path / "images.npy", images)
    arguments = [tmp_path / "images.npy", *folders.values()]
    subprocess.run([sys.executable, "-c", CLIENT, *arguments], check=True, timeout=300)
    for name, model in models.items():
        assert_answers(np.load(folders[name] / "answers.npz"), model, images)


def labels_of(model):
    return [f"digit {number}" for number in range(model.output.shape[-1])]


def assert_answers(answers, model, images):
    # In a graph, as in the SavedModel: without one, bfloat16 rounds at other operations.
    in_graph = tf.function(model, autograph=False)
    expected = in_graph(images[..., None].astype("float32") / 255)
    np.testing.assert_allclose(answers["classify/scores"], expected, atol=1e-6)
    assert answers["classify/classes"].tolist() == [[x.encode() for x in labels_of(model)]] * 50
    for signature in ("serving_default", "pixels", "image_bytes"):
        found = answers[f"{signature}/probabilities"]
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_array_equal(answers[f"{signature}/class"], np.argmax(expected, axis=1))


def test_labels_and_the_method_of_each_signature_are_written(softmax_version, tmp_path):
    labels = ["T-shirt/top", "Übermantel", *"23456789"]
    version = export_saved_model(softmax_regression(), tmp_path, labels)
    for folder, expected in ((version, labels), (softmax_version, list("0123456789"))):
        text = (folder / "assets.extra" / "labels.txt").read_text(encoding="utf-8")
        assert text.splitlines() == expected
    saved_model = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    definitions = saved_model.meta_graphs[0].signature_def
    assert definitions["classify"].method_name == "tensorflow/serving/classify"
    for name in ("serving_default", "pixels", "image_bytes", "normalized"):
        assert definitions[name].method_name == "tensorflow/serving/predict"


@pytest.mark.parametrize("labels", [["a", "b"], "0123456789a", [*"012345678", ""], range(10)])
def test_wrong_labels_are_rejected(labels, tmp_path):
    with pytest.raises(InputError, match=r"10 strings.*Received: labels="):
        export_saved_model(softmax_regression(), tmp_path / "model", labels)
    assert not list(tmp_path.iterdir())


def test_versions_count_up_and_are_never_overwritten(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "kept").touch()
    (tmp_path / "notes").mkdir()
    model = softmax_regression(input_shape=(8, 8, 3))
    assert export_saved_model(model, tmp_path) == tmp_path / "8"
    assert export_saved_model(model, tmp_path) == tmp_path / "9"
    assert versions(tmp_path) == [7, 8, 9]
    assert (tmp_path / "7" / "kept").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7", "8", "9", "notes"]


def test_a_failed_export_leaves_no_files(tmp_path):
    # The process may write no file of more than 20,000 bytes, as if the disk were full.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match="cannot be written"):
            export_saved_model(softmax_regression(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "model",
    [
        keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]),
        keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)]),
        keras.Sequential([keras.Input((None, None, 1)), keras.layers.GlobalMaxPooling2D()]),
    ],
)
def test_a_model_of_another_shape_is_rejected(model, tmp_path):
    with pytest.raises(InputError, match="Received: shapes"):
        export_saved_model(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", [keras.Sequential([keras.layers.Dense(2)]), keras.Model(), "m"])
def test_what_is_no_built_model_is_rejected(model, tmp_path):
    with pytest.raises(InputError, match=r"must be a built keras\.Model.* Received: "):
        export_saved_model(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())

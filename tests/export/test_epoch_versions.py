import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.export import export_epochs, versions, write_models_config
from kerashw.export.history_signature import history_function
from kerashw.serve.servables.config_file_reader import read_models_config

EPOCHS = [
    {"epoch": 1, "train_loss": 0.5, "test_loss": float("nan"), "test_accuracy": 0.25},
    {"epoch": 2, "train_loss": 0.25, "test_loss": 0.375, "test_accuracy": 0.75},
]


@pytest.fixture(scope="module")
def model():
    """A model whose layers have variables that are not trained, too."""
    layers = [
        keras.layers.Conv2D(3, 3, data_format="channels_last"),
        keras.layers.BatchNormalization(),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5, seed=1),
        keras.layers.Dense(10, activation="softmax"),
    ]
    return keras.Sequential([keras.Input((8, 8, 1)), *layers])


@pytest.fixture(scope="module")
def weights(model):
    """The weights of the untrained model, and after each epoch."""
    generator = np.random.default_rng(0)
    shapes = [weight.shape for weight in model.get_weights()]
    return [[generator.random(shape, np.float32) for shape in shapes] for _ in range(3)]


@pytest.fixture(scope="module")
def exported(model, weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports") / "digits"
    model.set_weights(weights[-1])
    assert export_epochs(model, weights[:-1], folder, epochs=EPOCHS) == folder / "3"
    return folder


def assert_answers(version, model, weights):
    """A version answers as the model with these weights, to the last bit."""
    images = np.random.default_rng(1).random((5, 8, 8, 1), np.float32)
    model.set_weights(weights)
    expected = tf.function(model, autograph=False)(images, training=False)
    found = tf.saved_model.load(version).signatures["serving_default"](image=images)
    np.testing.assert_array_equal(found["probabilities"], expected)


def test_version_e_plus_1_is_the_model_of_epoch_e(exported, model, weights):
    assert versions(exported) == [1, 2, 3]
    for version, each in zip((1, 2, 3), weights, strict=True):
        assert_answers(exported / str(version), model, each)


def test_the_history_says_which_examples_were_evaluated():
    epochs = [
        {name.replace("test", "validation"): x for name, x in each.items()} for each in EPOCHS
    ]
    answer = history_function(epochs, tf.Variable(1))(tf.constant([2]))
    measures = {name: x.numpy().tolist() for name, x in answer.items() if "_" in name}
    expected = {"train_loss": [0.25], "validation_loss": [0.375], "validation_accuracy": [0.75]}
    assert measures == expected | {"current_epoch": [1]}


def test_every_version_knows_the_history_and_its_epoch(exported):
    for epoch in (0, 1, 2):
        loaded = tf.saved_model.load(exported / str(epoch + 1))
        answer = loaded.signatures["history"](epoch=tf.constant([0, 1, 2, 3, -5]))
        # JSON has no NaN, and not all epochs have measures.
        assert answer["train_loss"].numpy().tolist() == [-1, 0.5, 0.25, -1, -1]
        assert answer["test_loss"].numpy().tolist() == [-1, -1, 0.375, -1, -1]
        assert answer["test_accuracy"].numpy().tolist() == [-1, 0.25, 0.75, -1, -1]
        assert answer["epochs"].numpy().tolist() == [2] * 5
        assert answer["current_epoch"].numpy().tolist() == [epoch] * 5
        assert (
            exported / str(epoch + 1) / "assets.extra" / "epoch.txt"
        ).read_text() == f"{epoch}\n"


def test_versions_share_all_files_but_the_variables(exported):
    files = {
        str(path.relative_to(exported / "3")): path
        for path in (exported / "3").rglob("*")
        if path.is_file()
    }
    own = {path for path in files if path.startswith("variables/") or path.endswith("epoch.txt")}
    newest = {"assets.extra/tf_serving_warmup_requests"}
    keys = [key for key, _ in tf.train.list_variables(str(exported / "3" / "variables/variables"))]
    for version in (exported / "1", exported / "2"):
        found = {str(path.relative_to(version)) for path in version.rglob("*") if path.is_file()}
        assert found == set(files) - newest
        for name in found:
            assert (version / name).samefile(files[name]) == (name not in own)
        other = tf.train.list_variables(str(version / "variables" / "variables"))
        assert [key for key, _ in other] == keys


def test_after_a_failure_there_is_no_version(model, weights, tmp_path):
    def failing():
        yield weights[0]
        raise OSError("a disk failed")

    with pytest.raises(OSError, match="a disk failed"):
        export_epochs(model, failing(), tmp_path / "digits", epochs=EPOCHS)
    assert not list(tmp_path.iterdir())


def test_versions_that_are_there_stay_also_on_a_disk_without_hard_links(
    model, weights, tmp_path, monkeypatch
):
    def refuse(*paths):
        raise PermissionError

    monkeypatch.setattr("os.link", refuse)
    (tmp_path / "4").mkdir()
    model.set_weights(weights[-1])
    assert export_epochs(model, weights[1:2], tmp_path, epochs=EPOCHS) == tmp_path / "6"
    assert versions(tmp_path) == [4, 5, 6]
    assert not (tmp_path / "5" / "saved_model.pb").samefile(tmp_path / "6" / "saved_model.pb")
    assert_answers(tmp_path / "5", model, weights[1])
    assert_answers(tmp_path / "6", model, weights[-1])


def test_models_config_serves_all_epochs_and_of_other_models_the_newest(exported, tmp_path):
    for name in ("digits", "other"):
        shutil.copytree(exported, tmp_path / name)
    for file in (tmp_path / "other").rglob("epoch.txt"):
        file.unlink()
    digits, other = read_models_config(write_models_config(tmp_path))
    assert (digits.name, digits.latest, digits.base_path) == ("digits", 0, tmp_path / "digits")
    assert (other.name, other.latest) == ("other", 1)


def test_a_variable_is_stored_once(softmax_version):
    stored = tf.train.list_variables(str(softmax_version / "variables" / "variables"))
    sizes = [np.prod(shape) for key, shape in stored if key != "_CHECKPOINTABLE_OBJECT_GRAPH"]
    assert sum(sizes) == 7850 + 1  # and the epoch

"""Runs with `--keep-epochs`: the model of every epoch is a version of the export."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kerashw.errors import RunError
from kerashw.export import versions
from kerashw.hypotheses import collapse_model
from kerashw.train.observer import Observer
from kerashw.train.run import run
from kerashw.train.run_folder import RunFolder
from kerashw.train.settings import Settings

SETTINGS = Settings(
    models=("factored",), epochs=2, train_examples=500, test_examples=100, keep_epochs=True
)


class Answers(Observer):
    """Records the model's answers to images after each epoch, by epoch; may interrupt one."""

    def __init__(self, images, interrupted=None):
        self.images, self.interrupted, self.answers = images, interrupted, {}

    def on_model_begin(self, model, history):
        if not history["epochs"]:
            self._record(model, 0)
        return []

    def on_epoch_end(self, model, entry):
        self._record(model, entry["epoch"])
        if entry["epoch"] == self.interrupted:
            raise KeyboardInterrupt

    def _record(self, model, epoch):
        served = tf.function(collapse_model(model), autograph=False)
        self.answers[epoch] = served(self.images, training=False).numpy()


@pytest.fixture(scope="module")
def images(data):
    return data.test_images[:5, ..., None] / np.float32(255)


@pytest.fixture(scope="module")
def resumed(images, tmp_path_factory):
    """The folder of a run that was interrupted after its first epoch, and the answers."""
    folder = tmp_path_factory.mktemp("run") / "r"
    first, second = Answers(images, interrupted=1), Answers(images)
    with pytest.raises(KeyboardInterrupt):
        run(SETTINGS, folder, observer=first)
    assert not (folder / "exports").exists()
    run(SETTINGS, folder, observer=second)
    return folder, first.answers | second.answers


def test_version_e_plus_1_answers_as_the_model_of_epoch_e(resumed, images):
    folder, answers = resumed
    exported = folder / "exports" / "factored"
    assert versions(exported) == [1, 2, 3]
    for epoch in (0, 1, 2):
        signatures = tf.saved_model.load(exported / str(epoch + 1)).signatures
        found = signatures["serving_default"](image=images)["probabilities"]
        np.testing.assert_array_equal(found, answers[epoch])
        history = signatures["history"](epoch=tf.constant([2]))
        assert history["current_epoch"].numpy().tolist() == [epoch]
    assert not (folder / "factored" / "epochs").exists()
    assert "model_version_policy { all {} }" in (exported.parent / "models.config").read_text()


def test_the_run_is_complete(resumed):
    assert run(SETTINGS, resumed[0]) is None
    other = dataclasses.replace(SETTINGS, keep_epochs=False)
    with pytest.raises(RunError, match=r"\(keep_epochs True there, False here\)"):
        run(other, resumed[0])


def test_the_setting_is_named_for_a_run_without_it(tmp_path):
    without = dataclasses.replace(SETTINGS, keep_epochs=False).configuration()
    assert "keep_epochs" not in without  # as in the manifests of earlier releases
    manifests = [{"configuration": each} for each in (without, SETTINGS.configuration())]
    with RunFolder(tmp_path, manifests[0] | {"finished": None, "seconds": {}}).opened():
        pass
    with pytest.raises(RunError, match=r"\(keep_epochs False there, True here\)"):
        RunFolder(tmp_path, manifests[1])


def test_a_kept_epoch_that_is_missing_is_named(tmp_path):
    folder = RunFolder(tmp_path / "r", {"configuration": {}, "finished": None}).model("mlp")
    with pytest.raises(RunError, match=r"epoch-0000\.npz is missing\. Delete .*mlp to train"):
        list(folder.load_kept_epochs(1))
    folder.kept_epochs.mkdir(parents=True)
    (folder.kept_epochs / "epoch-0000.npz").write_bytes(b"PK")
    with pytest.raises(RunError, match=r"epoch-0000\.npz is damaged"):
        list(folder.load_kept_epochs(1))

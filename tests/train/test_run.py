import json
import shutil
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.errors import InputError, RunError
from kerashw.train.observer import Observer
from kerashw.train.run import run
from kerashw.train.run_folder import RunFolder
from kerashw.train.settings import Settings
from tests.train.processes import files_of

QUICK = Settings(models=("softmax", "mlp"), epochs=2, train_examples=1000, test_examples=300)


@pytest.fixture(scope="module")
def complete(data, tmp_path_factory):
    """The folder of a run that came to its end."""
    folder = tmp_path_factory.mktemp("run") / "r"
    run(QUICK, folder)
    return folder


class RecordingObserver(Observer):
    """Records the events."""

    def __init__(self):
        self.events = []

    def on_data_load(self, dataset):
        self.events.append(("preparing", dataset))

    def on_model_begin(self, model, history):
        self.events.append(("training", model.name, len(history["epochs"])))
        return []

    def on_epoch_end(self, model, entry):
        self.events.append(("epoch", model.name, entry["epoch"]))

    def on_run_end(self, run_folder, results):
        self.events.append(("finished", [result.name for result in results]))


def test_an_observer_receives_all_events_in_order(data, tmp_path):
    observer = RecordingObserver()
    results = run(QUICK, tmp_path / "r", observer=observer)
    expected = [("preparing", "mnist")]
    for name in ("softmax", "mlp"):
        expected += [("training", name, 0), ("epoch", name, 1), ("epoch", name, 2)]
    assert observer.events == [*expected, ("finished", ["softmax", "mlp"])]
    for result in results:
        right = np.trace(result.confusion)
        assert right == round(result.last["test_accuracy"] * 300) == 300 - result.mistakes.total
    assert run(QUICK, tmp_path / "r") is None


DERIVED = (
    "report.html",
    "comparison.png",
    "exports",
    "exports/mlp/1",
    "exports/mlp/1/variables/variables.data-00000-of-00001",
    "softmax/curves.png",
    "softmax/history.csv",
)


@pytest.mark.parametrize("missing", DERIVED)
def test_a_run_without_a_derived_file_is_not_complete(complete, missing):
    def is_complete():
        return RunFolder(complete, {"configuration": QUICK.configuration()}).complete

    path, elsewhere = complete / missing, complete.parent / "elsewhere"
    assert is_complete()
    path.rename(elsewhere)
    assert not is_complete()
    elsewhere.rename(path)


def test_missing_derived_files_are_written_again(data, complete):
    table = (complete / "softmax" / "history.csv").read_bytes()
    for path in (complete / missing for missing in DERIVED):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    kept = ("mlp/model.keras", "manifest.json")  # When and where it was trained has not changed.
    before = [(complete / file).read_bytes() for file in kept]
    observer = RecordingObserver()
    assert len(run(QUICK, complete, observer=observer)) == 2
    assert all((complete / path).exists() for path in DERIVED)
    assert (complete / "softmax" / "history.csv").read_bytes() == table
    assert not [event for event in observer.events if event[0] == "epoch"]
    assert [(complete / file).read_bytes() for file in kept] == before
    assert run(QUICK, complete) is None


@pytest.mark.parametrize(
    "missing", ["variables", pytest.param("saved_model.pb", marks=pytest.mark.slow)]
)
def test_an_incomplete_export_is_followed_by_a_whole_one(data, complete, missing):
    newest = max((complete / "exports" / "mlp").iterdir(), key=lambda path: int(path.name))
    path = newest / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    run(QUICK, complete)
    assert tf.saved_model.load(complete / "exports" / "mlp" / str(int(newest.name) + 1)).signatures
    assert run(QUICK, complete) is None


@pytest.mark.parametrize("file", ["model.keras", "history.json"])
@pytest.mark.parametrize("state", ["missing", "damaged"])
def test_a_model_or_history_of_a_complete_run_is_missing(complete, file, state):
    path = complete / "mlp" / file
    kept = path.read_bytes()
    path.unlink() if state == "missing" else path.write_bytes(kept[: len(kept) // 2])
    before = files_of(complete)
    expected = rf"mlp/{file} is {state}.*Restore it, or delete {complete} to train its models again"
    with pytest.raises(RunError, match=expected):
        run(QUICK, complete)
    assert files_of(complete) == before
    path.write_bytes(kept)


def test_a_model_that_is_trained_again_is_exported_again(data, complete, tmp_path):
    output = shutil.copytree(complete, tmp_path / "r")
    manifest = json.loads((output / "manifest.json").read_text())
    (output / "manifest.json").write_text(json.dumps(manifest | {"finished": None}))
    before = {name: len(list((output / "exports" / name).iterdir())) for name in QUICK.models}
    shutil.rmtree(output / "softmax")
    run(QUICK, output)
    after = {name: len(list((output / "exports" / name).iterdir())) for name in QUICK.models}
    assert after == before | {"softmax": before["softmax"] + 1}


def test_tensorboard_logs_are_beside_the_history(data, tmp_path):
    settings = Settings(models=("softmax",), epochs=1, train_examples=500, test_examples=100)
    run(settings, tmp_path / "r", tensorboard=True)
    assert list((tmp_path / "r" / "softmax" / "tensorboard").rglob("events.out.*"))


def test_tensorboard_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(InputError, match=r"pip install '\.\[tensorboard\]'"):
        run(QUICK, tmp_path / "r", tensorboard=True)
    assert not list(tmp_path.iterdir())


COUNTING = Settings(models=("diagonal",), epochs=2, train_examples=600, test_examples=300)


def test_a_model_with_nothing_to_train_is_measured_and_exported(tmp_path):
    observer = RecordingObserver()
    frozen, learned = run(COUNTING, tmp_path / "r", observer=observer)
    epochs = [event for event in observer.events if event[:2] == ("epoch", "diagonal")]
    assert epochs == [("epoch", "diagonal", 0)]
    (entry,) = frozen.history["epochs"]
    assert (entry["epoch"], entry["test_accuracy"]) == (0, 1.0)
    assert (entry["train_loss"], entry["test_loss"]) == (0, 0)
    assert frozen.confusion.trace() == 300
    np.testing.assert_array_equal(frozen.kernel, np.eye(3)[::-1])
    assert learned.kernel.shape == (3, 3)
    assert [epoch["epoch"] for epoch in learned.history["epochs"]] == [1, 2]
    for file in ("history.json", "history.csv", "curves.png", "model.keras"):
        assert (tmp_path / "r" / "diagonal" / file).exists()
    assert (tmp_path / "r" / "report.html").read_text().count(", row by row: ") == 2
    assert json.loads((tmp_path / "r" / "manifest.json").read_text())["data"]["name"] == (
        "diagonals:1.0.0"
    )
    loaded = tf.saved_model.load(tmp_path / "r" / "exports" / "diagonal" / "1")
    assert set(loaded.signatures["serving_default"].structured_outputs) == {"count", "class"}
    assert run(COUNTING, tmp_path / "r") is None


def test_a_run_that_stopped_after_measuring_goes_on(tmp_path, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    settings = Settings(models=("diagonal",), epochs=1, train_examples=100, test_examples=100)
    with monkeypatch.context() as patched:
        patched.setattr("kerashw.train.run.export_saved_model", stop)
        with pytest.raises(KeyboardInterrupt):
            run(settings, tmp_path / "r")
    for result in run(settings, tmp_path / "r"):
        assert len(result.history["epochs"]) == 1
        assert (tmp_path / "r" / "exports" / result.name / "1").is_dir()


def test_the_frozen_kernel_comes_with_the_learned_one_for_comparison():
    both = ("diagonal", "learned_diagonal")
    assert Settings(models=("diagonal",)) == Settings(models=both)
    assert Settings(models=("diagonal",)).configuration()["models"] == list(both)
    assert Settings(models=both[::-1]).models == both[::-1]
    assert Settings(models=("learned_diagonal",)).models == ("learned_diagonal",)


def test_each_question_has_its_data_set():
    assert Settings().dataset == "mnist"
    assert COUNTING.dataset == "diagonals"
    assert Settings(models=("softmax",), dataset="diagonals").dataset == "diagonals"
    both = ("softmax", "diagonal")
    assert Settings(models=both, dataset="diagonals/salt").dataset == "diagonals/salt"
    with pytest.raises(InputError, match=r"two runs.*data set.*Received: softmax diagonal$"):
        Settings(models=both)
    with pytest.raises(InputError, match=r"diagonals, diagonals/salt\. Received: diagonal with"):
        Settings(models=("softmax", "diagonal"), dataset="mnist")


def test_the_factored_model_is_served_as_one_matrix(data, tmp_path):
    settings = Settings(
        models=("softmax", "factored"), epochs=1, train_examples=1000, test_examples=200
    )
    _, result = run(settings, tmp_path / "r")
    assert result.history["parameters"] == 8_040
    served = tf.saved_model.load(tmp_path / "r" / "exports" / "factored" / "1")
    labels = tmp_path / "r" / "exports" / "factored" / "1" / "assets.extra" / "labels.txt"
    assert labels.read_text().splitlines() == list(data.classes)
    assert sum(np.prod(variable.shape) for variable in served.variables) == 7_840
    images = data.test_images[:200]
    trained = keras.saving.load_model(tmp_path / "r" / "factored" / "model.keras")
    answer = served.signatures["pixels"](image=images)["probabilities"]
    np.testing.assert_allclose(answer, trained(images[..., None] / np.float32(255)), atol=1e-5)

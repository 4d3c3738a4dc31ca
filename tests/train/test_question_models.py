"""Runs with the models of Questions 1 and 2, which are exported and not trained."""

import json
import shutil

import pytest
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.train import run as run_module
from kerashw.train.run import run
from kerashw.train.settings import Settings
from tests.train.processes import files_of

BOTH = Settings(models=("backprop", "spaces"))


def test_a_run_of_these_models_alone_needs_no_data(train_here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = train_here("--model", *BOTH.models)
    assert done.returncode == 0, done.stderr
    assert "Loading" not in done.stdout
    for name in BOTH.models:
        assert f"{name}, exported: there is nothing to train\n" in done.stdout
    assert done.stdout.endswith("models  runs/theory/exports/models.config\n")
    folder = tmp_path / "runs" / "theory"
    assert {file.name for file in folder.iterdir() if file.name[0] != "."} == {
        "exports",
        "manifest.json",
    }
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["data"] is None
    assert manifest["configuration"]["dataset"] is None
    config = (folder / "exports" / "models.config").read_text()
    for name, signature in (("backprop", "step"), ("spaces", "descent")):
        assert f'name: "{name}"' in config
        loaded = tf.saved_model.load(folder / "exports" / name / "1")
        assert list(loaded.signatures) == [signature]
    before = files_of(folder)
    assert "is complete already" in train_here("--model", *BOTH.models).stdout
    assert files_of(folder) == before


@pytest.mark.slow
def test_an_interrupted_run_exports_what_is_missing(tmp_path, monkeypatch):
    def stop(name, directory):
        if name == "spaces":
            raise KeyboardInterrupt
        export(name, directory)

    export = run_module.export_question_model
    with monkeypatch.context() as patched:
        patched.setattr(run_module, "export_question_model", stop)
        with pytest.raises(KeyboardInterrupt):
            run(BOTH, tmp_path / "r")
    assert run(BOTH, tmp_path / "r") == []
    assert run(BOTH, tmp_path / "r") is None
    shutil.rmtree(tmp_path / "r" / "exports" / "backprop" / "1")
    assert run(BOTH, tmp_path / "r") == []
    for name in BOTH.models:
        assert [path.name for path in (tmp_path / "r" / "exports" / name).iterdir()] == ["1"]


@pytest.mark.slow
def test_beside_trained_models_they_are_only_exported(data, tmp_path):
    models = ("backprop", "softmax")
    settings = Settings(models=models, epochs=1, train_examples=500, test_examples=100)
    assert [result.name for result in run(settings, tmp_path / "r")] == ["softmax"]
    assert "Softmax regression on MNIST" in (tmp_path / "r" / "report.html").read_text()
    assert not (tmp_path / "r" / "backprop").exists()
    assert sorted(path.name for path in (tmp_path / "r" / "exports").iterdir()) == [
        *models[:1],
        "models.config",
        *models[1:],
    ]
    assert run(settings, tmp_path / "r") is None


def test_they_go_with_every_data_set_but_have_none():
    assert BOTH.dataset is None
    assert Settings(models=("spaces", "mlp")).dataset == "mnist"
    assert Settings(models=("spaces", "diagonal")).dataset == "diagonals"
    assert Settings(models=("spaces", "mlp"), dataset="kmnist").classifiers == ("mlp",)
    with pytest.raises(InputError, match=r"Leave the data set out\. Received: mnist$"):
        Settings(models=("spaces",), dataset="mnist")


def test_the_folder_of_another_run_is_refused(train_here, tmp_path):
    run(Settings(models=("spaces",)), tmp_path / "r")
    failed = train_here("--model", "softmax", "--output", tmp_path / "r")
    assert failed.returncode == 2
    assert "dataset none there, mnist here" in failed.stderr
    assert failed.stderr.count("\n") == 1

"""The registry loads, serves and unloads versions as the folders and the configuration change."""

import gc
import shutil
import weakref

import pytest

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.config_file_reader import ModelConfig
from kerashw.serve.servables.loaded_model import LoadedModel
from kerashw.serve.servables.model_registry import ModelRegistry
from kerashw.serve.servables.model_version import LoadSettings
from tests.serve.recordings import load


def load_text(path):
    """Load a model that is a text in a file; `bad` cannot be loaded."""
    text = (path / "model").read_text()
    if text == "bad":
        raise RequestError("it is bad", "DATA_LOSS")
    return text


def write(base, version, text="good"):
    folder = base / str(version)
    folder.mkdir(parents=True)
    (folder / "model").write_text(text)


def started(base, retry_seconds=0.0, max_retries=0, **choice):
    """A started registry of one model, which polls only when `poll` is called."""
    settings = LoadSettings(load_text, 0, max_retries, retry_seconds)
    registry = ModelRegistry(settings, [ModelConfig("m", base, **choice)])
    registry.start()
    return registry


def served(registry):
    return sorted(registry.models["m"].serving)


def states(registry):
    return {int(v["version"]): v["state"] for v in registry.status("m")}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, [10]),
        ({"latest": 2}, [9, 10]),
        ({"latest": 0}, [1, 9, 10]),
        ({"specific": frozenset({1, 9})}, [1, 9]),
    ],
)
def test_the_policy_chooses_versions(tmp_path, choice, expected):
    for version in (1, 9, 10):
        write(tmp_path, version)
    (tmp_path / "v11").mkdir()
    (tmp_path / "12").write_text("a file")
    (tmp_path / ".writing-13").mkdir()
    assert served(started(tmp_path, **choice)) == expected


def test_a_new_version_replaces_the_old_one(tmp_path):
    write(tmp_path, 1)
    registry = started(tmp_path)
    write(tmp_path, "00000005", "newer")
    registry.poll()
    assert registry.find("m") == ("newer", 5)
    assert states(registry) == {5: "AVAILABLE", 1: "END"}
    with pytest.raises(RequestError, match=r"Specific\(m, 1\)"):
        registry.find("m", 1)


class CyclicModel:
    """A model with a reference cycle, as TensorFlow's graphs have."""

    def __init__(self, path):
        self.itself = self


def test_an_unloaded_version_is_freed_although_it_was_frozen(tmp_path):
    write(tmp_path, 1)
    registry = ModelRegistry(LoadSettings(CyclicModel, 0), [ModelConfig("m", tmp_path)])
    registry.start()
    gc.freeze()  # as the server does after it has loaded the models
    try:
        old = weakref.ref(registry.find("m")[0])
        write(tmp_path, 2)
        registry.poll()
        assert old() is None
    finally:
        gc.unfreeze()


def test_a_damaged_version_is_reported_and_the_old_one_is_still_served(tmp_path):
    write(tmp_path, 1)
    registry = started(tmp_path)
    write(tmp_path, 2, "bad")
    registry.poll()
    assert registry.find("m") == ("good", 1)
    assert registry.status("m", 2) == [
        {
            "version": "2",
            "state": "END",
            "status": {"error_code": "DATA_LOSS", "error_message": "it is bad"},
        }
    ]
    (tmp_path / "2" / "model").write_text("repaired")
    registry.poll()
    assert registry.find("m") == ("repaired", 2)


def test_loading_a_damaged_version_is_repeated_max_retries_times(tmp_path):
    write(tmp_path, 1)
    registry = started(tmp_path, max_retries=2)
    write(tmp_path, 2, "bad")
    for _ in range(9):
        registry.poll()
    assert registry.models["m"].versions[2].failures == 3


def test_deleted_versions(tmp_path):
    for version in (1, 2):
        write(tmp_path, version, "good" if version == 2 else "bad")
    registry = started(tmp_path)
    shutil.rmtree(tmp_path / "2")
    registry.poll()  # version 1 cannot be loaded
    assert registry.find("m") == ("good", 2)
    moved = tmp_path.rename(tmp_path.with_name("away"))
    registry.poll()  # the folder cannot be read
    assert registry.find("m") == ("good", 2)
    moved.rename(tmp_path)
    shutil.rmtree(tmp_path / "1")
    registry.poll()  # as recorded: without any version, none is served
    assert states(registry)[2] == "END"
    with pytest.raises(RequestError, match=r"Latest\(m\)"):
        registry.find("m")
    write(tmp_path, 2, "back")
    registry.poll()
    assert registry.find("m") == ("back", 2)


def test_labels_stand_for_versions(tmp_path):
    for version in (1, 2):
        write(tmp_path, version, f"number {version}")
    registry = started(tmp_path, latest=0, labels={"stable": 1, "gone": 7})
    assert registry.find("m", label="stable") == ("number 1", 1)
    with pytest.raises(RequestError, match="Unrecognized servable version label: other"):
        registry.find("m", label="other")
    with pytest.raises(RequestError, match=r"Specific\(m, 7\)"):
        registry.find("m", label="gone")


def test_the_list_of_models_is_read_again(tmp_path):
    for name in ("m", "n"):
        write(tmp_path / name, 1, name)
    configs = [ModelConfig("m", tmp_path / "m")]
    settings = LoadSettings(load_text, 0)
    registry = ModelRegistry(settings, list(configs), lambda: configs, 1e-9)
    registry.start()
    configs[:] = [ModelConfig("n", tmp_path / "n")]
    registry.poll()
    assert registry.find("n") == ("n", 1)
    with pytest.raises(RequestError, match=r"Latest\(m\)"):
        registry.find("m")


def test_errors_of_damaged_models_are_as_recorded(tmp_path):
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "saved_model.pb").write_text("garbage")
    (tmp_path / "4").mkdir()
    recorded = {}
    for entry in load():
        if entry["name"] == "dyn_after_empty_v4":
            recorded = entry["response_body"].replace("DYNAMIC", str(tmp_path))
    for version in ("3", "4"):
        with pytest.raises(RequestError) as error:
            LoadedModel(tmp_path / version)
        assert error.value.message.replace("\n", "\\n") in recorded
        assert f'"error_code": "{error.value.code}"' in recorded

"""The registry loads, serves and unloads versions as the folders and the configuration change."""

import gc
import shutil
import weakref

import pytest

from kerashw.errors import ServeError
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.config_file_reader import ModelConfig
from kerashw.serve.servables.loaded_model import LoadedModel
from kerashw.serve.servables.model_registry import ModelRegistry
from kerashw.serve.servables.model_version import LoadSettings
from tests.places import as_other_user
from tests.serve.recordings import load
from tests.serve.servables.text_models import load_text, write


def started(base, max_retries=0, **choice):
    """A started registry of one model, which polls only when `poll` is called."""
    settings = LoadSettings(load_text, 0, max_retries, retry_seconds=0)
    registry = ModelRegistry(settings, [ModelConfig("m", base, **choice)])
    registry.stop()
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


def test_a_served_version_whose_files_change_is_still_served(tmp_path, caplog):
    write(tmp_path, 1, "old")
    registry = started(tmp_path)
    for text in ("new", "newer"):
        shutil.rmtree(tmp_path / "1")
        write(tmp_path, 1, text)
        registry.poll()
    assert registry.find("m") == ("old", 1)
    [message] = [record.getMessage() for record in caplog.records if "changed" in record.msg]
    assert f"m version 1: the files in {tmp_path / '1'} have changed" in message


@pytest.mark.parametrize("forbidden", [".", "model"])
def test_a_version_that_may_not_be_read(forbidden, public_folder):
    write(public_folder, 1)
    registry = started(public_folder)
    write(public_folder, 2)
    (public_folder / "2" / forbidden).chmod(0)
    with as_other_user():
        registry.poll()
    assert registry.find("m") == ("good", 1)
    message = f"{public_folder / '2' / 'model'}; Permission denied"
    status = {"error_code": "PERMISSION_DENIED", "error_message": message}
    assert registry.status("m", 2) == [{"version": "2", "state": "END", "status": status}]
    (public_folder / "2" / forbidden).chmod(0o755)
    with as_other_user():
        registry.poll()
    assert registry.find("m") == ("good", 2)


def test_a_base_path_that_may_not_be_read(public_folder, caplog):
    base = public_folder / "m"
    write(base, 1)
    registry = started(base)
    write(base, 2)
    for mode in (0o333, 0o666):  # its versions can be loaded, or listed, and not both
        base.chmod(mode)
        with as_other_user():
            registry.poll()
            registry.poll()
        assert registry.find("m") == ("good", 1)
    assert caplog.text.count(f"m: {base} cannot be read: Permission denied") == 1
    assert f"m version 2: PERMISSION_DENIED: {base / '2' / 'model'}" in caplog.text
    with as_other_user(), pytest.raises(ServeError, match=f"PERMISSION_DENIED: {base}"):
        started(base)
    base.chmod(0)
    with as_other_user(), pytest.raises(ServeError, match=f"base path {base} .*Permission denied"):
        started(base)
    base.chmod(0o755)
    with as_other_user():
        registry.poll()
    assert registry.find("m") == ("good", 2)


def test_no_exception_of_a_loader_leaves_a_version_loading(tmp_path, caplog):
    write(tmp_path, 1)
    errors = [
        MemoryError(),
        KeyError("x"),
        OSError(5, "I/O error", "/disk"),
        RecursionError("deep"),
    ]

    def load(path):
        if path.name == "1":
            return "good"
        raise errors[0]

    registry = ModelRegistry(LoadSettings(load, 0, 9, -1), [ModelConfig("m", tmp_path)])
    registry.stop()  # only this test polls
    registry.start()
    write(tmp_path, 2)
    while errors:
        registry.poll()
        assert states(registry) == {2: "END", 1: "AVAILABLE"}
        [status] = registry.status("m", 2)
        assert status["status"]["error_code"] == "UNKNOWN"
        expected = (
            "/disk; I/O error" if isinstance(errors[0], OSError) else type(errors[0]).__name__
        )
        assert expected in status["status"]["error_message"]
        assert expected in caplog.text
        del errors[0]


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


def test_the_list_of_models_is_read_again(tmp_path):
    for name in ("m", "n"):
        write(tmp_path / name, 1, name)
    configs = [ModelConfig("m", tmp_path / "m")]
    settings = LoadSettings(load_text, 0)
    registry = ModelRegistry(settings, list(configs), lambda: configs, 1e-9)
    registry.stop()  # only this test polls
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

"""Versions that come and go: which are loaded, which are served, what their status says."""

import gc
import shutil
import weakref

import pytest

from kerashw.errors import ServeError
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.config_file_reader import (
    ModelConfig,
    read_batching,
    read_models_config,
    read_monitoring,
)
from kerashw.serve.servables.loaded_model import SavedModel
from kerashw.serve.servables.model_registry import Repository
from kerashw.serve.servables.version_polling import Loading
from tests.serve.recordings import load


def load_text(path):
    """A model that is a text in a file; `bad` cannot be loaded."""
    text = (path / "model").read_text()
    if text == "bad":
        raise RequestError("it is bad", "DATA_LOSS")
    return text


def write(base, version, text="good"):
    folder = base / str(version)
    folder.mkdir(parents=True)
    (folder / "model").write_text(text)


def watched(base, retry_seconds=0.0, max_retries=0, **choice):
    """A repository of one model, which looks at the disk when it is told to."""
    loading = Loading(load_text, 0, max_retries, retry_seconds)
    repository = Repository(loading, [ModelConfig("m", base, **choice)])
    repository.start()
    return repository


def served(repository):
    return sorted(repository.models["m"].serving)


def states(repository):
    return {int(v["version"]): v["state"] for v in repository.status("m")}


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
    assert served(watched(tmp_path, **choice)) == expected


def test_a_new_version_takes_over_and_the_old_one_goes(tmp_path):
    write(tmp_path, 1)
    repository = watched(tmp_path)
    write(tmp_path, "00000005", "newer")
    repository._poll()
    assert repository.find("m") == ("newer", 5)
    assert states(repository) == {5: "AVAILABLE", 1: "END"}
    with pytest.raises(RequestError, match=r"Specific\(m, 1\)"):
        repository.find("m", 1)


class Looped:
    """A model that holds itself, as TensorFlow's graphs do."""

    def __init__(self, path):
        self.own = self


def test_a_version_that_goes_is_freed_though_it_was_frozen(tmp_path):
    write(tmp_path, 1)
    repository = Repository(Loading(Looped, 0), [ModelConfig("m", tmp_path)])
    repository.start()
    gc.freeze()  # as the server does, once it has loaded what there is
    try:
        old = weakref.ref(repository.find("m")[0])
        write(tmp_path, 2)
        repository._poll()
        assert old() is None
    finally:
        gc.unfreeze()


def test_a_damaged_version_is_reported_and_the_old_one_goes_on(tmp_path):
    write(tmp_path, 1)
    repository = watched(tmp_path)
    write(tmp_path, 2, "bad")
    repository._poll()
    assert repository.find("m") == ("good", 1)
    assert repository.status("m", 2) == [
        {
            "version": "2",
            "state": "END",
            "status": {"error_code": "DATA_LOSS", "error_message": "it is bad"},
        }
    ]
    (tmp_path / "2" / "model").write_text("repaired")
    repository._poll()
    assert repository.find("m") == ("repaired", 2)


def test_a_damaged_version_is_tried_again_as_often_as_told(tmp_path):
    write(tmp_path, 1)
    repository = watched(tmp_path, max_retries=2)
    write(tmp_path, 2, "bad")
    for _ in range(9):
        repository._poll()
    assert repository.models["m"].versions[2].failures == 3


def test_versions_that_are_deleted(tmp_path):
    for version in (1, 2):
        write(tmp_path, version, "good" if version == 2 else "bad")
    repository = watched(tmp_path)
    shutil.rmtree(tmp_path / "2")
    repository._poll()  # what is left cannot be served
    assert repository.find("m") == ("good", 2)
    moved = tmp_path.rename(tmp_path.with_name("away"))
    repository._poll()  # nor can what is not there
    assert repository.find("m") == ("good", 2)
    moved.rename(tmp_path)
    shutil.rmtree(tmp_path / "1")
    repository._poll()  # recorded: no version at all, and none is served
    assert states(repository)[2] == "END"
    with pytest.raises(RequestError, match=r"Latest\(m\)"):
        repository.find("m")
    write(tmp_path, 2, "back")
    repository._poll()
    assert repository.find("m") == ("back", 2)


def test_labels_stand_for_versions(tmp_path):
    for version in (1, 2):
        write(tmp_path, version, f"number {version}")
    repository = watched(tmp_path, latest=0, labels={"stable": 1, "gone": 7})
    assert repository.find("m", label="stable") == ("number 1", 1)
    with pytest.raises(RequestError, match="Unrecognized servable version label: other"):
        repository.find("m", label="other")
    with pytest.raises(RequestError, match=r"Specific\(m, 7\)"):
        repository.find("m", label="gone")


def test_the_list_of_models_is_read_anew(tmp_path):
    for name in ("m", "n"):
        write(tmp_path / name, 1, name)
    configs = [ModelConfig("m", tmp_path / "m")]
    loading = Loading(load_text, 0)
    repository = Repository(loading, list(configs), lambda: configs, 1e-9)
    repository.start()
    configs[:] = [ModelConfig("n", tmp_path / "n")]
    repository._poll()
    assert repository.find("n") == ("n", 1)
    with pytest.raises(RequestError, match=r"Latest\(m\)"):
        repository.find("m")


def test_what_the_recorded_server_said_of_damaged_savedmodels(tmp_path):
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "saved_model.pb").write_text("garbage")
    (tmp_path / "4").mkdir()
    recorded = {}
    for entry in load():
        if entry["name"] == "dyn_after_empty_v4":
            recorded = entry["response_body"].replace("DYNAMIC", str(tmp_path))
    for version in ("3", "4"):
        with pytest.raises(RequestError) as error:
            SavedModel(tmp_path / version)
        assert error.value.message.replace("\n", "\\n") in recorded
        assert f'"error_code": "{error.value.code}"' in recorded


def models_config(tmp_path, text):
    (tmp_path / "models.config").write_text(f"model_config_list {{ {text} }}")
    return tmp_path / "models.config"


def test_a_models_config(tmp_path):
    file = models_config(
        tmp_path,
        """config { name: "a" base_path: "/m/a" model_platform: "tensorflow"
             model_version_policy { specific { versions: 1 versions: 2 } }
             version_labels { key: "stable" value: 1 } }
           config { name: "b" base_path: "/m/b" model_platform: "tensorflow"
             model_version_policy { latest { num_versions: 3 } } }
           config { name: "c" base_path: "/m/c" model_platform: "tensorflow"
             model_version_policy { all {} } }""",
    )
    first, second, third = read_models_config(file)
    assert (first.specific, first.labels) == ({1, 2}, {"stable": 1})
    assert (second.latest, third.latest) == (3, 0)


CONFIG = 'config {{ name: "{}" base_path: "{}" model_platform: "{}" }}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config { nosuch: 1 }", 'no field named "nosuch"'),
        (CONFIG.format("a", "/m", "onnx"), "unsupported platform onnx"),
        (CONFIG.format("a", "/m", ""), "Illegal setting neither"),
        (CONFIG.format("a", "m", "tensorflow"), "absolute path"),
        (CONFIG.format("a/b", "/m", "tensorflow"), "name"),
        (CONFIG.format("a", "/m", "tensorflow") * 2, "Illegal to list model a multiple times"),
    ],
)
def test_a_models_config_that_is_wrong(tmp_path, text, message):
    with pytest.raises(ServeError, match=message):
        read_models_config(models_config(tmp_path, text))


def test_batching_parameters(tmp_path):
    file = tmp_path / "batching.txt"
    file.write_text(
        "max_batch_size { value: 8 } batch_timeout_micros { value: 5 } allowed_batch_sizes: 4 "
        'allowed_batch_sizes: 8 thread_pool_name { value: "mine" }'
    )
    batching = read_batching(file, threads=3)
    assert batching == (8, 5, 10, 3, (4, 8), "mine")
    for wrong in ("max_batch_size { value: 0 }", "nosuch: 1", "pad_variable_length_inputs: true"):
        file.write_text(wrong)
        with pytest.raises(ServeError):
            read_batching(file, threads=3)


def test_monitoring_config(tmp_path):
    file = tmp_path / "monitoring.config"
    file.write_text("prometheus_config { enable: true }")
    assert read_monitoring(file) == "/monitoring/prometheus/metrics"
    file.write_text('prometheus_config { enable: true path: "/metrics" }')
    assert read_monitoring(file) == "/metrics"
    file.write_text("prometheus_config { }")
    assert read_monitoring(file) is None

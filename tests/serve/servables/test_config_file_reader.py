"""TensorFlow Serving's configuration files: what is read from them, and what is refused."""

import pytest

from kerashw.errors import ServeError
from kerashw.serve.servables.config_file_reader import (
    read_batching_parameters,
    read_models_config,
    read_monitoring_config,
)


def write_models_config(tmp_path, text):
    (tmp_path / "models.config").write_text(f"model_config_list {{ {text} }}")
    return tmp_path / "models.config"


def test_models_config(tmp_path):
    file = write_models_config(
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
        (CONFIG.format("a", "s3://b/m", "tensorflow"), "model a: s3://b/m is .* s3:// is not supp"),
        (CONFIG.format("a", "~nosuch/m", "tensorflow"), "~nosuch/m has no known home folder"),
        (CONFIG.format("a/b", "/m", "tensorflow"), "name"),
        (CONFIG.format("a", "/m", "tensorflow") * 2, "Illegal to list model a multiple times"),
    ],
)
def test_invalid_models_config(tmp_path, text, message):
    with pytest.raises(ServeError, match=message):
        read_models_config(write_models_config(tmp_path, text))


@pytest.mark.parametrize("path", ["~/models/m", "file://{home}/models/m", "{home}/models/m"])
def test_a_base_path_may_be_in_the_home_folder_or_a_url(tmp_path, monkeypatch, path):
    monkeypatch.setenv("HOME", str(tmp_path))
    text = CONFIG.format("m", path.format(home=tmp_path), "tensorflow")
    (model,) = read_models_config(f"file://{write_models_config(tmp_path, text)}")
    assert model.base_path == tmp_path / "models" / "m"


def test_a_configuration_file_on_another_machine():
    with pytest.raises(ServeError, match=r"gs://b/models\.config is not on this machine"):
        read_models_config("gs://b/models.config")


def test_batching_parameters(tmp_path):
    file = tmp_path / "batching.txt"
    file.write_text(
        "max_batch_size { value: 8 } batch_timeout_micros { value: 5 } allowed_batch_sizes: 4 "
        'allowed_batch_sizes: 8 thread_pool_name { value: "mine" }'
    )
    parameters = read_batching_parameters(file, threads=3)
    assert parameters == (8, 5, 10, 3, (4, 8), "mine")
    for wrong in ("max_batch_size { value: 0 }", "nosuch: 1", "pad_variable_length_inputs: true"):
        file.write_text(wrong)
        with pytest.raises(ServeError):
            read_batching_parameters(file, threads=3)


def test_monitoring_config(tmp_path):
    file = tmp_path / "monitoring.config"
    file.write_text("prometheus_config { enable: true }")
    assert read_monitoring_config(file) == "/monitoring/prometheus/metrics"
    file.write_text('prometheus_config { enable: true path: "/metrics" }')
    assert read_monitoring_config(file) == "/metrics"
    file.write_text("prometheus_config { }")
    assert read_monitoring_config(file) is None

"""The containers' configuration: it fits TensorFlow Serving, and `kerashw.serve` follows it."""

import contextlib
import json
import re
import signal
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from kerashw.serve import flags
from kerashw.serve.servables import config_file_reader
from tests.serve.processes import read_response, wait_until
from tests.serving.serving_files import (
    CONFIG,
    MODELS,
    compose_flags,
    container,
    flag,
    models_config,
)

# The flags that tensorflow_model_server does not have.
OWN_FLAGS = {"--host", "--keep_alive_timeout_in_ms", "--max_connections", "--max_body_bytes"}
OWN_FLAGS |= {"--help", "-h"}


def test_models_config_fits_tensorflow_serving():
    text = (CONFIG / "models.config").read_text(encoding="utf-8")
    parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    listed = parsed.model_config_list.config
    assert sorted(model.name for model in listed) == sorted(MODELS)
    for model in listed:
        assert model.base_path == f"/models/{model.name}"
        assert model.model_platform == "tensorflow"
        versions = model.model_version_policy.specific.versions
        assert set(model.version_labels.values()) <= set(versions)


def test_batching_and_monitoring_configs_fit_tensorflow_serving():
    batching = config_file_reader.read_batching_parameters(CONFIG / "batching.config", threads=None)
    assert batching == config_file_reader.BatchingParameters(64, 1000, 100, 2)
    assert (
        config_file_reader.read_monitoring_config(CONFIG / "monitoring.config")
        == config_file_reader.PROMETHEUS_PATH
    )


def test_every_flag_is_one_of_tensorflow_serving():
    known = set(flags.create_parser()._option_string_actions) - OWN_FLAGS
    for given in (compose_flags(), container()["args"]):
        flags.parse(given)  # checks the values
        assert {each.partition("=")[0] for each in given} <= known


def test_docker_and_kubernetes_use_the_same_flags():
    # In Kubernetes, a changed file causes a rollout, and there are several servers to connect to.
    other = ("--model_config_file_poll_wait_seconds=", "--grpc_channel_arguments=")
    docker, kubernetes = (
        [each for each in flags if not each.startswith(other)]
        for flags in (compose_flags(), container()["args"])
    )
    assert docker == kubernetes


def test_every_model_predicts_like_its_savedmodel(server, exports, data):
    images = data.test_images[:40]
    for name in MODELS:
        served = tf.saved_model.load(exports / name / "1").signatures["pixels"]
        expected = served(image=tf.constant(images))
        request = {"signature_name": "pixels", "inputs": {"image": images.tolist()}}
        status, answer = server.post(f"/v1/models/{name}:predict", request)
        assert status == 200
        outputs = answer["outputs"]
        np.testing.assert_allclose(outputs["probabilities"], expected["probabilities"], atol=1e-5)
        np.testing.assert_array_equal(outputs["class"], expected["class"])


def read_metric(server, name, **labels):
    """Return the value of a metric; 0 if it does not exist yet."""
    _, page, _ = server.request("GET", metrics_path())
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    found = re.search(
        rf"^:tensorflow:serving:{name}{{{inner}}} (\S+)$", page.decode(), re.MULTILINE
    )
    return float(found[1]) if found else 0


def metrics_path():
    return config_file_reader.read_monitoring_config(CONFIG / "monitoring.config")


@contextlib.contextmanager
def paused(process):
    """Stop a process, and let it continue at the end."""
    process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: "State:\tT" in Path(f"/proc/{process.pid}/status").read_text())
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def test_concurrent_requests_share_calls(server, data):
    def calls():
        return read_metric(server, "batching_session:wrapped_run_count")

    def waited():
        return read_metric(server, "batching_session:queuing_latency_count", **pool)

    pool = {"thread_pool_name": config_file_reader.BatchingParameters().thread_pool_name}
    images = data.test_images[:60]
    before = calls(), waited()
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(server.connect()) for _ in images]
        requests = []
        for image in images:
            body = json.dumps({"signature_name": "pixels", "instances": [image.tolist()]})
            head = "POST /v1/models/softmax:predict HTTP/1.1\r\nHost: localhost\r\n"
            requests.append(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        with paused(server.process):  # so that the server receives all requests at once
            for connection, request in zip(sockets, requests, strict=True):
                connection.sendall(request)
        found = []
        for connection in sockets:
            status, response, _ = read_response(connection)
            assert status == 200
            found.append(json.loads(response)["predictions"][0]["class"])
    body = {"signature_name": "pixels", "instances": images.tolist()}
    _, together = server.post("/v1/models/softmax:predict", body)
    assert found == [each["class"] for each in together["predictions"]]
    assert waited() - before[1] == len(images) + 1
    assert calls() - before[0] < len(images)


def test_a_new_version_is_loaded_and_unloaded_as_the_file_says(server, exports, config, data):
    body = {"signature_name": "pixels", "instances": data.test_images[:1].tolist()}

    def predict(path):
        return server.post(f"/v1/models/{path}:predict", body)

    def label(name):
        return predict(f"convnet/labels/{name}")

    first, other = predict("convnet/versions/1"), predict("softmax")  # softmax is version 2
    assert first[0] == other[0] == 200
    assert first != other
    assert server.states("convnet") == {1: "AVAILABLE"}
    assert label("stable") == first
    assert label("canary")[0] == 400

    given = models_config(exports)
    canary = given.replace("{ versions: 1 }", "{ versions: 1 versions: 2 }").replace(
        'version_labels { key: "stable" value: 1 }',
        'version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 2 }',
    )
    assert canary.count("canary") > given.count("canary")
    config.write_text(canary, encoding="utf-8")
    wait_until(lambda: label("canary")[0] == 200)
    assert (label("stable"), label("canary")) == (first, other)
    config.write_text(canary.replace('"stable" value: 1', '"stable" value: 2'), encoding="utf-8")
    wait_until(lambda: label("stable") == other)
    config.write_text(given, encoding="utf-8")
    wait_until(lambda: label("canary")[0] == 400)
    assert label("stable") == first
    wait_until(lambda: server.states("convnet") == {2: "END", 1: "AVAILABLE"})


def test_all_users_can_read_the_exports(exports):
    # The user of the containers does not own the files.
    for path in (exports / "convnet").rglob("*"):
        wanted = 0o5 if path.is_dir() else 0o4
        assert path.stat().st_mode & wanted == wanted, path


def test_the_paths_in_the_flags_are_mounted_files():
    for given in (compose_flags(), container()["args"]):
        for name in ("model_config_file", "batching_parameters_file", "monitoring_config_file"):
            folder, _, file = flag(given, name).rpartition("/")
            assert folder == "/etc/serving"
            assert (CONFIG / file).is_file()

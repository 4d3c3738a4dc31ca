"""The methods of the model service: the states of versions, and a new list of models."""

import threading

import pytest
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

from kerashw.serve.servables.config_file_reader import ModelConfig
from kerashw.serve.servables.model_registry import ModelRegistry
from kerashw.serve.servables.model_version import LoadSettings
from tests.serve.grpc_server.in_process import serving
from tests.serve.servables.text_models import load_text, write

State = get_model_status_pb2.ModelVersionStatus.State


@pytest.fixture
def registry(tmp_path):
    """A registry of the model `a`. There is a model `b` too."""
    for name in ("a", "b"):
        write(tmp_path / name, 1)
    registry = ModelRegistry(LoadSettings(load_text), [ModelConfig("a", tmp_path / "a")])
    registry.start()
    yield registry
    registry.stop()


@pytest.fixture
def client(registry):
    with serving(registry) as (_, client):
        yield client


def config(path, *names, **labels):
    """A request to serve models, with labels of the last one."""
    request = model_management_pb2.ReloadConfigRequest()
    models = request.config.model_config_list.config
    for name in names:
        models.add(name=name, base_path=str(path / name), model_platform="tensorflow")
    models[-1].version_labels.update(labels)
    return request


def states(client, name, **spec):
    request = get_model_status_pb2.GetModelStatusRequest(model_spec={"name": name, **spec})
    response = client.call("GetModelStatus", request)
    return {each.version: State.Name(each.state) for each in response.model_version_status}


def test_states(client):
    assert states(client, "a") == states(client, "a", version={"value": 1}) == {1: "AVAILABLE"}
    request = get_model_status_pb2.GetModelStatusRequest()
    assert client.fail("GetModelStatus", request) == ("INVALID_ARGUMENT", "Missing ModelSpec")
    request.model_spec.name = "b"
    message = "Could not find any versions of model b"
    assert client.fail("GetModelStatus", request) == ("NOT_FOUND", message)


def test_a_new_list_of_models_is_applied_before_the_answer(client, tmp_path):
    response = client.call("HandleReloadConfigRequest", config(tmp_path, "a", "b", stable=1))
    assert response.status.error_code == 0
    assert states(client, "a") == states(client, "b") == {1: "AVAILABLE"}
    client.call("HandleReloadConfigRequest", config(tmp_path, "b"))
    request = get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "a"})
    assert client.fail("GetModelStatus", request)[0] == "NOT_FOUND"


def test_lists_that_are_refused_change_nothing(client, tmp_path):
    for request, message in {
        "neither": (model_management_pb2.ReloadConfigRequest(), "ServerModelConfig type not"),
        "missing": (config(tmp_path, "a", "nosuch"), "Could not find base path"),
        "twice": (config(tmp_path, "b", "b"), "Illegal to list model b multiple times"),
    }.values():
        code, received = client.fail("HandleReloadConfigRequest", request)
        assert code == "INVALID_ARGUMENT"
        assert message in received
        assert states(client, "a") == {1: "AVAILABLE"}


def test_one_of_several_workers_refuses_a_list(registry, tmp_path):
    with serving(registry, can_reload=False) as (_, client):
        code, message = client.fail("HandleReloadConfigRequest", config(tmp_path, "b"))
    assert code == "FAILED_PRECONDITION"
    assert "--workers=1" in message
    assert set(registry.models) == {"a"}


def test_models_and_labels_that_are_not_available(client, tmp_path):
    request = config(tmp_path, "a", stable=7)
    message = (
        "Request to assign label to version 7 of model a, which is not currently available for "
        "inference"
    )
    received = client.fail("HandleReloadConfigRequest", request)
    assert received == ("FAILED_PRECONDITION", message)
    write(tmp_path / "c", 1, "bad")
    code, message = client.fail("HandleReloadConfigRequest", config(tmp_path, "b", "c"))
    assert code == "UNKNOWN"
    assert message == (
        "1 servable(s) did not become available: {{{name: c version: 1} due to error: "
        "DATA_LOSS: it is bad}, }"
    )
    assert states(client, "b") == {1: "AVAILABLE"}


def test_lists_may_arrive_at_the_same_time(registry, tmp_path):
    """Each caller finds its own list applied, also while the registry polls."""
    lists = [
        [ModelConfig(name, tmp_path / name) for name in names] for names in ("a", "b", "ab", "ba")
    ]
    threads = [threading.Thread(target=registry.reload, args=[each]) for each in lists * 2]
    for thread in threads:
        thread.start()
        registry.poll()
    for thread in threads:
        thread.join()
    assert all(registry.find(name)[1] == 1 for name in registry.models)
    assert set(registry.models) in ({"a"}, {"b"}, {"a", "b"})

"""gRPC answers what the recorded server answers over REST: the same tensors, or the same failure.

Each recording whose JSON stands for tensors or examples is sent as messages.
"""

import grpc
import pytest
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_status_pb2,
    input_pb2,
    model_pb2,
    regression_pb2,
)

from kerashw.serve.api.classify_and_regress_request import read_examples
from kerashw.serve.api.predict_request import predict_inputs, read_predict_request
from kerashw.serve.api.predict_response import predict_response
from kerashw.serve.api.request_body import read_request
from kerashw.serve.api.routes import is_valid_target, match_route
from kerashw.serve.api.status_codes import HTTP_STATUS, RequestError
from kerashw.serve.grpc_server.tensor_protos import type_name, write_tensor
from tests.serve.grpc_server.calls import predict_request
from tests.serve.recordings import agree, content, load, loaded
from tests.serve.test_conformance import documented

# The numbers of recordings that have such a twin.
COUNTS = {"predict": 105, "classify": 14, "regress": 6, "status": 12, "metadata": 7}


def spec_of(route, signature=""):
    spec = model_pb2.ModelSpec(name=route.model, signature_name=signature or "")
    if route.version is not None:
        spec.version.value = route.version
    if route.label is not None:
        spec.version_label = route.label
    return spec


def json_of(message):
    """A message as REST writes it."""
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def status(client, route, body):
    request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec_of(route))
    return json_of(client.call("GetModelStatus", request))


def metadata(client, route, body):
    signatures = client.signatures(spec_of(route))
    return {name: json_of(signature) for name, signature in signatures.items()}


def predict(client, route, body):
    request = read_predict_request(body)
    signature = request.get("signature_name") or ""
    signature_def = client.signatures(spec_of(route)).get(signature or "serving_default")
    tensors, protos = {}, {}
    if signature_def:
        types = {name: type_name(info.dtype) for name, info in sorted(signature_def.inputs.items())}
        tensors, row_format = predict_inputs(request, types)
        protos = {name: tf.make_tensor_proto(tensor) for name, tensor in tensors.items()}
    message = predict_request(route.model, protos, signature)
    message.model_spec.MergeFrom(spec_of(route))
    outputs = client.call("Predict", message).outputs
    for name, tensor in tensors.items():  # once more, as values in fields
        message.inputs[name].Clear()
        write_tensor(tensor, message.inputs[name])
    again = client.call("Predict", message).outputs
    assert texts(again) == texts(outputs)
    arrays = {name: tf.make_ndarray(outputs[name]) for name in sorted(outputs)}
    return loaded(predict_response(arrays, row_format))


def texts(outputs):
    """Outputs as texts, in which NaN is equal to itself."""
    return {name: str(proto) for name, proto in outputs.items()}


def classify(client, route, body):
    message = classification_pb2.ClassificationRequest(**examples(route, body))
    response = client.call("Classify", message)
    rows = response.result.classifications
    return {"results": [[[each.label, each.score] for each in row.classes] for row in rows]}


def regress(client, route, body):
    message = regression_pb2.RegressionRequest(**examples(route, body))
    response = client.call("Regress", message)
    return {"results": [each.value for each in response.result.regressions]}


def examples(route, body):
    request = read_request(body)
    proto = input_pb2.Input()
    for example in read_examples(request):
        proto.example_list.examples.add().ParseFromString(example)
    return {"model_spec": spec_of(route, request.get("signature_name")), "input": proto}


TWINS = {
    "status": status,
    "metadata": metadata,
    "predict": predict,
    "classify": classify,
    "regress": regress,
}


def expected_json(entry, action):
    """The part of a recorded response that gRPC's response has too."""
    expected = loaded(content(entry, "response_body"))
    if action == "metadata":
        return expected["metadata"]["signature_def"]["signature_def"]
    return expected


def route_of(entry):
    """The route of a recorded request, or None if its path is not valid."""
    if not is_valid_target(entry["path"]):
        return None
    try:
        return match_route(entry["method"], entry["path"])
    except RequestError:
        return None


def recordings(action):
    for entry in load():
        route = route_of(entry)
        if entry["server"] != "default" or entry["name"] in documented():
            continue
        if route and route.model and route.action == action:
            yield entry, route


@pytest.mark.parametrize("action", TWINS)
def test_responses_are_as_recorded(action, client):
    unexpected, count = {}, 0
    for entry, route in recordings(action):
        try:
            received = TWINS[action](client, route, content(entry, "request_body"))
        except RequestError:  # the JSON stands for no tensors
            continue
        except grpc.RpcError as error:
            count += 1
            if HTTP_STATUS[error.code().name] != entry["status"]:
                unexpected[entry["name"]] = entry["status"], error.code(), error.details()
            continue
        count += 1
        if entry["status"] != 200 or not agree(received, expected_json(entry, action)):
            unexpected[entry["name"]] = entry["status"], received
    assert not unexpected
    assert count == COUNTS[action]

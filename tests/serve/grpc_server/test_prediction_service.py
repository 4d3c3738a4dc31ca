"""The methods of the prediction service: what they return, and how they fail."""

import asyncio

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    input_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from kerashw.serve.grpc_server.predict_request import PredictRequest
from kerashw.serve.grpc_server.tensor_protos import write_tensor
from tests.serve.grpc_server.calls import predict_request
from tests.serve.grpc_server.in_process import Registry

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
X = np.float32([1, 2, 5])
HALF_PLUS_TWO = [2.5, 3, 4.5]


def example(**features):
    """A `tf.train.Example` with floats."""
    feature = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=values))
        for name, values in features.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature))


def example_list(*examples):
    return input_pb2.Input(example_list=input_pb2.ExampleList(examples=examples))


def task(name, signature, method):
    spec = model_pb2.ModelSpec(name=name, signature_name=signature)
    return inference_pb2.InferenceTask(model_spec=spec, method_name=method)


def test_a_response_names_what_answered_and_has_typed_values(client):
    response = client.call("Predict", predict_request("half_plus_two", {"x": X}))
    assert response.outputs["y"].float_val == HALF_PLUS_TWO
    assert not response.outputs["y"].tensor_content
    spec = response.model_spec
    assert (spec.name, spec.version.value) == ("half_plus_two", 123)
    assert spec.signature_name == "serving_default"


def test_versions_and_labels(client):
    image = np.zeros((1, 28, 28, 1), np.float32)
    for spec, version in [({"version": 1}, 1), ({"label": "canary"}, 2), ({}, 2)]:
        response = client.call("Predict", predict_request("fashion", {"image": image}, **spec))
        assert response.model_spec.version.value == version


def test_an_output_filter_selects_outputs(client):
    x = {"x": np.float32([1, 2])}
    everything = client.predict("types", x, signature="mixed")
    assert set(everything) == {"n", "y"}
    for name, output in everything.items():
        filtered = client.predict("types", x, signature="mixed", output_filter=[name])
        assert filtered.keys() == {name}
        assert np.array_equal(filtered[name], output)


ECHOES = {
    **{"f16": np.float16, "f32": np.float32, "f64": np.float64, "bf16": tf.bfloat16.as_numpy_dtype},
    **{"i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64, "bool": np.bool_},
    **{"u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64, "c64": np.complex64},
    "string": np.object_,
}


@pytest.mark.parametrize("signature", ECHOES)
def test_tensors_of_each_type_in_both_encodings(signature, client):
    values = [b"", b"\0\xff"] if signature == "string" else [0, 1, 3]
    array = np.array(values, ECHOES[signature])
    typed = tensor_pb2.TensorProto()
    write_tensor(array, typed)
    responses = [
        client.predict("types", {"x": x}, signature=signature)["y"].tolist() for x in (array, typed)
    ]
    assert responses == [array.tolist()] * 2


def test_a_value_stands_for_all_that_follow(client):
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[1, 2])
    proto.tensor_shape.dim.add(size=4)
    outputs = client.predict("half_plus_two", {"x": proto})
    assert outputs["y"].tolist() == [2.5, 3, 3, 3]


def bad_proto(**fields):
    return tensor_pb2.TensorProto(**{"dtype": types_pb2.DT_FLOAT, **fields})


def dims(*sizes):
    return {"dim": [{"size": size} for size in sizes]}


PARSING = "tensor parsing error: x"
FAILURES = {
    "model": (
        predict_request("nosuch", {"x": X}),
        "NOT_FOUND",
        "Servable not found for request: Latest(nosuch)",
    ),
    "version": (
        predict_request("half_plus_two", {"x": X}, version=9),
        "NOT_FOUND",
        "Servable not found for request: Specific(half_plus_two, 9)",
    ),
    "label": (
        predict_request("fashion", {"image": X}, label="nosuch"),
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: nosuch",
    ),
    "no_spec": (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    "no_name": (predict_request("", {}), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    "signature": (
        predict_request("half_plus_two", {"x": X}, "nosuch"),
        "FAILED_PRECONDITION",
        'Serving signature key "nosuch" not found.',
    ),
    "no_input": (
        predict_request("types", {}, "two"),
        "INVALID_ARGUMENT",
        "input size does not match signature: 0!=2 len({}) != len({a,b}). Sent extra: {}. "
        "Missing but required: {a,b}.",
    ),
    "extra_input": (
        predict_request("half_plus_two", {"x": X, "z": X}),
        "INVALID_ARGUMENT",
        "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. "
        "Missing but required: {}.",
    ),
    "other_input": (
        predict_request("half_plus_two", {"z": X}),
        "INVALID_ARGUMENT",
        "Signature input alias: x(feed name: x:0) not found in request and no default value "
        "provided. Inputs expected to be in the request {z}, or default input alias set: ",
    ),
    "type": (
        predict_request("half_plus_two", {"x": np.float64([1])}),
        "INVALID_ARGUMENT",
        "Expects arg[0] to be float but double is provided: input x",
    ),
    "unknown_type": (
        predict_request("half_plus_two", {"x": bad_proto(dtype=9999)}),
        "INVALID_ARGUMENT",
        "Expects arg[0] to be float but unknown type 9999 is provided: input x",
    ),
    "output": (
        predict_request("half_plus_two", {"x": X}, output_filter=["z"]),
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: z Outputs expected to be in the set {y}.",
    ),
    "outputs": (
        predict_request("half_plus_two", {"x": X}, output_filter=["y", "y"]),
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: y",
    ),
    "content": (
        predict_request("half_plus_two", {"x": bad_proto(tensor_content=b"123456789")}),
        "INVALID_ARGUMENT",
        PARSING,
    ),
    "short": (
        predict_request(
            "half_plus_two", {"x": bad_proto(tensor_content=bytes(8), tensor_shape=dims(3))}
        ),
        "INVALID_ARGUMENT",
        PARSING,
    ),
    "negative": (
        predict_request("half_plus_two", {"x": bad_proto(tensor_shape=dims(-1))}),
        "INVALID_ARGUMENT",
        PARSING,
    ),
    "huge": (
        predict_request(
            "half_plus_two", {"x": bad_proto(tensor_shape=dims(2**31, 2**31), float_val=[1])}
        ),
        "INVALID_ARGUMENT",
        PARSING,
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_requests_to_predict_that_fail(case, client):
    request, code, message = FAILURES[case]
    received = client.fail("Predict", request)
    assert received[0] == code
    assert received[1].startswith(message) if message == PARSING else received[1] == message


def test_an_input_with_a_default_may_be_missing():
    registry = Registry()
    signature = registry.signatures["serving_default"]
    signature.signature_def.defaults["x"].CopyFrom(tf.make_tensor_proto(X))
    request = PredictRequest(predict_request("m", {}), registry, 100)
    request.read()
    assert request.tensors["x"].tolist() == X.tolist()


def test_bytes_that_are_no_message(client):
    call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError) as error:
        call(b"\xff")
    assert error.value.code() == grpc.StatusCode.INTERNAL
    assert error.value.details() == "The request is not a valid PredictRequest"


def test_classify_and_regress(client):
    spec = model_pb2.ModelSpec(name="classes")
    request = classification_pb2.ClassificationRequest(model_spec=spec)
    assert client.fail("Classify", request) == ("INVALID_ARGUMENT", "Input is empty.")
    request.input.example_list_with_context.examples.append(example())
    request.input.example_list_with_context.context.CopyFrom(example(x=[1, 2]))
    response = client.call("Classify", request)
    assert response.model_spec.signature_name == "serving_default"
    [row] = response.result.classifications
    assert [(each.label, each.score) for each in row.classes] == [
        ("cat", 1),
        ("dog", 4),
        ("bird", 0),
    ]
    request = regression_pb2.RegressionRequest(
        model_spec=model_pb2.ModelSpec(name="half_plus_two", signature_name="regress_x_to_y"),
        input=example_list(example(x=[1]), example(x=[2])),
    )
    response = client.call("Regress", request)
    assert [each.value for each in response.result.regressions] == [2.5, 3]
    assert response.model_spec.version.value == 123
    request.model_spec.signature_name = "nosuch"
    message = "No signature was found with the name: nosuch"
    assert client.fail("Regress", request) == ("INVALID_ARGUMENT", message)
    assert client.fail("Regress", regression_pb2.RegressionRequest())[1] == "Missing ModelSpec"


def test_multi_inference(client):
    tasks = [
        task("half_plus_two", "classify_x_to_y", CLASSIFY),
        task("half_plus_two", "regress_x_to_y2", REGRESS),
    ]
    examples = example_list(example(x=[1], x2=[3]), example(x=[2], x2=[4]))
    request = inference_pb2.MultiInferenceRequest(tasks=tasks, input=examples)
    classified, regressed = client.call("MultiInference", request).results
    rows = classified.classification_result.classifications
    assert [[each.score for each in row.classes] for row in rows] == [[2.5], [3]]
    alone = regression_pb2.RegressionRequest(model_spec=tasks[1].model_spec, input=examples)
    assert regressed.regression_result == client.call("Regress", alone).result
    for result, signature in ((classified, "classify_x_to_y"), (regressed, "regress_x_to_y2")):
        assert result.model_spec.signature_name == signature
        assert result.model_spec.version.value == 123


MULTI_INFERENCE_FAILURES = [
    ([], "ModelSpec has no name specified."),
    ([("classes", "", CLASSIFY), ("", "", CLASSIFY)], "Found ModelSpec with an empty model name."),
    (
        [("classes", "", CLASSIFY), ("types", "", CLASSIFY)],
        "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
    ),
    (
        [("classes", "", CLASSIFY), ("classes", "serving_default", CLASSIFY)],
        "Duplicate evaluation of signature: serving_default",
    ),
    ([("classes", "nosuch", CLASSIFY)], "Requested signature not found in model graph: nosuch"),
    ([("classes", "", "x")], "Unsupported signature method_name: x"),
    ([("half_plus_two", "", REGRESS)], "No regression inputs found in SignatureDef: "),
    ([("classes", "", CLASSIFY)], "Input is empty."),
]


@pytest.mark.parametrize(("tasks", "message"), MULTI_INFERENCE_FAILURES)
def test_multi_inference_that_fails(tasks, message, client):
    request = inference_pb2.MultiInferenceRequest(tasks=[task(*each) for each in tasks])
    code, received = client.fail("MultiInference", request)
    assert received.startswith(message)
    codes = {"Unsupported": "UNIMPLEMENTED", "No": "FAILED_PRECONDITION"}
    assert code == codes.get(message.split()[0], "INVALID_ARGUMENT")


def test_requests_for_metadata_that_fail(client):
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    assert client.fail("GetModelMetadata", request)[1] == "Missing ModelSpec"
    request.model_spec.name = "nosuch"
    message = "GetModelMetadataRequest must specify at least one metadata_field"
    assert client.fail("GetModelMetadata", request) == ("INVALID_ARGUMENT", message)
    request.metadata_field.append("signature_def")
    assert client.fail("GetModelMetadata", request)[0] == "NOT_FOUND"
    request.metadata_field.append("nosuch")
    message = "Metadata field nosuch is not supported"
    assert client.fail("GetModelMetadata", request) == ("INVALID_ARGUMENT", message)


def test_metrics(client, server):
    client.predict("half_plus_two", {"x": X})
    client.fail("Predict", predict_request("invented_by_grpc", {"x": X}))
    page = server.request("GET", "/monitoring/prometheus/metrics")[1].decode()
    labels = 'model_name="half_plus_two",API="Predict",entrypoint="GRPC"'
    assert f":tensorflow:serving:request_latency_count{{{labels}}}" in page
    assert "invented_by_grpc" not in page


@pytest.mark.parametrize("count", [2000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_concurrent_requests_get_their_own_responses(count, server):
    async def one(stub, number):
        if number % 10 == 0:
            with pytest.raises(grpc.aio.AioRpcError, match=rf"Latest\(m{number}\)"):
                await stub.Predict(predict_request(f"m{number}", {}))
            return True
        x = np.float32([number] * (number % 7 + 1))
        outputs = (await stub.Predict(predict_request("half_plus_two", {"x": x}))).outputs
        return outputs["y"].float_val == (x / 2 + 2).tolist()

    async def client(stub, numbers):
        return all([await one(stub, number) for number in numbers])

    async def clients():
        async with grpc.aio.insecure_channel(server.grpc_address) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            numbers = iter(range(count))
            return await asyncio.gather(*(client(stub, numbers) for _ in range(32)))

    assert all(asyncio.run(clients()))

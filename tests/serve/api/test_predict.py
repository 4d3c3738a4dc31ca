"""Predict requests and responses: any tensor survives both ways, and any text has a response."""

import base64
import json

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kerashw.serve.api.predict_request import predict_inputs
from kerashw.serve.api.predict_response import predict_response
from kerashw.serve.api.request_body import read_request
from kerashw.serve.api.status_codes import RequestError, error_response
from kerashw.serve.json_text.dtypes import NUMPY_TYPES
from tests.serve.json_text.strategies import DTYPES, JSON, assert_same, tensors


def inputs_of(request, types):
    """The tensors of a request, which is a Python object."""
    inputs, _ = predict_inputs(read_request(json.dumps(request).encode()), types)
    return inputs


def request_with(outputs, row_format):
    """A response as the body of the request that has the same tensors."""
    response = predict_response(outputs, row_format)
    return response.replace(b'{"predictions":', b'{"instances":').replace(
        b'{"outputs":', b'{"inputs":'
    )


@given(st.data(), DTYPES, st.booleans())
def test_any_tensor_survives_json_in_columns(data, dtype, single):
    outputs = {"x_bytes" if dtype == "string" else "x": data.draw(tensors(dtype))}
    if not single:
        outputs["other"] = data.draw(tensors("int32"))
    types = {key: dtype if key != "other" else "int32" for key in outputs}
    request = read_request(request_with(outputs, row_format=False))
    inputs, row_format = predict_inputs(request, types)
    assert not row_format
    for key, array in outputs.items():
        # JSON has no dimensions after the first one of size 0.
        if array.size or array.ndim < 2:
            assert_same(inputs[key], array)


@given(st.data(), DTYPES, st.booleans())
def test_any_tensor_survives_json_in_rows(data, dtype, single):
    shapes = arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)
    outputs = {"x_bytes" if dtype == "string" else "x": data.draw(tensors(dtype, shapes))}
    size = len(next(iter(outputs.values())))
    if not single:
        outputs["other"] = data.draw(tensors("double", st.just((size, 2))))
    types = {key: dtype if key != "other" else "double" for key in outputs}
    request = read_request(request_with(outputs, row_format=True))
    inputs, row_format = predict_inputs(request, types)
    assert row_format
    for key, array in outputs.items():
        assert_same(inputs[key], array)


KEYS = st.sampled_from(["instances", "inputs", "examples", "context", "signature_name", "x"])


@given(st.dictionaries(KEYS, JSON, max_size=3), DTYPES)
def test_any_request_has_tensors_or_an_error(request, dtype):
    try:
        assert inputs_of(request, {"x": dtype})["x"].dtype == NUMPY_TYPES[dtype]
    except RequestError as error:
        error_response(error).decode("utf-8")


@given(st.floats(width=32, allow_subnormal=False), st.floats(allow_subnormal=False))
def test_floats_are_read_back_as_they_were(single, double):
    response = predict_response({"x": np.float32([single]), "y": np.array([double])}, False)
    outputs = json.loads(response)["outputs"]
    np.testing.assert_array_equal(np.float32(outputs["x"]), np.float32([single]))
    np.testing.assert_array_equal(outputs["y"], [double])


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("uint8", [-5, 300], [251, 44]),  # these three types wrap around
        ("int8", [130, -130], [-126, 126]),
        ("int16", [40000], [-25536]),
        ("float", [1e39, 1e-45, -0.0], [np.inf, 0.0, 0.0]),
        ("double", [5e-324], [0.0]),
    ],
)
def test_numbers_out_of_range(dtype, values, expected):
    inputs = inputs_of({"inputs": values}, {"x": dtype})
    np.testing.assert_array_equal(inputs["x"], expected)


def test_bfloat16_is_rounded():
    inputs = inputs_of({"inputs": [1.001953125]}, {"x": "bfloat16"})
    assert inputs["x"] == ml_dtypes.bfloat16(1.001953125)


@given(st.binary(max_size=20), st.sampled_from(["", "\n", " "]))
def test_base64_with_spaces_and_without_padding(data, space):
    text = base64.b64encode(data).decode()
    for variant in (text, text.rstrip("="), space.join(text)):
        inputs = inputs_of({"instances": [{"b64": variant}]}, {"x": "string"})
        assert inputs["x"].tolist() == [data]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'"a"', 'JSON Value: "a" Is not object'),
        (b"null", "JSON Value: null Is not object"),
        (b"[1e21, 1e20, 1e-7, 0.000001]", "[1e21, 100000000000000000000.0, 1e-7, 0.000001] Is not"),
        (b'{"a": "b', "Missing a closing quotation mark in string. at offset: 8"),
        (b'{"a": "\n"}', "Invalid encoding in string. at offset: 7"),
        (b'{"a": 1e400}', "Number too big to be stored in double. at offset: 6"),
        (b'{"a": ' + b"9" * 400 + b"}", "Number too big to be stored in double. at offset: 6"),
        (b'{"a": Infinit}', "Invalid value. at offset: 13"),
        (b"[" * 10_000, "More than 256 nested values. at offset: 256"),
        (b'{"instances": [1], "inputs": [1]}', "expecting only one of 'inputs' or 'instances'"),
        (b'{"instances": [1, {"x": 1}]}', "Expecting value/list but got object at item 1"),
    ],
)
def test_errors_name_the_cause(body, message):
    with pytest.raises(RequestError) as error:
        predict_inputs(read_request(body), {"x": "float"})
    assert message in error.value.message

"""The protocol as pure functions: any tensor there and back, and no text that breaks it."""

import base64
import json

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kerashw.serve.api import predict
from kerashw.serve.api.routes import route
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.json_array_reader import read_regular
from kerashw.serve.json_text.json_error_locator import Collector
from kerashw.serve.json_text.json_reader import _Reader, read_json
from kerashw.serve.json_text.tensors import NUMPY_TYPES, tensor_of_regular

SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def tensors(name, shapes=SHAPES):
    """Arrays of one of TensorFlow's types."""
    dtype = NUMPY_TYPES[name]
    if name == "string":
        elements = st.binary(max_size=8)
        return arrays.arrays(object, shapes, elements=elements, fill=st.nothing())
    if name == "bfloat16":
        wide = st.floats(width=16, allow_subnormal=False)
        return arrays.arrays(np.float32, shapes, elements=wide).map(lambda a: a.astype(dtype))
    if dtype.kind == "f":
        elements = st.floats(width=8 * dtype.itemsize, allow_subnormal=False)
        return arrays.arrays(dtype, shapes, elements=elements)
    return arrays.arrays(dtype, shapes)


def question(outputs, rows):
    """An answer as the request that has the same tensors."""
    answer = predict.predict_answer(outputs, rows)
    return answer.replace(b'{"predictions":', b'{"instances":').replace(
        b'{"outputs":', b'{"inputs":'
    )


def assert_same(one, other):
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    if one.dtype == object:
        assert one.tolist() == other.tolist()
    else:
        wide = [np.float64 if a.dtype.kind not in "biu" else a.dtype for a in (one, other)]
        np.testing.assert_array_equal(one.astype(wide[0]), other.astype(wide[1]))


@given(st.data(), st.sampled_from(sorted(NUMPY_TYPES)), st.booleans())
def test_any_tensor_survives_json_in_columns(data, name, single):
    outputs = {"x_bytes" if name == "string" else "x": data.draw(tensors(name))}
    if not single:
        outputs["other"] = data.draw(tensors("int32"))
    types = {key: name if key != "other" else "int32" for key in outputs}
    request = predict.read_request(question(outputs, rows=False))
    inputs, rows = predict.predict_inputs(request, types)
    assert not rows
    for key, array in outputs.items():
        # Of a tensor without elements JSON has no dimensions after the first empty one.
        if array.size or array.ndim < 2:
            assert_same(inputs[key], array)


@given(st.data(), st.sampled_from(sorted(NUMPY_TYPES)), st.booleans())
def test_any_tensor_survives_json_in_rows(data, name, single):
    shapes = arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)
    outputs = {"x_bytes" if name == "string" else "x": data.draw(tensors(name, shapes))}
    size = len(next(iter(outputs.values())))
    if not single:
        outputs["other"] = data.draw(tensors("double", st.just((size, 2))))
    types = {key: name if key != "other" else "double" for key in outputs}
    request = predict.read_request(question(outputs, rows=True))
    inputs, rows = predict.predict_inputs(request, types)
    assert rows
    for key, array in outputs.items():
        assert_same(inputs[key], array)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([*sorted(NUMPY_TYPES), "complex64"]))
def test_the_quick_way_and_the_close_look_see_the_same_tensor(value, dtype):
    quick = tensor_of_regular(value, dtype)
    collector = Collector(dtype)
    try:
        collector.add(value)
        close = collector.tensor()
    except (RequestError, KeyError):
        close = None
    if quick is not None and not (isinstance(value, list) and not quick.size):
        assert close is not None
        assert_same(quick, close)


@given(JSON)
def test_both_readers_read_the_same(value):
    text = json.dumps(value).encode()
    try:
        exact = _Reader(text).document()
    except RequestError as error:
        assert "surrogate" in error.message
        return
    assert json.dumps(read_json(text)) == json.dumps(exact)


@given(st.binary(max_size=40) | st.text('[]{}",:0123456789.eE+-NaInfity truenl\\u', max_size=40))
def test_any_body_is_read_or_refused_with_a_place(body):
    body = body.encode() if isinstance(body, str) else body
    try:
        read_json(body)
    except RequestError as error:
        assert error.message.startswith("JSON Parse error: ")


BODIES = st.sampled_from(["instances", "inputs", "examples", "context", "signature_name", "x"])


@given(st.dictionaries(BODIES, JSON, max_size=3), st.sampled_from(sorted(NUMPY_TYPES)))
def test_any_request_gives_tensors_or_an_error(request, dtype):
    body = json.dumps(request).encode()
    try:
        inputs, _ = predict.predict_inputs(predict.read_request(body), {"x": dtype})
        assert inputs["x"].dtype == NUMPY_TYPES[dtype]
    except RequestError as error:
        predict.error_answer(error).decode("utf-8")


@given(st.floats(width=32, allow_subnormal=False), st.floats(allow_subnormal=False))
def test_floats_are_read_back_as_they_were(single, double):
    answer = predict.predict_answer({"x": np.float32([single]), "y": np.array([double])}, False)
    outputs = json.loads(answer)["outputs"]
    np.testing.assert_array_equal(np.float32(outputs["x"]), np.float32([single]))
    np.testing.assert_array_equal(outputs["y"], [double])


@pytest.mark.parametrize(
    ("dtype", "given_", "expected"),
    [
        ("uint8", [-5, 300], [0, 255]),  # clamped
        ("int8", [130, -130], [-126, 126]),  # wrapped
        ("int16", [40000], [-25536]),
        ("float", [1e39, 1e-45, -0.0], [np.inf, 0.0, 0.0]),
        ("double", [5e-324], [0.0]),
    ],
)
def test_numbers_out_of_range(dtype, given_, expected):
    body = json.dumps({"inputs": given_}).encode()
    inputs, _ = predict.predict_inputs(predict.read_request(body), {"x": dtype})
    np.testing.assert_array_equal(inputs["x"], expected)


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
        (b"[" * 10_000, "More than 256 values inside each other. at offset: 256"),
        (b'{"instances": [1], "inputs": [1]}', "expecting only one of 'inputs' or 'instances'"),
        (b'{"instances": [1, {"x": 1}]}', "Expecting value/list but got object at item 1"),
    ],
)
def test_errors_name_the_cause(body, message):
    with pytest.raises(RequestError) as error:
        predict.predict_inputs(predict.read_request(body), {"x": "float"})
    assert message in error.value.message


@given(st.binary(max_size=20), st.sampled_from(["", "\n", " "]))
def test_base64_with_spaces_and_without_padding(data, space):
    text = base64.b64encode(data).decode()
    for given_ in (text, text.rstrip("="), space.join(text)):
        body = json.dumps({"instances": [{"b64": given_}]}).encode()
        inputs, _ = predict.predict_inputs(predict.read_request(body), {"x": "string"})
        assert inputs["x"].tolist() == [data]


@given(st.sampled_from(["GET", "POST", "PUT"]), st.text(max_size=30))
def test_any_path_is_a_route_or_malformed(method, text):
    for target in (text, f"/v1/models/{text}", f"/v1/models/m/versions/{text}:predict"):
        try:
            assert route(method, target).action
        except RequestError as error:
            assert error.http_status == 400


def test_versions_beyond_64_bits_have_no_body():
    with pytest.raises(RequestError) as error:
        route("GET", "/v1/models/m/versions/9223372036854775808")
    assert predict.error_answer(error.value) == b""
    assert route("GET", "/v1/models/m/versions/9223372036854775807").version == 2**63 - 1


def test_bfloat16_is_rounded():
    body = b'{"inputs": [1.001953125]}'
    inputs, _ = predict.predict_inputs(predict.read_request(body), {"x": "bfloat16"})
    assert inputs["x"] == ml_dtypes.bfloat16(1.001953125)


NUMBERS = st.recursive(
    st.integers(-3, 300)
    | st.floats(-9, 9)
    | st.sampled_from(["", "1 2", "-", "1.", "01", "1e400"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(
    NUMBERS,
    st.sampled_from(["instances", "inputs"]),
    st.sampled_from(sorted(NUMPY_TYPES)),
    st.randoms(use_true_random=False),
)
def test_the_quick_reading_of_numbers_sees_what_the_usual_one_sees(value, key, dtype, random):
    text = json.dumps({key: value}).replace('"1 2"', "1 2").replace('""', "")
    for raw in ("-", "1.", "01", "1e400"):
        text = text.replace(f'"{raw}"', raw)
    if random.random() < 0.3:  # brackets and commas in places where they should not be
        place = random.randrange(len(text))
        text = text[:place] + random.choice("[],1 ") + text[place + random.randrange(2) :]

    def outcome(read):
        try:
            inputs, rows = predict.predict_inputs(read(text.encode()), {"x": dtype})
        except RequestError as error:
            return error.message
        return inputs["x"].dtype, inputs["x"].shape, str(inputs["x"].tolist()), rows

    assert outcome(predict.read_predict_request) == outcome(predict.read_request)


@pytest.mark.parametrize("place", [0, 1, 12, 13, 14, 23, 24])
def test_the_quick_way_takes_jsons_white_space_and_no_other(place):
    body = b'{"instances":[1, 2, 5.5]}'
    for space in b" \t\n\r\f\v\0":
        spaced = body[:place] + bytes([space]) + body[place:]
        try:
            expected = json.loads(spaced)["instances"]
        except ValueError:
            assert read_regular(spaced) is None
        else:
            assert read_regular(spaced).numbers == expected

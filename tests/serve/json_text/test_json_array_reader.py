"""The reader of arrays of numbers sees the same request as the JSON parser."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashw.serve.api.predict_request import predict_inputs, read_predict_request
from kerashw.serve.api.request_body import read_request
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.json_array_reader import read_array_request
from tests.serve.json_text.strategies import DTYPES

ODD_NUMBERS = ("1 2", "-", "1.", "01", "1e400", "9" * 30)
NUMBERS = st.recursive(
    st.integers(-3, 300) | st.floats(-9, 9) | st.sampled_from(["", *ODD_NUMBERS]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(NUMBERS, st.sampled_from(["instances", "inputs"]), DTYPES, st.randoms(use_true_random=False))
def test_arrays_of_numbers_are_read_as_the_json_parser_reads_them(value, key, dtype, random):
    text = json.dumps({key: value}).replace('""', "")
    for number in ODD_NUMBERS:
        text = text.replace(f'"{number}"', number)
    if random.random() < 0.3:  # brackets and commas in invalid places
        place = random.randrange(len(text))
        text = text[:place] + random.choice("[],1 ") + text[place + random.randrange(2) :]

    def outcome(read):
        try:
            inputs, row_format = predict_inputs(read(text.encode()), {"x": dtype})
        except RequestError as error:
            return error.message
        return inputs["x"].dtype, inputs["x"].shape, str(inputs["x"].tolist()), row_format

    assert outcome(read_predict_request) == outcome(read_request)


@pytest.mark.parametrize("place", [0, 1, 12, 13, 14, 23, 24])
def test_white_space_is_that_of_json(place):
    body = b'{"instances":[1, 2, 5.5]}'
    for space in b" \t\n\r\f\v\0":
        spaced = body[:place] + bytes([space]) + body[place:]
        try:
            expected = json.loads(spaced)["instances"]
        except ValueError:
            assert read_array_request(spaced) is None
        else:
            assert read_array_request(spaced)["instances"].tolist() == expected

"""Both JSON parsers read the same values, and refuse all other texts with an offset."""

import json

from hypothesis import given
from hypothesis import strategies as st

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.json_reader import read_json
from kerashw.serve.json_text.rapidjson_parser import RapidJSONParser
from tests.serve.json_text.strategies import JSON


@given(JSON)
def test_both_parsers_read_the_same_value(value):
    text = json.dumps(value).encode()
    try:
        expected = RapidJSONParser(text).parse()
    except RequestError as error:
        assert "surrogate" in error.message
        return
    assert json.dumps(read_json(text)) == json.dumps(expected)


@given(st.binary(max_size=40) | st.text('[]{}",:0123456789.eE+-NaInfity truenl\\u', max_size=40))
def test_any_body_is_read_or_refused_with_an_offset(body):
    body = body.encode() if isinstance(body, str) else body
    try:
        read_json(body)
    except RequestError as error:
        assert error.message.startswith("JSON Parse error: ")

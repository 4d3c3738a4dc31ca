"""Every path is a route or an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashw.serve.api.routes import match_route
from kerashw.serve.api.status_codes import RequestError, error_response


@given(st.sampled_from(["GET", "POST", "PUT"]), st.text(max_size=30))
def test_any_path_is_a_route_or_malformed(method, text):
    for target in (text, f"/v1/models/{text}", f"/v1/models/m/versions/{text}:predict"):
        try:
            assert match_route(method, target).action
        except RequestError as error:
            assert error.http_status == 400


def test_the_response_to_a_version_beyond_64_bits_has_no_body():
    with pytest.raises(RequestError) as error:
        match_route("GET", "/v1/models/m/versions/9223372036854775808")
    assert error_response(error.value) == b""
    assert match_route("GET", "/v1/models/m/versions/9223372036854775807").version == 2**63 - 1

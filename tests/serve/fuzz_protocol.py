"""A fuzz target for the REST API: python -m tests.serve.fuzz_protocol -runs=200000 CORPUS"""

import sys

import atheris

with atheris.instrument_imports(include=["kerashw.serve"]):
    from kerashw.serve.api.classify_and_regress_request import read_examples
    from kerashw.serve.api.predict_request import predict_inputs, read_predict_request
    from kerashw.serve.api.predict_response import predict_response
    from kerashw.serve.api.request_body import read_request
    from kerashw.serve.api.status_codes import RequestError, error_response
    from kerashw.serve.json_text.dtypes import NUMPY_TYPES

DTYPES = ["float", *sorted(NUMPY_TYPES)]


def test_one_input(data):
    """Any body is read or refused, and both readers of predict requests agree."""
    dtype, body = DTYPES[data[0] % len(DTYPES)] if data else "float", data[1:]
    fast = outcome(read_predict_request, body, dtype)
    usual = outcome(read_request, body, dtype)
    if fast != usual:
        raise AssertionError(f"{fast} is not {usual}")
    try:
        read_examples(read_request(body))
    except RequestError as error:
        error_response(error)


def outcome(read, body, dtype):
    """The response to a request for a model that returns its input."""
    try:
        inputs, row_format = predict_inputs(read(body), {"x": dtype})
        if inputs["x"].dtype != NUMPY_TYPES[dtype]:
            raise AssertionError(f"{inputs['x'].dtype} is not {dtype}")
        return inputs["x"].shape, predict_response(inputs, row_format)
    except RequestError as error:
        return error_response(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()

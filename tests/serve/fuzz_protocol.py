"""A fuzzer's way into the protocol: python -m tests.serve.fuzz_protocol -runs=200000 CORPUS"""

import sys

import atheris

with atheris.instrument_imports(include=["kerashw.serve"]):
    from kerashw.serve.api import classify_and_regress, predict
    from kerashw.serve.api.status_codes import RequestError
    from kerashw.serve.json_text.tensors import NUMPY_TYPES

TYPES = ["float", *sorted(NUMPY_TYPES)]


def try_one(data):
    """Whatever comes is read or refused, and the quick way reads it as the usual one does."""
    dtype, body = TYPES[data[0] % len(TYPES)] if data else "float", data[1:]
    quick = outcome(predict.read_predict_request, body, dtype)
    usual = outcome(predict.read_request, body, dtype)
    if quick != usual:
        raise AssertionError(f"{quick} is not {usual}")
    try:
        classify_and_regress.read_examples(predict.read_request(body))
    except RequestError as error:
        predict.error_answer(error)


def outcome(read, body, dtype):
    """What a request is answered with by a model that gives back what it got."""
    try:
        inputs, rows = predict.predict_inputs(read(body), {"x": dtype})
        if inputs["x"].dtype != NUMPY_TYPES[dtype]:
            raise AssertionError(f"{inputs['x'].dtype} is not {dtype}")
        return inputs["x"].shape, predict.predict_answer(inputs, rows)
    except RequestError as error:
        return predict.error_answer(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()

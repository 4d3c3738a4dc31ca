"""A fuzzer's way into the protocol: python -m tests.serve.fuzz_protocol -runs=200000 CORPUS"""

import sys

import atheris

with atheris.instrument_imports(include=["kerashw.serve"]):
    from kerashw.serve import examples, protocol
    from kerashw.serve.status import RequestError
    from kerashw.serve.tensors import NUMPY_TYPES

TYPES = ["float", *sorted(NUMPY_TYPES)]


def try_one(data):
    """Whatever comes is read or refused, and the quick way reads it as the usual one does."""
    dtype, body = TYPES[data[0] % len(TYPES)] if data else "float", data[1:]
    quick = outcome(protocol.read_predict_request, body, dtype)
    usual = outcome(protocol.read_request, body, dtype)
    if quick != usual:
        raise AssertionError(f"{quick} is not {usual}")
    try:
        examples.read_examples(protocol.read_request(body))
    except RequestError as error:
        protocol.error_answer(error)


def outcome(read, body, dtype):
    """What a request is answered with by a model that gives back what it got."""
    try:
        inputs, rows = protocol.predict_inputs(read(body), {"x": dtype})
        if inputs["x"].dtype != NUMPY_TYPES[dtype]:
            raise AssertionError(f"{inputs['x'].dtype} is not {dtype}")
        return inputs["x"].shape, protocol.predict_answer(inputs, rows)
    except RequestError as error:
        return protocol.error_answer(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()

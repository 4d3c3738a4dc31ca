"""Reads the JSON of a classify or regress request as serialized `tf.Example`s."""

import numpy as np
from tensorflow.core.example import example_pb2, feature_pb2

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.byte_strings import is_base64, to_bytes
from kerashw.serve.json_text.error_text import json_type, quote
from kerashw.serve.json_text.json_object import all_items


def read_examples(request):
    """Return the examples of a classify or regress request.

    Args:
        request: Dictionary, from `kerashw.serve.api.request_body.read_request`.

    Returns:
        Array of bytes of shape (N,), serialized `tf.Example`s. Each has the features of the
        request's `context` too.

    Raises:
        RequestError: If there are no examples, or an example does not consist of features.
    """
    context = serialize_example(request["context"]) if "context" in request else b""
    if "examples" not in request:
        raise RequestError(
            f"JSON Value: {quote(request)} When method is classify, key 'examples' is expected "
            "and was not found"
        )
    examples = request["examples"]
    if not isinstance(examples, list):
        raise RequestError(
            f"JSON Value: {quote(request)} Expecting 'examples' value to be an list/array"
        )
    if not examples:
        raise RequestError(f"JSON Value: {quote(request)} 'examples' value is an empty array")
    array = np.empty(len(examples), np.object_)
    # Two concatenated messages are parsed as one message that has the features of both.
    array[:] = [context + serialize_example(example) for example in examples]
    return array


def serialize_example(features):
    """Return the JSON object of an example as a serialized `tf.Example`.

    Raises:
        RequestError: If it does not consist of features.
    """
    if not isinstance(features, dict):
        raise RequestError(f"Example must be JSON object but got JSON {json_type(features)}")
    example = example_pb2.Example()
    for name, content in all_items(features):
        feature = _feature(name, content if isinstance(content, list) else [content])
        key = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        example.features.feature[key].CopyFrom(feature)
    return example.SerializeToString()


def _feature(name, values):
    feature = feature_pb2.Feature()
    for value in values:
        kind, value = _kind_and_value(name, value)
        previous = feature.WhichOneof("kind")
        if previous not in (None, f"{kind}_list"):
            raise RequestError(
                f"Unexpected element type in feature: {name} expecting type: "
                f"{previous.removesuffix('_list')}"
            )
        if kind == "int64" and value >= 2**63:
            raise RequestError(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
        getattr(feature, f"{kind}_list").value.append(to_bytes(value) if kind == "bytes" else value)
    return feature


def _kind_and_value(name, value):
    if isinstance(value, float):
        with np.errstate(over="ignore"):
            return "float", float(np.float32(value))
    if isinstance(value, int):
        return "int64", int(value)
    if isinstance(value, str) or is_base64(value):
        return "bytes", value
    raise RequestError(f"Feature: {name} has element with unexpected JSON type: {json_type(value)}")

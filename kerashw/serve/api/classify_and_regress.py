"""Classify and regress requests: JSON ↔ tf.Example, and what their models must give back."""

import numpy as np
from google.protobuf import text_format
from tensorflow.core.example import example_pb2, feature_pb2

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.json_error_locator import kind_name, shape_text
from kerashw.serve.json_text.json_reader import pairs_of
from kerashw.serve.json_text.json_writer import quoted
from kerashw.serve.json_text.tensors import bytes_of, is_base64

METHODS = {"classify": "tensorflow/serving/classify", "regress": "tensorflow/serving/regress"}
_KINDS = {"classify": "classification", "regress": "regression"}


def read_examples(request):
    """Return the examples of a classify or regress request.

    Args:
        request: Dictionary, from `kerashw.serve.api.predict.read_request`.

    Returns:
        Array (N,) of bytes, serialized `tf.Example`s; what the request's `context` holds is in
        each.

    Raises:
        RequestError: If there are none, or they are no features.
    """
    context = _serialized(request["context"]) if "context" in request else b""
    if "examples" not in request:
        raise RequestError(
            f"JSON Value: {quoted(request)} When method is classify, key 'examples' is expected "
            "and was not found"
        )
    examples = request["examples"]
    if not isinstance(examples, list):
        raise RequestError(
            f"JSON Value: {quoted(request)} Expecting 'examples' value to be an list/array"
        )
    if not examples:
        raise RequestError(f"JSON Value: {quoted(request)} 'examples' value is an empty array")
    array = np.empty(len(examples), np.object_)
    # Two serialized messages in a row are one message that has the features of both.
    array[:] = [context + _serialized(example) for example in examples]
    return array


def _serialized(features):
    if not isinstance(features, dict):
        raise RequestError(f"Example must be JSON object but got JSON {kind_name(features)}")
    example = example_pb2.Example()
    for name, content in pairs_of(features):
        feature = _feature(name, content if isinstance(content, list) else [content])
        key = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        example.features.feature[key].CopyFrom(feature)
    return example.SerializeToString()


def _feature(name, values):
    feature = feature_pb2.Feature()
    for value in values:
        kind, value = _kind_and_value(name, value)
        have = feature.WhichOneof("kind")
        if have not in (None, f"{kind}_list"):
            raise RequestError(
                f"Unexpected element type in feature: {name} expecting type: "
                f"{have.removesuffix('_list')}"
            )
        if kind == "int64" and value >= 2**63:
            raise RequestError(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
        getattr(feature, f"{kind}_list").value.append(bytes_of(value) if kind == "bytes" else value)
    return feature


def _kind_and_value(name, value):
    if isinstance(value, float):
        with np.errstate(over="ignore"):
            return "float", float(np.float32(value))
    if isinstance(value, int):
        return "int64", int(value)
    if isinstance(value, str) or is_base64(value):
        return "bytes", value
    raise RequestError(f"Feature: {name} has element with unexpected JSON type: {kind_name(value)}")


def check_signature(method, definition, check_method_name):
    """Check that a signature can classify, or regress.

    Args:
        method: String, `classify` or `regress`.
        definition: `SignatureDef`.
        check_method_name: Boolean, whether it must also say so.

    Raises:
        RequestError: If it cannot.
    """
    kind = _KINDS[method]
    if check_method_name and definition.method_name != METHODS[method]:
        raise RequestError(
            f"Expected {kind} signature method_name to be {METHODS[method]}. "
            f"Was: {definition.method_name}"
        )
    if len(definition.inputs) != 1:
        raise RequestError("Expected one input Tensor.")
    outputs = len(definition.outputs)
    if method == "regress" and outputs != 1:
        raise RequestError("Expected one output Tensor.")
    if method == "classify" and outputs not in (1, 2):
        raise RequestError(f"Expected one or two output Tensors, found {outputs}")
    if "inputs" not in definition.inputs:
        raise _unfit(f"No {kind} inputs found in SignatureDef: ", definition)
    if method == "regress" and "outputs" not in definition.outputs:
        raise _unfit(f"No {kind} outputs found in SignatureDef: ", definition)
    if method == "classify" and not {"classes", "scores"} & set(definition.outputs):
        raise _unfit(
            "Expected classification signature outputs to contain at least one of "
            '"classes" or "scores". Signature was: ',
            definition,
        )


def _unfit(message, definition):
    dump = text_format.MessageToString(definition)
    return RequestError(f"{message}goo.gle/debugproto \n{dump}", "FAILED_PRECONDITION")


def classes_of(outputs, examples):
    """Return the labels and scores that a model gave.

    Args:
        outputs: Dictionary of arrays by name, of which `classes` and `scores` count.
        examples: Integer, how many were asked.

    Returns:
        Pair of arrays (examples, classes), one of which may be None.

    Raises:
        RequestError: If they are of other shapes or types.
    """
    labels, scores = outputs.get("classes"), outputs.get("scores")
    _check_classes(labels, "classes", "DT_STRING", np.object_, examples)
    _check_classes(scores, "scores", "DT_FLOAT", np.float32, examples)
    if labels is not None and scores is not None and labels.shape != scores.shape:
        raise RequestError(
            "Tensors class and score should match in dim_size(1). "
            f"Got {labels.shape[1]} vs. {scores.shape[1]}"
        )
    return labels, scores


def _check_classes(array, name, type_name, numpy_type, examples):
    if array is None:
        return
    if array.ndim != 2:
        raise RequestError(
            f"Expected Tensor shape: [batch_size num_classes] but got {shape_text(array.shape)}"
        )
    if array.dtype != numpy_type:
        raise RequestError(f"Expected {name} Tensor of {type_name}. Got: {_type_name(array)}")
    if len(array) != examples:
        raise RequestError(f"Expected {name} output batch size of {examples}. Got: {len(array)}")


def values_of(outputs, examples):
    """Return the values that a model gave, one an example.

    Args:
        outputs: Dictionary of arrays by name, of which `outputs` counts.
        examples: Integer, how many were asked.

    Returns:
        Array of as many floats.

    Raises:
        RequestError: If they are of another shape or type.
    """
    array = outputs["outputs"]
    if array.ndim != 1 and (array.ndim != 2 or array.shape[1] != 1):
        raise RequestError(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"{shape_text(array.shape)}"
        )
    if len(array) != examples:
        raise RequestError(
            f"Input batch size did not match output batch size: {examples} vs. {len(array)}"
        )
    if array.dtype != np.float32:
        raise RequestError(f"Expected output Tensor of DT_FLOAT.  Got: {_type_name(array)}")
    return array


def _type_name(array):
    name = {"object": "string", "float64": "double", "float32": "float", "float16": "half"}
    return f"DT_{name.get(array.dtype.name, array.dtype.name).upper()}"

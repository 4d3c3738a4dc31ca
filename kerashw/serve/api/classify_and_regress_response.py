"""Writes the response to a classify or regress request: checks the outputs, writes them as JSON."""

import numpy as np

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.error_text import format_shape
from kerashw.serve.json_text.json_writer import encode_floats
from kerashw.serve.json_text.tensor_writer import encode_elements, nest


def classify_response(outputs, examples):
    """Return the body of the response to a classify request.

    Args:
        outputs: Dictionary of arrays by name. `classes` (labels as bytes) and `scores` are written.
            Both have shape (examples, classes), and one of them may be missing.
        examples: Integer, the number of examples in the request.

    Returns:
        Bytes, JSON.

    Raises:
        RequestError: If an output has another shape or type.

    Example:
        >>> classify_response({"scores": np.float32([[0.25, 0.75]])}, 1)
        b'{"results": [[["", 0.25], ["", 0.75]]]}'
    """
    labels, scores = outputs.get("classes"), outputs.get("scores")
    _check_classes(labels, "classes", "DT_STRING", np.object_, examples)
    _check_classes(scores, "scores", "DT_FLOAT", np.float32, examples)
    if labels is not None and scores is not None and labels.shape != scores.shape:
        raise RequestError(
            "Tensors class and score should match in dim_size(1). "
            f"Got {labels.shape[1]} vs. {scores.shape[1]}"
        )
    shape = (labels if scores is None else scores).shape
    size = shape[0] * shape[1]
    label_texts = ['""'] * size if labels is None else encode_elements(labels)
    score_texts = ["0.0"] * size if scores is None else encode_elements(scores)
    pairs = [f"[{label}, {score}]" for label, score in zip(label_texts, score_texts, strict=True)]
    return _results(nest(pairs, shape))


def _check_classes(array, name, type_name, numpy_type, examples):
    if array is None:
        return
    if array.ndim != 2:
        raise RequestError(
            f"Expected Tensor shape: [batch_size num_classes] but got {format_shape(array.shape)}"
        )
    if array.dtype != numpy_type:
        raise RequestError(f"Expected {name} Tensor of {type_name}. Got: {_type_name(array)}")
    if len(array) != examples:
        raise RequestError(f"Expected {name} output batch size of {examples}. Got: {len(array)}")


def regress_response(outputs, examples):
    r"""Return the body of the response to a regress request.

    Args:
        outputs: Dictionary of arrays by name. `outputs` is written. Its shape is (examples,) or
            (examples, 1).
        examples: Integer, the number of examples in the request.

    Returns:
        Bytes, JSON.

    Raises:
        RequestError: If the output has another shape or type.

    Example:
        >>> regress_response({"outputs": np.float32([2.5, 3])}, 2)
        b'{"results": [2.5,\n3.0]}'
    """
    array = outputs["outputs"]
    if array.ndim != 1 and (array.ndim != 2 or array.shape[1] != 1):
        raise RequestError(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"{format_shape(array.shape)}"
        )
    if len(array) != examples:
        raise RequestError(
            f"Input batch size did not match output batch size: {examples} vs. {len(array)}"
        )
    if array.dtype != np.float32:
        raise RequestError(f"Expected output Tensor of DT_FLOAT.  Got: {_type_name(array)}")
    return _results(encode_floats(array.reshape(-1)))


def _results(texts):
    return ('{"results": [' + ",\n".join(texts) + "]}").encode("utf-8", "surrogateescape")


def _type_name(array):
    name = {"object": "string", "float64": "double", "float32": "float", "float16": "half"}
    return f"DT_{name.get(array.dtype.name, array.dtype.name).upper()}"

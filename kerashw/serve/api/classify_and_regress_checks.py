"""Checks the signature and the outputs of a classify or regress request of either API."""

import numpy as np
from google.protobuf import text_format

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.error_text import format_shape

METHOD_NAMES = {"classify": "tensorflow/serving/classify", "regress": "tensorflow/serving/regress"}
_NOUNS = {"classify": "classification", "regress": "regression"}


def check_signature(method, signature_def, check_method_name):
    """Check that a signature can be used to classify or to regress.

    Args:
        method: String, `classify` or `regress`.
        signature_def: `SignatureDef`.
        check_method_name: Boolean, whether the signature's `method_name` must fit the method.

    Raises:
        RequestError: If it cannot be used.
    """
    noun = _NOUNS[method]
    if check_method_name and signature_def.method_name != METHOD_NAMES[method]:
        raise RequestError(
            f"Expected {noun} signature method_name to be {METHOD_NAMES[method]}. "
            f"Was: {signature_def.method_name}"
        )
    if len(signature_def.inputs) != 1:
        raise RequestError("Expected one input Tensor.")
    outputs = len(signature_def.outputs)
    if method == "regress" and outputs != 1:
        raise RequestError("Expected one output Tensor.")
    if method == "classify" and outputs not in (1, 2):
        raise RequestError(f"Expected one or two output Tensors, found {outputs}")
    if "inputs" not in signature_def.inputs:
        raise _signature_error(f"No {noun} inputs found in SignatureDef: ", signature_def)
    if method == "regress" and "outputs" not in signature_def.outputs:
        raise _signature_error(f"No {noun} outputs found in SignatureDef: ", signature_def)
    if method == "classify" and not {"classes", "scores"} & set(signature_def.outputs):
        raise _signature_error(
            "Expected classification signature outputs to contain at least one of "
            '"classes" or "scores". Signature was: ',
            signature_def,
        )


def _signature_error(message, signature_def):
    text = text_format.MessageToString(signature_def)
    return RequestError(f"{message}goo.gle/debugproto \n{text}", "FAILED_PRECONDITION")


def check_classes(outputs, examples):
    """Check the outputs of a classify request.

    Args:
        outputs: Dictionary of arrays by name.
        examples: Integer, the number of examples in the request.

    Returns:
        The outputs `classes` (labels as bytes) and `scores` (float32) of shape (examples, classes).
        One of them may be None.

    Raises:
        RequestError: If an output has another shape or type.
    """
    labels, scores = outputs.get("classes"), outputs.get("scores")
    _check_class_output(labels, "classes", "DT_STRING", np.object_, examples)
    _check_class_output(scores, "scores", "DT_FLOAT", np.float32, examples)
    if labels is not None and scores is not None and labels.shape != scores.shape:
        raise RequestError(
            "Tensors class and score should match in dim_size(1). "
            f"Got {labels.shape[1]} vs. {scores.shape[1]}"
        )
    return labels, scores


def _check_class_output(array, name, type_name, numpy_type, examples):
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


def check_values(outputs, examples):
    """Check the output of a regress request.

    Args:
        outputs: Dictionary of arrays by name.
        examples: Integer, the number of examples in the request.

    Returns:
        The output `outputs`, of shape (examples,).

    Raises:
        RequestError: If the output has another shape or type.
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
    return array.reshape(-1)


def _type_name(array):
    name = {"object": "string", "float64": "double", "float32": "float", "float16": "half"}
    return f"DT_{name.get(array.dtype.name, array.dtype.name).upper()}"

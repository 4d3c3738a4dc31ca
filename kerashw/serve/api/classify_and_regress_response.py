"""Writes the outputs of a classify or regress request as JSON."""

from kerashw.serve.api.classify_and_regress_checks import check_classes, check_values
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
        >>> import numpy as np
        >>> classify_response({"scores": np.float32([[0.25, 0.75]])}, 1)
        b'{"results": [[["", 0.25], ["", 0.75]]]}'
    """
    labels, scores = check_classes(outputs, examples)
    shape = (labels if scores is None else scores).shape
    size = shape[0] * shape[1]
    label_texts = ['""'] * size if labels is None else encode_elements(labels)
    score_texts = ["0.0"] * size if scores is None else encode_elements(scores)
    pairs = [f"[{label}, {score}]" for label, score in zip(label_texts, score_texts, strict=True)]
    return _results(nest(pairs, shape))


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
        >>> import numpy as np
        >>> regress_response({"outputs": np.float32([2.5, 3])}, 2)
        b'{"results": [2.5,\n3.0]}'
    """
    return _results(encode_floats(check_values(outputs, examples)))


def _results(texts):
    return ('{"results": [' + ",\n".join(texts) + "]}").encode("utf-8", "surrogateescape")

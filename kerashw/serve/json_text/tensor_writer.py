"""Writes a tensor as JSON: its elements, and the nested lists of them."""

import numpy as np

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.byte_strings import encode_bytes
from kerashw.serve.json_text.dtypes import FLOATS, INTEGER_RANGES, NAMES
from kerashw.serve.json_text.json_writer import encode_floats


def encode_elements(array, as_base64=False):
    """Return a tensor's elements as JSON texts.

    Args:
        array: Array.
        as_base64: Boolean, whether strings are written as `{"b64": "…"}`.

    Returns:
        List of strings, one for each element in C order.

    Raises:
        RequestError: If the array's type cannot be written as JSON.
    """
    name = NAMES.get(array.dtype)
    flat = array.reshape(-1)
    if name in FLOATS:
        return encode_floats(flat if name == "double" else flat.astype(np.float32, copy=False))
    if name in INTEGER_RANGES:
        return list(map(str, flat.tolist()))
    if name == "bool":
        return ["true" if value else "false" for value in flat]
    if name == "string":
        return [encode_bytes(value, as_base64) for value in flat.tolist()]
    name = array.dtype.name if array.dtype.kind == "c" else "resource"
    raise RequestError(f"Failed to write JSON value for tensor type: {name}")


def nest(texts, shape):
    """Join the texts of a tensor's elements into lists, for all dimensions except the first.

    Args:
        texts: List of strings, one for each element.
        shape: Tuple of integers.

    Returns:
        List of strings, one for each index of the first dimension.

    Example:
        >>> nest(["1", "2", "3", "4"], (2, 2))
        ['[1, 2]', '[3, 4]']
    """
    for axis in range(len(shape) - 1, 0, -1):
        size = shape[axis]
        groups = int(np.prod(shape[:axis], dtype=np.int64))
        texts = [f"[{', '.join(texts[i * size : (i + 1) * size])}]" for i in range(groups)]
    return texts

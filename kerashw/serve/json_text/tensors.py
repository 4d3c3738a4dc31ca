"""JSON values ↔ tensors of one type: lists in lists become arrays, and arrays become text."""

import base64
import binascii
import itertools
import re

import ml_dtypes
import numpy as np

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.json_reader import Members
from kerashw.serve.json_text.json_writer import float_texts, quoted, string_text

# TensorFlow's name of each type that JSON can carry, and NumPy's.
NUMPY_TYPES = {
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "half": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "int8": np.dtype(np.int8),
    "int16": np.dtype(np.int16),
    "int32": np.dtype(np.int32),
    "int64": np.dtype(np.int64),
    "uint8": np.dtype(np.uint8),
    "uint16": np.dtype(np.uint16),
    "uint32": np.dtype(np.uint32),
    "uint64": np.dtype(np.uint64),
    "bool": np.dtype(np.bool_),
    "string": np.dtype(np.object_),
}
NAMES = {numpy: name for name, numpy in NUMPY_TYPES.items()}
FLOATS = ("float", "double", "half", "bfloat16")
# What an integer must fit. The small ones are read as int32: then uint8 is clamped, and the
# signed ones wrap, as in TensorFlow Serving.
LIMITS = {
    "int8": (-(2**31), 2**31 - 1),
    "int16": (-(2**31), 2**31 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint8": (-(2**31), 2**31 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
KINDS = {
    **dict.fromkeys(FLOATS, ({float}, {int}, {int, float})),
    **dict.fromkeys(LIMITS, ({int},)),
    "bool": ({bool},),
    "string": ({str}, {dict}, {str, dict}),
}
MAX_RANK = 64


def tensor_of_regular(value, dtype):
    """Return a JSON value as a tensor, if it is as regular as nearly all are.

    Args:
        value: A JSON value: a list of lists …, or one number, string or boolean.
        dtype: String, TensorFlow's name of the tensor's type.

    Returns:
        Array; None where the value needs `Collector`'s closer look, which finds its mistake.

    Example:
        >>> tensor_of_regular([[1, 2.5], [3, 4]], "float").tolist()
        [[1.0, 2.5], [3.0, 4.0]]
        >>> tensor_of_regular([[1, 2], [3]], "float") is None
        True
    """
    leaves, shape = [value], []
    while set(map(type, leaves)) == {list}:
        sizes = set(map(len, leaves))
        if len(sizes) != 1 or len(shape) == MAX_RANK:
            return None
        shape.append(sizes.pop())
        leaves = list(itertools.chain.from_iterable(leaves))
    if leaves and set(map(type, leaves)) not in KINDS.get(dtype, ()):
        return None
    try:
        return array_of(leaves, dtype).reshape(shape)
    except (OverflowError, RequestError):
        return None


def array_of(leaves, dtype):
    """Return a list of JSON values, which fit the type, as an array of one dimension.

    Raises:
        OverflowError: If an integer does not fit.
        RequestError: If a string's base64 cannot be decoded.
    """
    if dtype in FLOATS:
        return _floats(np.fromiter(leaves, np.float64, len(leaves)), NUMPY_TYPES[dtype])
    if dtype in LIMITS:
        wide = np.uint64 if dtype == "uint64" else np.int64
        array = np.fromiter(leaves, wide, len(leaves))
        low, high = LIMITS[dtype]
        if len(leaves) and not low <= array.min() <= array.max() <= high:
            raise OverflowError
        return (array.clip(0, 255) if dtype == "uint8" else array).astype(NUMPY_TYPES[dtype])
    if dtype == "bool":
        return np.fromiter(leaves, np.bool_, len(leaves))
    array = np.empty(len(leaves), np.object_)
    array[:] = [bytes_of(leaf) for leaf in leaves]
    return array


def _floats(array, numpy_type):
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        array = array.astype(numpy_type, copy=False)
        # TensorFlow's threads have no numbers so small that they lose digits: they are 0 there.
        small = np.abs(array) < ml_dtypes.finfo(numpy_type).smallest_normal
    if small.any():
        array[small] *= 0
    return array


def bytes_of(value):
    """Return the bytes of a JSON string, or of `{"b64": …}`."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if not is_base64(value):
        raise RequestError(f"JSON Value: {quoted(value)} not formatted correctly for base64 data")
    try:
        return decoded(value["b64"])
    except (ValueError, binascii.Error):
        raise RequestError("Unable to base64 decode") from None


def is_base64(value):
    """Return whether a JSON value is `{"b64": "…"}` and nothing else."""
    return (
        isinstance(value, dict)
        and not isinstance(value, Members)
        and len(value) == 1
        and isinstance(value.get("b64"), str)
    )


_SPACES = re.compile(r"[ \t\n\v\f\r]+")
_BASE64 = re.compile(r"([A-Za-z0-9+/]*)(?:=|==|\.|\.\.)?")


def decoded(text):
    r"""Decode base64 with or without padding and with spaces in it, as Abseil does.

    Example:
        >>> decoded("aGVs\nbG8")
        b'hello'
    """
    found = _BASE64.fullmatch(_SPACES.sub("", text))
    if not found or len(found[1]) % 4 == 1:
        raise ValueError
    padding = len(found[0]) - len(found[1])
    if padding and (len(found[1]) + padding) % 4:
        raise ValueError
    return base64.b64decode(found[1] + "=" * (-len(found[1]) % 4))


def texts_of(array, as_bytes=False):
    """Return a tensor's elements as JSON texts.

    Args:
        array: Array.
        as_bytes: Boolean, whether strings are written as `{"b64": …}`.

    Returns:
        List of strings.

    Raises:
        RequestError: If JSON has nothing for the array's type.
    """
    name = NAMES.get(array.dtype)
    flat = array.reshape(-1)
    if name in FLOATS:
        return float_texts(flat if name == "double" else flat.astype(np.float32, copy=False))
    if name in LIMITS:
        return list(map(str, flat.tolist()))
    if name == "bool":
        return ["true" if value else "false" for value in flat]
    if name == "string":
        return [_bytes_text(value, as_bytes) for value in flat.tolist()]
    name = {"complex64": "complex64", "complex128": "complex128"}.get(array.dtype.name, "resource")
    raise RequestError(f"Failed to write JSON value for tensor type: {name}")


def _bytes_text(value, as_bytes):
    value = value.encode() if isinstance(value, str) else value
    if as_bytes:
        return f'{{"b64": "{base64.b64encode(value).decode()}"}}'
    return string_text(value.decode("utf-8", "surrogateescape"))


def nested(texts, shape):
    """Put a tensor's texts into brackets, up to its first dimension.

    Args:
        texts: List of strings, one an element.
        shape: Tuple of integers.

    Returns:
        List of strings, one for each place of the first dimension.

    Example:
        >>> nested(["1", "2", "3", "4"], (2, 2))
        ['[1, 2]', '[3, 4]']
    """
    for axis in range(len(shape) - 1, 0, -1):
        size = shape[axis]
        groups = int(np.prod(shape[:axis], dtype=np.int64))
        texts = [f"[{', '.join(texts[i * size : (i + 1) * size])}]" for i in range(groups)]
    return texts

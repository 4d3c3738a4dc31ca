"""Reads a JSON value as a tensor, all values at once.

This is the fast reader. It returns None if a value does not fit the tensor's type or a list has
another length than its neighbours. Then `kerashw.serve.json_text.tensor_builder.TensorBuilder`
finds the error.
"""

import itertools

import ml_dtypes
import numpy as np

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.byte_strings import to_bytes
from kerashw.serve.json_text.dtypes import (
    FLOATS,
    INTEGER_RANGES,
    MAX_RANK,
    NUMPY_TYPES,
    PYTHON_TYPES,
)


def try_read_tensor(value, dtype):
    """Return a JSON value as a tensor, or None if it is not one.

    Args:
        value: JSON value: a nested list, a number, a string or a boolean.
        dtype: String, TensorFlow's name of the tensor's type.

    Returns:
        Array or None.

    Example:
        >>> try_read_tensor([[1, 2.5], [3, 4]], "float").tolist()
        [[1.0, 2.5], [3.0, 4.0]]
        >>> try_read_tensor([[1, 2], [3]], "float") is None
        True
    """
    scalars, shape = [value], []
    while set(map(type, scalars)) == {list}:
        sizes = set(map(len, scalars))
        if len(sizes) != 1 or len(shape) == MAX_RANK:
            return None
        shape.append(sizes.pop())
        scalars = list(itertools.chain.from_iterable(scalars))
    if scalars and set(map(type, scalars)) not in PYTHON_TYPES.get(dtype, ()):
        return None
    try:
        return array_of(scalars, dtype).reshape(shape)
    except (OverflowError, RequestError):
        return None


def array_of(scalars, dtype):
    """Return a list of JSON scalars as an array.

    Args:
        scalars: List of N values of Python types that belong to the dtype.
        dtype: String, TensorFlow's name of the array's type.

    Returns:
        Array of shape (N,).

    Raises:
        OverflowError: If an integer is out of range.
        RequestError: If a string's base64 cannot be decoded.
    """
    if dtype in FLOATS:
        return floats_of(np.fromiter(scalars, np.float64, len(scalars)), dtype)
    if dtype in INTEGER_RANGES:
        wide = np.uint64 if dtype == "uint64" else np.int64
        array = np.fromiter(scalars, wide, len(scalars))
        low, high = INTEGER_RANGES[dtype]
        if len(scalars) and not low <= array.min() <= array.max() <= high:
            raise OverflowError
        return array.astype(NUMPY_TYPES[dtype])
    if dtype == "bool":
        return np.fromiter(scalars, np.bool_, len(scalars))
    array = np.empty(len(scalars), np.object_)
    array[:] = [to_bytes(scalar) for scalar in scalars]
    return array


def floats_of(array, dtype):
    """Return float64 numbers as floats of another type, as TensorFlow Serving converts them.

    Args:
        array: Float64 array of shape (N,).
        dtype: String, TensorFlow's name of the result's type.

    Returns:
        Array of shape (N,), a copy.
    """
    numpy_type = NUMPY_TYPES[dtype]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        array = array.astype(numpy_type)
        # TensorFlow's threads flush subnormal numbers to zero.
        subnormal = np.abs(array) < ml_dtypes.finfo(numpy_type).smallest_normal
        np.multiply(array, 0, out=array, where=subnormal)
    return array

"""Builds a tensor from JSON value by value, and finds the error in a malformed one.

The order of the checks and the messages are TensorFlow Serving's.
"""

import numpy as np

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.byte_strings import to_bytes
from kerashw.serve.json_text.dtypes import INTEGER_RANGES, MAX_RANK, NUMPY_TYPES, PYTHON_TYPES
from kerashw.serve.json_text.error_text import format_shape, json_type, quote
from kerashw.serve.json_text.tensor_reader import array_of


class TensorBuilder:
    """Builds a tensor from JSON values of equal shape.

    Args:
        dtype: String, TensorFlow's name of the tensor's type.
    """

    def __init__(self, dtype):
        self.dtype = dtype
        self.scalars = []
        self.item_shape = None
        self.item_size = None

    def add(self, item):
        """Add a JSON value.

        Raises:
            RequestError: If it does not fit the type, or its shape is not that of the first value.
        """
        shape = _shape_of(item)
        before = len(self.scalars)
        self._add_scalars(item, 0, shape)
        size = len(self.scalars) - before
        if self.item_shape is None:
            self.item_size, self.item_shape = size, shape
        elif size != self.item_size:
            raise RequestError(f"Expecting tensor size: {self.item_size} but got: {size}")
        elif shape != self.item_shape:
            raise RequestError(
                f"Expecting shape {format_shape(self.item_shape)} but got: {format_shape(shape)}"
            )

    def build(self, batch_shape=()):
        """Return the tensor, an array of shape (*batch_shape, *shape of one value)."""
        shape = (*batch_shape, *self.item_shape)
        if len(shape) > MAX_RANK:
            raise RequestError(f"A tensor has at most {MAX_RANK} dimensions. Got: {len(shape)}")
        # If a key is repeated, there are more values than the tensor has.
        size = int(np.prod(shape, dtype=np.int64))
        return array_of(self.scalars[:size], self.dtype).reshape(shape)

    def _add_scalars(self, value, level, shape):
        if not isinstance(value, list):
            if level != len(shape):
                raise RequestError(
                    f"JSON Value: {quote(value)} found at incorrect level: {level + 1} in the "
                    f"JSON DOM. Expected at level: {len(shape)}"
                )
            _check_scalar(value, self.dtype)
            self.scalars.append(value)
            return
        if level >= len(shape):
            raise RequestError(
                f"Encountered list at unexpected level: {level} expected < {len(shape)}"
            )
        if len(value) != shape[level]:
            raise RequestError(
                f"Encountered list at unexpected size: {len(value)} at level: {level} "
                f"expected size: {shape[level]}"
            )
        for inner in value:
            self._add_scalars(inner, level + 1, shape)


def _shape_of(value):
    """Return the shape of the first values of each list."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def _check_scalar(value, dtype):
    if isinstance(value, dict) and dtype != "string":
        raise _type_error(value, dtype)
    if dtype not in NUMPY_TYPES:
        raise RequestError(
            f"Conversion of JSON Value: {quote(value)} to type: {dtype}", "UNIMPLEMENTED"
        )
    if isinstance(value, dict):
        to_bytes(value)
    elif dtype in INTEGER_RANGES:
        low, high = INTEGER_RANGES[dtype]
        if type(value) is not int or not low <= value <= high:
            raise _type_error(value, dtype)
    elif not any(type(value) in types for types in PYTHON_TYPES[dtype]):
        raise _type_error(value, dtype)


def _type_error(value, dtype):
    return RequestError(
        f"JSON Value: {quote(value)} Type: {json_type(value)} is not of expected type: {dtype}"
    )

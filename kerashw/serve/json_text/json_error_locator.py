"""The close look at a tensor in a request, which finds what is wrong with it.

In the order, and with the words, of TensorFlow Serving.
"""

import numpy as np

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.json_writer import quoted
from kerashw.serve.json_text.tensors import KINDS, LIMITS, MAX_RANK, NUMPY_TYPES, array_of, bytes_of


class Collector:
    """Gathers a tensor value by value, and finds what is wrong as TensorFlow Serving does.

    Args:
        dtype: String, TensorFlow's name of the tensor's type.
    """

    def __init__(self, dtype):
        self.dtype = dtype
        self.values = []
        self.shape = None  # of one item
        self.size = None

    def add(self, item):
        """Take in a JSON value, which must have the shape of those before."""
        shape = _shape_of(item)
        before = len(self.values)
        self._fill(item, 0, shape)
        size = len(self.values) - before
        if self.shape is None:
            self.size, self.shape = size, shape
        elif size != self.size:
            raise RequestError(f"Expecting tensor size: {self.size} but got: {size}")
        elif shape != self.shape:
            raise RequestError(
                f"Expecting shape {shape_text(self.shape)} but got: {shape_text(shape)}"
            )

    def tensor(self, batch=()):
        """Return what was gathered as an array of shape (*batch, *shape of an item)."""
        shape = (*batch, *self.shape)
        if len(shape) > MAX_RANK:
            raise RequestError(f"A tensor has at most {MAX_RANK} dimensions. Got: {len(shape)}")
        # A key given twice leaves more values than the tensor has.
        size = int(np.prod(shape, dtype=np.int64))
        return array_of(self.values[:size], self.dtype).reshape(shape)

    def _fill(self, value, level, shape):
        if not isinstance(value, list):
            if level != len(shape):
                raise RequestError(
                    f"JSON Value: {quoted(value)} found at incorrect level: {level + 1} in the "
                    f"JSON DOM. Expected at level: {len(shape)}"
                )
            self.values.append(checked(value, self.dtype))
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
            self._fill(inner, level + 1, shape)


def _shape_of(value):
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def checked(value, dtype):
    """Return a JSON value that is no list, if it fits the type.

    Raises:
        RequestError: If it does not.
    """
    if isinstance(value, dict) and dtype != "string":
        raise _type_error(value, dtype)
    if dtype not in NUMPY_TYPES:
        raise RequestError(
            f"Conversion of JSON Value: {quoted(value)} to type: {dtype}", "UNIMPLEMENTED"
        )
    if isinstance(value, dict):
        bytes_of(value)
        return value
    kind = type(value)
    if kind is int and dtype in LIMITS:
        low, high = LIMITS[dtype]
        fits = low <= value <= high
    else:
        fits = any(kind in kinds for kinds in KINDS[dtype]) and dtype not in LIMITS
    if not fits:
        raise _type_error(value, dtype)
    return value


def kind_name(value):
    """Return RapidJSON's name of a JSON value's type."""
    if isinstance(value, bool):
        return str(value)
    names = {str: "String", int: "Number", float: "Number", list: "Array", type(None): "Null"}
    return names.get(type(value), "Object")


def _type_error(value, dtype):
    return RequestError(
        f"JSON Value: {quoted(value)} Type: {kind_name(value)} is not of expected type: {dtype}"
    )


def shape_text(shape):
    """Return a shape as TensorFlow writes it: `[2,3]`."""
    return f"[{','.join(map(str, shape))}]"

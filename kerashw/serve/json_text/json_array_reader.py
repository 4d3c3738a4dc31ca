"""The requests that nearly all are, read in a third of the time: one regular array of numbers.

A JSON library makes a list of each pair of brackets, and an image has a thousand. Here the
brackets are checked as text, and only the numbers are read.
"""

import math
import re

import numpy as np
import orjson

from kerashw.serve.json_text.tensors import FLOATS, LIMITS, MAX_RANK, array_of

# JSON's white space, which is less than what `re` takes for it.
_SPACE = b" \t\n\r"
_REQUEST = re.compile(
    rb'%(s)b\{%(s)b(?:"signature_name"%(s)b:%(s)b"(\w*)"%(s)b,%(s)b)?'
    rb'"(instances|inputs)"%(s)b:%(s)b(?=\[)' % {b"s": b"[%b]*" % _SPACE}
)
_END = re.compile(rb"\][%(s)b]*\}[%(s)b]*\Z" % {b"s": _SPACE})
_NUMBER = b"0123456789.eE+-"
_WITHOUT_BRACKETS = bytes.maketrans(b"[]", b"  ")


class RegularRequest(dict):
    """A request whose `instances` or `inputs` are one regular array of numbers.

    As a dictionary it has the `signature_name`, if there is one.

    Args:
        body: Bytes, the request.
        rows: Boolean, whether it has `instances`.
        numbers: List of numbers.
        shape: List of integers.
    """

    def __init__(self, body, rows, numbers, shape):
        super().__init__()
        self.body, self.rows, self.numbers, self.shape = body, rows, numbers, shape

    def tensors(self, types):
        """Return the tensor of a signature's only input, if it takes such numbers.

        Args:
            types: Dictionary, the signature's inputs.

        Returns:
            Dictionary of one array; None if the request needs a closer look.
        """
        if len(types) != 1 or len(self.shape) > MAX_RANK:
            return None
        [(name, dtype)] = types.items()
        if dtype in LIMITS and set(map(type, self.numbers)) != {int}:
            return None
        if dtype not in LIMITS and dtype not in FLOATS:
            return None
        try:
            return {name: array_of(self.numbers, dtype).reshape(self.shape)}
        except OverflowError:
            return None


def read_regular(body):
    """Read a request if it is regular.

    Args:
        body: Bytes.

    Returns:
        `RegularRequest`; None if it is not one, or no request at all.

    Example:
        >>> read_regular(b'{"instances": [[1, 2.5], [3, 4]]}').numbers
        [1, 2.5, 3, 4]
        >>> read_regular(b'{"instances": [[1, 2], [3]]}') is None
        True
    """
    start = _REQUEST.match(body)
    end = _END.search(body, max(0, len(body) - 20))
    if not start or not end:
        return None
    text = body[start.end() : end.start() + 1]
    shape = _shape(text.translate(None, _SPACE))
    if shape is None:
        return None
    try:
        numbers = orjson.loads(b"[%b]" % text.translate(_WITHOUT_BRACKETS))
    except orjson.JSONDecodeError:
        return None
    if len(numbers) != math.prod(shape):
        return None
    request = RegularRequest(body, start[2] == b"instances", numbers, shape)
    if start[1] is not None:
        request["signature_name"] = start[1].decode()
    return request


def _shape(text):
    """Return the shape that the brackets and commas of an array say; None if irregular."""
    if _has_number_outside(text):
        return None
    skeleton = text.translate(None, _NUMBER)
    depth = len(skeleton) - len(skeleton.lstrip(b"["))
    shape, inner = [], b""
    for level in range(1, depth + 1):
        # The first list of this level; the others of it must be the same.
        start = depth - level
        first = skeleton[start : skeleton.find(b"]" * level, start) + level]
        size = (len(first) - 1) // (len(inner) + 1)
        if first != b"[%b]" % b",".join([inner] * size):
            return None
        shape.append(size)
        inner = first
    return shape[::-1] if skeleton == inner else None


def _has_number_outside(text):
    """Return whether a number follows a closing bracket, or an opening bracket a number."""
    codes = np.frombuffer(text, np.uint8)
    left, right = codes[:-1], codes[1:]
    opening, closing, comma = b"[],"
    before = (right == opening) & (left != opening) & (left != comma)
    after = (left == closing) & (right != closing) & (right != comma)
    return before.any() or after.any()

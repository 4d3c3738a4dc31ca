"""JSON values, their types and shapes, as TensorFlow Serving's error messages show them."""

import json
import math

import numpy as np

from kerashw.serve.json_text.json_object import all_items
from kerashw.serve.json_text.json_writer import NOT_FINITE, encode_string

MAX_QUOTED = 256  # characters, after which a value is cut


def quote(value):
    """Return a JSON value as an error message shows it: indented, and cut if it is long.

    Args:
        value: A value that `kerashw.serve.json_text.json_reader.read_json` returns.

    Returns:
        String.

    Example:
        >>> print(quote({"a": [1, 2.5], "b": {}}))
        {
            "a": [1, 2.5],
            "b": {}
        }
    """
    text = ""
    for token in _tokens(value, 0):
        if len(text) >= MAX_QUOTED:
            break
        text += token
    return text


def _tokens(value, depth):
    if isinstance(value, dict) and value:
        for number, (key, inner) in enumerate(all_items(value)):
            start = ",\n" if number else "{\n"
            yield start + " " * 4 * (depth + 1) + encode_string(key)
            tokens = _tokens(inner, depth + 1)
            yield ": " + next(tokens)
            yield from tokens
        yield "\n" + " " * 4 * depth + "}"
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            tokens = _tokens(inner, depth + 1)
            yield (", " if number else "[") + next(tokens)
            yield from tokens
        yield "]"
    else:
        yield _scalar(value)


def _scalar(value):
    if isinstance(value, str):
        return encode_string(value)
    if isinstance(value, float):
        return _double(value)
    return json.dumps(value)


def _double(number):
    """Return a double with the fewest digits. Python's `repr` writes exponents at other sizes."""
    if not math.isfinite(number):
        return NOT_FINITE[str(number)]
    if number and not 1e-6 <= abs(number) < 1e21:
        mantissa, exponent = f"{number!r}e0".split("e")[:2]
        if exponent == "0":
            return repr(number)
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    text = repr(number)
    if "e" not in text:
        return text
    return np.format_float_positional(number, trim="0")


def json_type(value):
    """Return RapidJSON's name of a JSON value's type; for booleans, the value itself."""
    if isinstance(value, bool):
        return str(value)
    names = {str: "String", int: "Number", float: "Number", list: "Array", type(None): "Null"}
    return names.get(type(value), "Object")


def format_shape(shape):
    """Return a shape as TensorFlow writes it.

    Example:
        >>> format_shape((2, 3))
        '[2,3]'
    """
    return f"[{','.join(map(str, shape))}]"

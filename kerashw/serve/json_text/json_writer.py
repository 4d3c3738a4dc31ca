"""Writing JSON as TensorFlow Serving does: numbers, strings, and values quoted in errors."""

import json
import math
import re

import numpy as np

from kerashw.serve.json_text.json_reader import pairs_of

MAX_QUOTED = 256  # characters, after which a value in an error message is cut


def string_text(text):
    r"""Return a string as JSON. Bytes that are no UTF-8, surrogates here, stay as they are.

    Example:
        >>> print(string_text('say "no" \n'))
        "say \"no\" \n"
    """
    return f'"{_SPECIAL.sub(_escaped, text)}"'


_SPECIAL = re.compile(r'["\\\x00-\x1f]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escaped(found):
    return _SHORT.get(found[0]) or f"\\u{ord(found[0]):04X}"


def float_texts(values):
    """Return floats as JSON: with six digits, or as many as bring the same float back.

    Args:
        values: Array of floats, of one dimension.

    Returns:
        List of strings.

    Example:
        >>> float_texts(np.float32([2, 0.1, 1 / 3, 1e20, np.inf]))
        ['2.0', '0.1', '0.333333343', '1e+20', 'Infinity']
    """
    digits = 17 if values.dtype == np.float64 else 9
    numbers = values.tolist()
    short = ("%.6g " * len(numbers) % tuple(numbers)).split()
    with np.errstate(over="ignore"):
        same = (np.array([*map(float, short)], np.float64).astype(values.dtype) == values).tolist()
    texts = [
        text if equal else f"{number:.{digits}g}"
        for text, equal, number in zip(short, same, numbers, strict=True)
    ]
    return [text if "." in text or "e" in text else _whole(text) for text in texts]


def _whole(text):
    return _NOT_FINITE.get(text) or f"{text}.0"


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def quoted(value):
    """Return a JSON value as an error message shows it: indented, cut when it is long.

    Args:
        value: What `kerashw.serve.json_text.json_reader.read_json` returns.

    Returns:
        String.

    Example:
        >>> print(quoted({"a": [1, 2.5], "b": {}}))
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
        for number, (key, inner) in enumerate(pairs_of(value)):
            start = ",\n" if number else "{\n"
            yield start + " " * 4 * (depth + 1) + string_text(key)
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
        yield _leaf(value)


def _leaf(value):
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, float):
        return _double(value)
    return json.dumps(value)


def _double(number):
    """A double with the fewest digits; Python's `repr` turns to exponents at other sizes."""
    if not math.isfinite(number):
        return _NOT_FINITE[str(number)]
    if number and not 1e-6 <= abs(number) < 1e21:
        mantissa, exponent = f"{number!r}e0".split("e")[:2]
        if exponent == "0":
            return repr(number)
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    text = repr(number)
    if "e" not in text:
        return text
    return np.format_float_positional(number, trim="0")

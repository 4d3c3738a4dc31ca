"""Writes strings and floats as JSON, as TensorFlow Serving does."""

import re

import numpy as np

NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_SPECIAL = re.compile(r'["\\\x00-\x1f]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def encode_string(text):
    r"""Return a string as JSON. Bytes that are not UTF-8 are surrogates in it and stay so.

    Example:
        >>> print(encode_string('say "no" \n'))
        "say \"no\" \n"
    """
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(match):
    return _SHORT.get(match[0]) or f"\\u{ord(match[0]):04X}"


def encode_floats(values):
    """Return floats as JSON texts.

    Each has six digits, if these are enough to read the same float back. Otherwise it has nine
    digits, or 17 for float64.

    Args:
        values: Array of floats, of shape (N,).

    Returns:
        List of N strings.

    Example:
        >>> encode_floats(np.float32([2, 0.1, 1 / 3, 1e20, np.inf]))
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
    return NOT_FINITE.get(text) or f"{text}.0"

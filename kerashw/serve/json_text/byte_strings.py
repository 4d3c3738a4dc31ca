"""Byte strings in JSON: plain strings and `{"b64": "…"}` objects."""

import base64
import re

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.error_text import quote
from kerashw.serve.json_text.json_object import MultiDict
from kerashw.serve.json_text.json_writer import encode_string

_SPACES = re.compile(r"[ \t\n\v\f\r]+")
_BASE64 = re.compile(r"([A-Za-z0-9+/]*)(?:=|==|\.|\.\.)?")


def is_base64(value):
    """Return whether a JSON value is an object with the one key `b64` and a string."""
    return (
        isinstance(value, dict)
        and not isinstance(value, MultiDict)
        and len(value) == 1
        and isinstance(value.get("b64"), str)
    )


def to_bytes(value):
    """Return the bytes of a JSON string or of `{"b64": "…"}`.

    Raises:
        RequestError: If an object is not of this form, or its string is not base64.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if not is_base64(value):
        raise RequestError(f"JSON Value: {quote(value)} not formatted correctly for base64 data")
    try:
        return decode_base64(value["b64"])
    except ValueError:
        raise RequestError("Unable to base64 decode") from None


def decode_base64(text):
    r"""Decode base64 as Abseil does: padding is optional, and spaces are ignored.

    Raises:
        ValueError: If the text is not base64.

    Example:
        >>> decode_base64("aGVs\nbG8")
        b'hello'
    """
    match = _BASE64.fullmatch(_SPACES.sub("", text))
    if not match or len(match[1]) % 4 == 1:
        raise ValueError
    padding = len(match[0]) - len(match[1])
    if padding and (len(match[1]) + padding) % 4:
        raise ValueError
    return base64.b64decode(match[1] + "=" * (-len(match[1]) % 4))


def encode_bytes(value, as_base64=False):
    """Return a byte string as a JSON string, or as a `{"b64": "…"}` object.

    Args:
        value: Bytes or string.
        as_base64: Boolean.
    """
    value = value.encode() if isinstance(value, str) else value
    if as_base64:
        return f'{{"b64": "{base64.b64encode(value).decode()}"}}'
    return encode_string(value.decode("utf-8", "surrogateescape"))

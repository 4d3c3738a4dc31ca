"""The paths of TensorFlow Serving's REST API."""

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from kerashw.serve.api.status_codes import RequestError

_NAME = r"(?:/versions/(\d+)|/labels/([^/:]+))?"
_FLAGS = re.ASCII | re.IGNORECASE
_PREDICTION = re.compile(rf"/v1/models/([^/:]+){_NAME}:(classify|regress|predict)", _FLAGS)
_STATUS = re.compile(rf"/v1/models(?:/([^/:]+))?{_NAME}(?:/(metadata))?", _FLAGS)
_API = re.compile(r"/v1/.*", _FLAGS)
_CHARACTER = r"(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
_QUERY = rf"(?:{_CHARACTER}|\?)*"
_TARGET = re.compile(rf"{_CHARACTER}*(?:\?{_QUERY})?(?:#{_QUERY})?", re.ASCII)


class Route(NamedTuple):
    """Which model a request is for, and what it wants.

    Args:
        action: String: predict, classify, regress, metadata or status.
        model: String, the model's name; None where the path has none.
        version: Integer or None.
        label: String or None.
    """

    action: str
    model: str | None
    version: int | None = None
    label: str | None = None


def is_target(target):
    """Return whether a request's target is a path that may be one: no spaces, no bad escapes."""
    return bool(_TARGET.fullmatch(target))


def is_api(target):
    """Return whether a request's target belongs to the REST API."""
    return bool(_API.fullmatch(target))


def route(method, target):
    """Return what a request's method and target ask for.

    Args:
        method: String.
        target: String, path and query as they came.

    Returns:
        `Route`.

    Raises:
        RequestError: If they ask for nothing that there is.

    Example:
        >>> route("POST", "/v1/models/digits/versions/2:predict")
        Route(action='predict', model='digits', version=2, label=None)
    """
    malformed = RequestError(f"Malformed request: {method} {target}")
    pattern = {"POST": _PREDICTION, "GET": _STATUS}.get(method)
    found = pattern.fullmatch(target) if pattern else None
    if not found:
        raise malformed
    model, version, label, action = found.groups()
    if version is not None:
        version = version.lstrip("0") or "0"
        if len(version) > 19 or int(version) >= 2**63:
            # TensorFlow Serving's answer has no body then.
            raise RequestError(f"Failed to convert version: {version} to numeric.", silent=True)
    if method == "POST" and action != action.lower():
        raise malformed
    return Route(
        (action if action == "metadata" else "status") if method == "GET" else action,
        None if model is None else _unquoted(model),
        None if version is None else int(version),
        None if label is None else _unquoted(label),
    )


def _unquoted(text):
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")

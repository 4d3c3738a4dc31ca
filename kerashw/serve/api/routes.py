"""The paths of TensorFlow Serving's REST API."""

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from kerashw.serve.api.status_codes import RequestError

_VERSION_OR_LABEL = r"(?:/versions/(\d+)|/labels/([^/:]+))?"
_FLAGS = re.ASCII | re.IGNORECASE
_INFERENCE = re.compile(
    rf"/v1/models/([^/:]+){_VERSION_OR_LABEL}:(classify|regress|predict)", _FLAGS
)
_STATUS = re.compile(rf"/v1/models(?:/([^/:]+))?{_VERSION_OR_LABEL}(?:/(metadata))?", _FLAGS)
_API = re.compile(r"/v1/.*", _FLAGS)
_CHARACTER = r"(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
_QUERY = rf"(?:{_CHARACTER}|\?)*"
_ORIGIN = re.compile(r"^https?://[^/?#]*", re.IGNORECASE)
_TARGET = re.compile(rf"{_CHARACTER}*(?:\?{_QUERY})?(?:#{_QUERY})?", re.ASCII)


class Route(NamedTuple):
    """The action and the model of a request.

    Args:
        action: String: predict, classify, regress, metadata or status.
        model: String, the model's name; None if the path has no name.
        version: Integer or None.
        label: String or None.
    """

    action: str
    model: str | None
    version: int | None = None
    label: str | None = None


def origin_form(target):
    """Return the path and the query of a request's target, which a proxy sends as a whole URL.

    Example:
        >>> origin_form("http://host:8501/v1/models/digits")
        '/v1/models/digits'

    Reference:
        RFC 9112, section 3.2.2.
    """
    return _ORIGIN.sub("", target, count=1)


def is_valid_target(target):
    """Return whether a request's target is a valid path: no spaces and no malformed escapes."""
    return bool(_TARGET.fullmatch(target))


def is_api_target(target):
    """Return whether a request's target belongs to the REST API."""
    return bool(_API.fullmatch(target))


def match_route(method, target):
    """Return the route of a request's method and target.

    Args:
        method: String.
        target: String, the path and the query as received.

    Returns:
        `Route`.

    Raises:
        RequestError: If there is no such route.

    Example:
        >>> match_route("POST", "/v1/models/digits/versions/2:predict")
        Route(action='predict', model='digits', version=2, label=None)
    """
    malformed = RequestError(f"Malformed request: {method} {target}")
    pattern = {"POST": _INFERENCE, "GET": _STATUS}.get(method)
    match = pattern.fullmatch(target) if pattern else None
    if not match:
        raise malformed
    model, version, label, action = match.groups()
    if version is not None:
        version = version.lstrip("0") or "0"
        if len(version) > 19 or int(version) >= 2**63:
            # TensorFlow Serving's response has no body in this case.
            raise RequestError(f"Failed to convert version: {version} to numeric.", empty_body=True)
    if method == "POST" and action != action.lower():
        raise malformed
    return Route(
        (action if action == "metadata" else "status") if method == "GET" else action,
        None if model is None else _unquote(model),
        None if version is None else int(version),
        None if label is None else _unquote(label),
    )


def _unquote(text):
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")

"""The recorded exchanges: how one is repeated, and when two responses agree."""

import base64
import json
import math
import pathlib
import re

from tests.serve.processes import send_bytes

DATA = pathlib.Path(__file__).parent / "data"


def load(file="golden.json"):
    return json.loads((DATA / file).read_text(encoding="utf-8"))


def request_of(entry):
    """The bytes of a recorded request."""
    if entry.get("note") == "raw request is in 'path'":
        return entry["path"].encode("latin-1")
    lines = [f"{entry['method']} {entry['path']} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in entry["request_headers"].items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content(entry, "request_body")


def content(entry, key):
    if entry.get(f"{key}_b64") is not None:
        return base64.b64decode(entry[f"{key}_b64"])
    return (entry.get(key) or "").encode()


def repeat(entry, port):
    """Send a recorded request; return the status, body and headers of the response."""
    return send_bytes(port, request_of(entry), entry["method"])


def disagreement(entry, status, body, headers):
    """The first difference from the recorded response, or None."""
    if status != entry["status"]:
        return f"status {status} for {entry['status']}: {body[:200]!r}"
    recorded = entry["response_headers"]
    if headers["content-type"] != recorded.get("Content-Type"):
        return f"content type {headers['content-type']} for {recorded.get('Content-Type')}"
    for name, value in recorded.items():
        if name.startswith("Access-Control") and headers[name] != value:
            return f"{name}: {headers[name]} for {value}"
    expected = content(entry, "response_body")
    if recorded.get("Content-Type") == "application/json" and expected:
        same = agree(loaded(body), loaded(expected))
    else:
        same = body == expected
    return None if same else f"body {body[:300]!r} for {expected[:300]!r}"


def loaded(body):
    return json.loads(body.decode("utf-8", "surrogateescape")) if body else None


def agree(one, other):
    """Whether two JSON values are equal, with floats to six digits."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(agree(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(agree, one, other))
    if isinstance(one, float) and isinstance(other, float):
        if not math.isfinite(one) or not math.isfinite(other):
            return str(one) == str(other)
        return math.isclose(one, other, rel_tol=1e-6)
    if isinstance(one, str) and isinstance(other, str):
        return normalized(one) == normalized(other)
    return type(one) is type(other) and one == other


def normalized(text):
    """A text without the parts that differ between runs of TensorFlow Serving: the numbers of
    function nodes, and the first line of printed protocol buffers."""
    text = re.sub(r"(function_node \w+?)_\d+}}", r"\1}}", text)
    return re.sub(r"goo\.gle/debug\w+\s+", "goo.gle/debug ", text)

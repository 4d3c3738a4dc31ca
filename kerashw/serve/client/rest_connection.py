"""A connection to TensorFlow Serving's REST API."""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

import numpy as np

from kerashw.errors import ClientError
from kerashw.serve.client.connection import Connection
from kerashw.serve.client.inputs import read_values, to_json, unsupported_type


class RestConnection(Connection):
    """A connection to TensorFlow Serving's REST API.

    Args:
        url: String, the address of the server.
        root_certificates: Path of a PEM file, or `None` for those of the system.
        settings: The other arguments of `Connection`.
    """

    def __init__(self, url, root_certificates, **settings):
        super().__init__(url, **settings)
        # Ignores the proxies of the environment.
        handlers = [urllib.request.ProxyHandler({})]
        if root_certificates:
            context = ssl.create_default_context(cafile=root_certificates)
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def predict(self, version, inputs, signature):
        """Return the outputs of a signature."""
        request = {"inputs": to_json(read_values(inputs))}
        outputs = self._request(version, ":predict", request, signature)["outputs"]
        if not isinstance(outputs, dict) or set(outputs) == {"b64"}:
            return _to_array(outputs)
        return {name: _to_array(value) for name, value in outputs.items()}

    def classify(self, version, examples, signature):
        """Return the classes and scores of each example."""
        results = self._request_examples(version, ":classify", examples, signature)
        return [[tuple(pair) for pair in pairs] for pairs in results]

    def regress(self, version, examples, signature):
        """Return the value of each example."""
        return self._request_examples(version, ":regress", examples, signature)

    def status(self, version):
        """Return the states of the versions of a model."""
        versions = self._request(version)["model_version_status"]
        return {int(each["version"]): each["state"] for each in versions}

    def metadata(self, version):
        """Return the signatures of a model."""
        response = self._request(version, "/metadata")
        return response["metadata"]["signature_def"]["signature_def"]

    def _request_examples(self, version, action, examples, signature):
        request = {"examples": [to_json(read_values(dict(example))) for example in examples]}
        return self._request(version, action, request, signature)["results"]

    def _request(self, version, action="", request=None, signature=None):
        if signature:
            request = {"signature_name": signature, **request}
        try:
            body = None if request is None else json.dumps(request).encode()
        except TypeError as error:  # "Object of type set is not JSON serializable"
            name = str(error).removeprefix("Object of type ").partition(" is not ")[0]
            raise unsupported_type(name) from None
        return self.repeat(self._send, _path(version) + action, body)

    def _send(self, path, body):
        url = self.url + path
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ClientError(f"{url}: {_error_text(error)}", error.code) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, TimeoutError):
                raise ClientError(f"{url}: no answer in {self.timeout:g} s", 504) from None
            raise ClientError(f"{url}: {reason}") from None
        except ValueError as error:
            raise ClientError(f"{url}: the answer is not JSON: {error}", 200) from None


def _path(version):
    path = f"/v1/models/{urllib.parse.quote(version.model, safe='')}"
    if version.version is not None:
        return f"{path}/versions/{version.version}"
    if version.label is not None:
        return f"{path}/labels/{urllib.parse.quote(version.label, safe='')}"
    return path


def _error_text(error):
    """Return the error message of the server."""
    body = error.read().decode("utf-8", "replace")
    try:
        return json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}. {body[:200]}".strip()


def _to_array(value):
    """Convert an output to an array. Base64 becomes bytes."""
    values = _decode(value)
    array = np.array(values)
    # NumPy's own type of bytes loses zeros at their end.
    return np.array(values, object) if array.dtype.kind == "S" else array


def _decode(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return [_decode(inner) for inner in value] if isinstance(value, list) else value

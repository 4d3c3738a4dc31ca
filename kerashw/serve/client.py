"""A client for the REST API of TensorFlow Serving, which `kerashw.serve` has too."""

import base64
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np

from kerashw.errors import ClientError


class Client:
    """A client of a server with TensorFlow Serving's REST API.

    Args:
        url: String, the address of the server, such as `http://127.0.0.1:8501`.
        timeout: Float, the time limit for a response in seconds.
        retries: Integer, how often a request is repeated if the server cannot be reached or is
            overloaded (503).
        wait: Float, the time before the first retry in seconds. It doubles with each retry.

    Raises:
        ClientError: If the URL is invalid.

    Example:
        >>> client = Client("http://127.0.0.1:8501")
        >>> client.predict("convnet", ["seven.png"])  # doctest: +SKIP
        {'class': array([7]), 'probabilities': array([[...]])}
    """

    def __init__(self, url, timeout=30.0, retries=3, wait=0.1):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ClientError(f"The URL must be like http://127.0.0.1:8501. Received: {url}")
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.retries = retries
        self.wait = wait
        # Ignores the proxies of the environment.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def predict(self, model, inputs, signature=None, version=None, label=None):
        """Return the predictions of a model.

        Args:
            model: String, the name of the model.
            inputs: Array, list of numbers or list of strings, whose first dimension is the number
                of examples. Or an image file or a list of them, as `Path` or as strings that end
                in .png, .jpg or .jpeg; their bytes are sent to the signature `image_bytes`. Or a
                dictionary of these for a signature with several inputs.
            signature: String, the name of the signature. The default is `image_bytes` for files,
                otherwise the default signature of the model.
            version: Integer, the version of the model. The default is the newest.
            label: String, the label of a version.

        Returns:
            Dictionary from the names of the outputs to arrays, or the array of a single output.

        Raises:
            ClientError: If the server cannot be reached, does not respond in time or responds with
                an error, whose text is the message.
            OSError: If a file cannot be read.
        """
        if _is_file(inputs):
            inputs = [inputs]
        if signature is None and _are_files(inputs):
            signature = "image_bytes"
        request = {"signature_name": signature} if signature else {}
        request["inputs"] = _to_json(inputs)
        response = self._request(f"{_path(model, version, label)}:predict", request)
        outputs = response["outputs"]
        if not isinstance(outputs, dict) or set(outputs) == {"b64"}:
            return _to_array(outputs)
        return {name: _to_array(value) for name, value in outputs.items()}

    def classify(self, model, examples, signature=None, version=None, label=None):
        """Return the classes and scores of a model.

        Args:
            model: String, the name of the model.
            examples: List of dictionaries from the names of the features to their values.
            signature: String, as of `predict`.
            version: Integer, as of `predict`.
            label: String, as of `predict`.

        Returns:
            List with a list of pairs (class, score) for each example.

        Raises:
            ClientError: As of `predict`.
        """
        path = _path(model, version, label)
        results = self._request_examples(f"{path}:classify", examples, signature)
        return [[tuple(pair) for pair in pairs] for pairs in results]

    def regress(self, model, examples, signature=None, version=None, label=None):
        """Return a value for each example. The arguments are those of `classify`."""
        return self._request_examples(
            f"{_path(model, version, label)}:regress", examples, signature
        )

    def status(self, model, version=None):
        """Return the states of the versions of a model.

        Returns:
            Dictionary from versions to strings, such as AVAILABLE, LOADING or END.
        """
        response = self._request(_path(model, version, None))
        return {int(v["version"]): v["state"] for v in response["model_version_status"]}

    def metadata(self, model, version=None, label=None):
        """Return the signatures of a model, as TensorFlow Serving describes them."""
        response = self._request(f"{_path(model, version, label)}/metadata")
        return response["metadata"]["signature_def"]["signature_def"]

    def _request_examples(self, path, examples, signature):
        request = {"signature_name": signature} if signature else {}
        request["examples"] = [_to_json(dict(example)) for example in examples]
        return self._request(path, request)["results"]

    def _request(self, path, request=None):
        body = None if request is None else json.dumps(request).encode()
        for attempt in range(self.retries + 1):
            try:
                return self._send(path, body)
            except ClientError as error:
                if error.status not in (None, 503) or attempt == self.retries:
                    raise
            time.sleep(self.wait * 2**attempt)
        raise AssertionError("unreachable")

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


def _path(model, version, label):
    path = f"/v1/models/{urllib.parse.quote(model, safe='')}"
    if version is not None:
        return f"{path}/versions/{int(version)}"
    return path if label is None else f"{path}/labels/{urllib.parse.quote(label, safe='')}"


def _error_text(error):
    """Return the error message of the server."""
    body = error.read().decode("utf-8", "replace")
    try:
        return json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}. {body[:200]}".strip()


def _are_files(inputs):
    return isinstance(inputs, list | tuple) and bool(inputs) and all(map(_is_file, inputs))


def _is_file(value):
    if isinstance(value, str):
        return value.lower().endswith((".png", ".jpg", ".jpeg"))
    return isinstance(value, os.PathLike)


def _to_json(value):
    """Convert inputs to values that JSON has. Bytes and files become base64."""
    if isinstance(value, dict):
        return {str(name): _to_json(inner) for name, inner in value.items()}
    if _is_file(value):
        value = Path(value).read_bytes()
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [_to_json(inner) for inner in value]
    if isinstance(value, np.generic | np.ndarray) or hasattr(value, "__array__"):
        array = np.asarray(value)
        return _to_json(array.tolist()) if array.dtype == object else array.tolist()
    return value


def _to_array(value):
    """Convert an output to an array. Base64 becomes bytes."""
    return np.array(_decode(value))


def _decode(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return [_decode(inner) for inner in value] if isinstance(value, list) else value

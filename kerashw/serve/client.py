"""A client for TensorFlow Serving's REST API, of this package's server and the genuine one."""

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
    """Asks a server for predictions.

    Args:
        url: String, where the server is: `http://127.0.0.1:8501`.
        timeout: Float, seconds to wait for an answer.
        retries: Integer, how often to ask again when the server is not there, or too busy (503).
        wait: Float, seconds before the first of these; each further wait is twice as long.

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
        # A proxy of the environment is not for a server that one names oneself.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def predict(self, model, inputs, signature=None, version=None, label=None):
        """Return a model's predictions.

        Args:
            model: String, the model's name.
            inputs: Array, or list of numbers or strings; or list of image files (`Path`, or
                strings that end in .png, .jpg or .jpeg), or one, which are sent as they are to the
                signature `image_bytes`; or dictionary of such for a signature with several
                inputs. The first dimension counts the examples.
            signature: String, which signature to ask; by default the model's default, or
                `image_bytes` for files.
            version: Integer, which version; by default the newest.
            label: String, a label that stands for a version.

        Returns:
            Dictionary of arrays by output, or the array of a single output.

        Raises:
            ClientError: With the server's text, if there is one.
            OSError: If a file cannot be read.
        """
        if _is_file(inputs):
            inputs = [inputs]
        if signature is None and _are_files(inputs):
            signature = "image_bytes"
        request = {"signature_name": signature} if signature else {}
        request["inputs"] = _jsonable(inputs)
        answer = self._ask(f"{_path(model, version, label)}:predict", request)
        outputs = answer["outputs"]
        if not isinstance(outputs, dict) or set(outputs) == {"b64"}:
            return _array(outputs)
        return {name: _array(value) for name, value in outputs.items()}

    def classify(self, model, examples, signature=None, version=None, label=None):
        """Return a model's classes and scores.

        Args:
            model: String.
            examples: List of dictionaries, feature by name.
            signature: String or None.
            version: Integer or None.
            label: String or None.

        Returns:
            List, one for each example: list of pairs (label, score).
        """
        path = _path(model, version, label)
        results = self._examples(f"{path}:classify", examples, signature)
        return [[tuple(pair) for pair in pairs] for pairs in results]

    def regress(self, model, examples, signature=None, version=None, label=None):
        """Return a model's values, one for each example; arguments as of `classify`."""
        return self._examples(f"{_path(model, version, label)}:regress", examples, signature)

    def status(self, model, version=None):
        """Return the states of a model's versions, by version.

        Returns:
            Dictionary of strings: AVAILABLE, LOADING, END, …
        """
        answer = self._ask(_path(model, version, None))
        return {int(v["version"]): v["state"] for v in answer["model_version_status"]}

    def metadata(self, model, version=None, label=None):
        """Return a model's signatures, as TensorFlow Serving describes them."""
        return self._ask(f"{_path(model, version, label)}/metadata")["metadata"]["signature_def"][
            "signature_def"
        ]

    def _examples(self, path, examples, signature):
        request = {"signature_name": signature} if signature else {}
        request["examples"] = [_jsonable(dict(example)) for example in examples]
        return self._ask(path, request)["results"]

    def _ask(self, path, request=None):
        body = None if request is None else json.dumps(request).encode()
        for attempt in range(self.retries + 1):
            try:
                return self._ask_once(path, body)
            except ClientError as error:
                if error.status not in (None, 503) or attempt == self.retries:
                    raise
            time.sleep(self.wait * 2**attempt)
        raise AssertionError("not reached")

    def _ask_once(self, path, body):
        url = self.url + path
        headers = {"Content-Type": "application/json"}
        question = urllib.request.Request(url, body, headers)
        try:
            with self._opener.open(question, timeout=self.timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ClientError(f"{url}: {_text_of(error)}", error.code) from None
        except TimeoutError:
            raise ClientError(f"{url}: no answer in {self.timeout:g} s", 504) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, TimeoutError):
                raise ClientError(f"{url}: no answer in {self.timeout:g} s", 504) from None
            raise ClientError(f"{url}: {reason}") from None
        except ValueError as error:
            raise ClientError(f"{url}: the answer is no JSON: {error}", 200) from None


def _path(model, version, label):
    path = f"/v1/models/{urllib.parse.quote(model, safe='')}"
    if version is not None:
        return f"{path}/versions/{int(version)}"
    return path if label is None else f"{path}/labels/{urllib.parse.quote(label, safe='')}"


def _text_of(error):
    """Return what the server says is wrong."""
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


def _jsonable(value):
    """Return inputs as what JSON can carry; bytes and files as base64."""
    if isinstance(value, dict):
        return {str(name): _jsonable(inner) for name, inner in value.items()}
    if _is_file(value):
        value = Path(value).read_bytes()
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [_jsonable(inner) for inner in value]
    if isinstance(value, np.generic | np.ndarray) or hasattr(value, "__array__"):
        array = np.asarray(value)
        return _jsonable(array.tolist()) if array.dtype == object else array.tolist()
    return value


def _array(value):
    """Return an output as an array; base64 as bytes."""
    return np.array(_decoded(value))


def _decoded(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return [_decoded(inner) for inner in value] if isinstance(value, list) else value

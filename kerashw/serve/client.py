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

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
PIXELS = "pixels"
NO_PIXELS = f'Serving signature name: "{PIXELS}" not found in signature def'


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
        self.url = _check_url(url)
        self.timeout = timeout
        self.retries = retries
        self.wait = wait
        # Ignores the proxies of the environment.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def predict(self, model, inputs, signature=None, version=None, label=None):
        """Return the predictions of a model.

        Args:
            model: String, the name of the model.
            inputs: One of these:

                - array, list of numbers or list of strings, whose first dimension is the number of
                  examples;
                - uint8 array (N, height, width) or (N, height, width, 1), pixels from 0 to 255, for
                  the signature `pixels`; a list of such images, as arrays or grey PIL images; or
                  one image (height, width);
                - image file or list of image files, as `Path` or as strings that end in .png,
                  .jpg, .jpeg, .gif, .bmp or .webp. Their bytes are sent to the signature
                  `image_bytes`;
                - dictionary of these for a signature with named inputs.
            signature: String, the name of the signature. The inputs are sent to it as they are. The
                default is `pixels` for a uint8 array, `image_bytes` for files, otherwise the
                default signature of the model.
            version: Integer, the version of the model. The default is the newest.
            label: String, the label of a version.

        Returns:
            Dictionary from the names of the outputs to arrays, or the array of a single output.

        Raises:
            ClientError: If the server cannot be reached, does not respond in time or responds with
                an error, whose text is the message. If the model has no signature for a uint8
                array, or the array has only zeros and ones.
            OSError: If a file cannot be read.
        """
        if _is_file(inputs):
            inputs = [inputs]
        is_default = signature is None
        if is_default:
            inputs, signature = _select_signature(inputs)
        request = {"signature_name": signature} if signature else {}
        request["inputs"] = _to_json(inputs)
        try:
            response = self._request(f"{_path(model, version, label)}:predict", request)
        except ClientError as error:
            if not is_default or NO_PIXELS not in str(error):
                raise
            raise ClientError(
                f"{model} has no signature {PIXELS}, which reads uint8 arrays. Convert the array "
                "to floats in the range that the model expects, or name a signature: signature="
                '"serving_default", for example. Received: a uint8 array',
                error.status,
            ) from None
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
        try:
            body = None if request is None else json.dumps(request).encode()
        except TypeError as error:  # "Object of type set is not JSON serializable"
            raise ClientError(
                "The inputs must be arrays, lists, numbers, strings, bytes, image files or "
                f"dictionaries of these. Received: {str(error).partition(' is not ')[0]}"
            ) from None
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


def _check_url(url):
    """Return the address of a server without a slash at its end."""
    url = url.strip() if isinstance(url, str) else url
    try:
        parts = urllib.parse.urlsplit(url)
        is_address = parts.scheme in ("http", "https") and parts.netloc and parts.port != 0
        is_address = is_address and "v1" not in parts.path.split("/")
    except (ValueError, TypeError, AttributeError):  # an IPv6 address without "]", or a wrong port
        is_address = False
    if not is_address:
        raise ClientError(
            "The URL must be like http://127.0.0.1:8501, without the path /v1/models/… "
            f"Received: {url}"
        )
    return url.rstrip("/")


def _path(model, version, label):
    path = f"/v1/models/{urllib.parse.quote(model, safe='')}"
    if version is not None:
        if not str(version).isdecimal():
            raise ClientError(
                "version must be an integer; a name of a version is its label: label="
                f"{str(version)!r}. Received: version={version!r}"
            )
        return f"{path}/versions/{int(version)}"
    return path if label is None else f"{path}/labels/{urllib.parse.quote(label, safe='')}"


def _error_text(error):
    """Return the error message of the server."""
    body = error.read().decode("utf-8", "replace")
    try:
        return json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}. {body[:200]}".strip()


def _select_signature(inputs):
    """Return the inputs for a signature and its name; None is the default signature."""
    if isinstance(inputs, list | tuple) and inputs and all(map(_is_file, inputs)):
        return inputs, "image_bytes"
    if isinstance(inputs, dict) and len(inputs) == 1:
        [(name, value)] = inputs.items()
        pixels = _find_pixels(value)
        return (inputs, None) if pixels is None else ({name: pixels}, PIXELS)
    pixels = _find_pixels(inputs)
    return (inputs, None) if pixels is None else (pixels, PIXELS)


def _find_pixels(value):
    """Return a uint8 array, or a list of uint8 images, as one array; None if it is neither.

    Raises:
        ClientError: If the array has only zeros and ones.
    """
    array = _try_array(value)
    if array is None or array.dtype != np.uint8:
        return None
    if array.size and array.max() == 1:
        raise ClientError(
            f"The signature {PIXELS} reads 1 of 255 as nearly black. Multiply zeros and ones by "
            "255, convert them to floats, or send images (N, height, width) as they are with "
            f'signature="{PIXELS}". Received: a uint8 array {array.shape} of zeros and ones'
        )
    if array.ndim == 2:  # one image
        return array[np.newaxis]
    return array[..., 0] if array.ndim == 4 and array.shape[-1] == 1 else array


def _try_array(value):
    """Return an array, or a list of arrays of equal shape as one array; None for other values."""
    if isinstance(value, list | tuple):
        if not all(map(_is_array, value)):
            return None
        arrays = [np.asarray(each) for each in value]
        has_one_shape = len({each.shape for each in arrays}) == 1
        return np.stack(arrays) if has_one_shape and arrays[0].ndim else None
    return np.asarray(value) if _is_array(value) else None


def _is_array(value):
    """Return whether NumPy can read a value as an array. PIL images have the second name alone."""
    return hasattr(value, "__array__") or hasattr(value, "__array_interface__")


def _is_file(value):
    if isinstance(value, str):
        return value.lower().endswith(IMAGE_SUFFIXES)
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
    if _is_array(value):
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

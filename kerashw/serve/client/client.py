"""The client of a server. The modules beside this one have the messages of each API."""

import re
import urllib.parse

from kerashw.errors import ClientError
from kerashw.serve.client.connection import find_version
from kerashw.serve.client.inputs import PIXELS, is_file, select_signature
from kerashw.serve.client.rest_connection import RestConnection

NO_PIXELS = re.compile(f'Serving signature (name:|key) "{PIXELS}" not found')


class Client:
    """A client of a server with TensorFlow Serving's REST or gRPC API.

    The methods and their results are the same for both APIs. gRPC sends the bytes of arrays, which
    is faster than JSON. It keeps its connection open until `close` or the end of a `with`
    statement. The first client for gRPC imports TensorFlow, with which the messages of
    `tensorflow-serving-api` are defined. This takes a few seconds.

    Args:
        url: String, the address of the server, such as `http://127.0.0.1:8501`, or for gRPC
            `grpc://127.0.0.1:8500`. With TLS, it begins with `https://` or `grpcs://`.
        timeout: Float, the time limit for a response in seconds.
        retries: Integer, how often a request is repeated if the server cannot be reached or is
            overloaded (503; UNAVAILABLE in gRPC).
        wait: Float, the time before the first retry in seconds. It doubles with each retry.
        root_certificates: Path of a PEM file with the certificates to trust. The default is those
            of the system for `https://`, and those of the package `grpcio` for `grpcs://`.

    Raises:
        ClientError: If the URL is invalid, or a package for gRPC is missing.
        OSError: If the certificates cannot be read.

    Example:
        >>> client = Client("http://127.0.0.1:8501")
        >>> client.predict("convnet", ["seven.png"])  # doctest: +SKIP
        {'class': array([7]), 'probabilities': array([[...]])}
        >>> with Client("grpc://127.0.0.1:8500") as client:  # doctest: +SKIP
        ...     client.predict("convnet", ["seven.png"])
        {'class': array([7]), 'probabilities': array([[...]], dtype=float32)}
    """

    def __init__(self, url, timeout=30.0, retries=3, wait=0.1, root_certificates=None):
        self.url = _check_url(url, root_certificates)
        connection = _connection_class(self.url)
        self._connection = connection(
            self.url, root_certificates, timeout=timeout, retries=retries, wait=wait
        )

    def close(self):
        """Close the connection to the server."""
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

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
            REST has all numbers as float64, int64 or booleans; gRPC has the types of the model.

        Raises:
            ClientError: If the server cannot be reached, does not respond in time or responds with
                an error, whose text is the message. If the model has no signature for a uint8
                array, or the array has only zeros and ones. The attribute `status` is the HTTP
                status; over gRPC it is the one that stands for the status code: 503 also if the
                server cannot be reached, because gRPC does not distinguish these errors.
            OSError: If a file cannot be read.
        """
        if is_file(inputs):
            inputs = [inputs]
        is_default = signature is None
        if is_default:
            inputs, signature = select_signature(inputs)
        try:
            return self._connection.predict(find_version(model, version, label), inputs, signature)
        except ClientError as error:
            if not is_default or not NO_PIXELS.search(str(error)):
                raise
            raise ClientError(
                f"{model} has no signature {PIXELS}, which reads uint8 arrays. Convert the array "
                "to floats in the range that the model expects, or name a signature: signature="
                '"serving_default", for example. Received: a uint8 array',
                error.status,
            ) from None

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
        return self._connection.classify(find_version(model, version, label), examples, signature)

    def regress(self, model, examples, signature=None, version=None, label=None):
        """Return a value for each example. The arguments are those of `classify`."""
        return self._connection.regress(find_version(model, version, label), examples, signature)

    def status(self, model, version=None):
        """Return the states of the versions of a model.

        Returns:
            Dictionary from versions to strings, such as AVAILABLE, LOADING or END.
        """
        return self._connection.status(find_version(model, version))

    def metadata(self, model, version=None, label=None):
        """Return the signatures of a model, as TensorFlow Serving describes them."""
        return self._connection.metadata(find_version(model, version, label))


def _check_url(url, root_certificates):
    """Return the address of a server without a slash at its end."""
    url = url.strip() if isinstance(url, str) else url
    try:
        parts = urllib.parse.urlsplit(url)
        is_address = parts.scheme in ("http", "https", "grpc", "grpcs") and parts.hostname
        is_address = is_address and parts.port != 0 and "v1" not in parts.path.split("/")
        if is_address and parts.scheme.startswith("grpc"):
            is_address = parts.port and parts.path in ("", "/")
    except (ValueError, TypeError, AttributeError):  # an IPv6 address without "]", or a wrong port
        is_address = False
    if not is_address:
        raise ClientError(
            "The URL must be like http://127.0.0.1:8501, without the path /v1/models/…, or like "
            f"grpc://127.0.0.1:8500. Received: {url}"
        )
    if root_certificates and parts.scheme in ("http", "grpc"):
        raise ClientError(
            f"root_certificates are for TLS. Use {parts.scheme}s:// or leave them out. "
            f"Received: {url}"
        )
    return url.rstrip("/")


def _connection_class(url):
    if not url.startswith("grpc"):
        return RestConnection
    try:
        from kerashw.serve.client.grpc_connection import GrpcConnection
    except ModuleNotFoundError as error:
        raise ClientError(
            f"{error.name} is missing, which gRPC needs. Run: pip install tensorflow-serving-api. "
            f"Received: {url}"
        ) from None
    return GrpcConnection

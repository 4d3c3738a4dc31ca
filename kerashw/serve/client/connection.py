"""What the connections of both APIs share: the version of a model, the time limit and retries."""

import time
from typing import NamedTuple

from kerashw.errors import ClientError


class ModelVersion(NamedTuple):
    """A version of a model: by its number, by its label, or the newest if both are `None`."""

    model: str
    version: int | None
    label: str | None


def find_version(model, version, label=None):
    """Return a `ModelVersion`; the label is ignored if there is a number.

    Raises:
        ClientError: If the number is not an integer.
    """
    if version is None:
        return ModelVersion(model, None, label)
    if not str(version).isdecimal():
        raise ClientError(
            "version must be an integer; a name of a version is its label: label="
            f"{str(version)!r}. Received: version={version!r}"
        )
    return ModelVersion(model, int(version), None)


class Connection:
    """The base class of the connections to a server.

    A subclass implements `predict`, `classify`, `regress`, `status` and `metadata`. Their arguments
    and results are those of `kerashw.serve.client.Client`, with a `ModelVersion` as the first one.

    Args:
        url: String, the address of the server.
        timeout: Float, the time limit for a response in seconds.
        retries: Integer, how often a request is repeated.
        wait: Float, the time before the first retry in seconds. It doubles with each retry.
    """

    def __init__(self, url, timeout, retries, wait):
        self.url = url
        self.timeout = timeout
        self.retries = retries
        self.wait = wait

    def close(self):
        """Close the connection."""

    def repeat(self, send, *arguments):
        """Call a function again while the server cannot be reached or is overloaded."""
        for attempt in range(self.retries + 1):
            try:
                return send(*arguments)
            except ClientError as error:
                if error.status not in (None, 503) or attempt == self.retries:
                    raise
            time.sleep(self.wait * 2**attempt)
        raise AssertionError("unreachable")

"""TensorFlow's status codes, the HTTP statuses for them, and the response to a failed request."""

import errno

from kerashw.serve.json_text.json_writer import encode_string

# In the order of their numbers, 0 to 16.
HTTP_STATUS = {
    "OK": 200,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
CODES = tuple(HTTP_STATUS)
# TensorFlow's codes for errors of the operating system; UNKNOWN for all others, such as EIO.
_OS_CODES = {
    errno.EACCES: "PERMISSION_DENIED",
    errno.EPERM: "PERMISSION_DENIED",
    errno.ENOENT: "NOT_FOUND",
    errno.ESTALE: "ABORTED",
    errno.ETIMEDOUT: "DEADLINE_EXCEEDED",
    errno.EMFILE: "RESOURCE_EXHAUSTED",
    errno.ENFILE: "RESOURCE_EXHAUSTED",
    errno.ENOMEM: "RESOURCE_EXHAUSTED",
    errno.EHOSTDOWN: "UNAVAILABLE",
    errno.ENOTCONN: "UNAVAILABLE",
}


class RequestError(Exception):
    """A request failed.

    Args:
        message: String for the client. Bytes that are not UTF-8 are surrogates in it.
        code: String, one of TensorFlow's status codes.
        empty_body: Boolean, whether the response has no body, as some of TensorFlow Serving's.

    Example:
        >>> RequestError("no such model", "NOT_FOUND").http_status
        404
    """

    def __init__(self, message, code="INVALID_ARGUMENT", empty_body=False):
        super().__init__(message)
        self.message = message
        self.code = code
        self.empty_body = empty_body

    @property
    def http_status(self):
        """The HTTP status of the response."""
        return HTTP_STATUS[self.code]

    @classmethod
    def from_tensorflow(cls, error):
        """Return a `tf.errors.OpError` as a `RequestError` with the same code and message."""
        return cls(error.message, CODES[error.error_code])

    @classmethod
    def from_exception(cls, error):
        """Return any exception as a `RequestError`.

        Example:
            >>> error = RequestError.from_exception(PermissionError(13, "Permission denied", "/m"))
            >>> error.code, error.message
            ('PERMISSION_DENIED', '/m; Permission denied')
        """
        if isinstance(error, cls):
            return error
        if isinstance(error, OSError) and error.filename:
            return cls(f"{error.filename}; {error.strerror}", _OS_CODES.get(error.errno, "UNKNOWN"))
        return cls(f"{type(error).__name__}: {error}", "UNKNOWN")


def error_response(error):
    """Return the body of the response to a failed request.

    Args:
        error: `RequestError`.

    Returns:
        Bytes, JSON or empty.

    Example:
        >>> error_response(RequestError("no such model"))
        b'{"error": "no such model"}'
    """
    if error.empty_body:
        return b""
    return f'{{"error": {encode_string(error.message)}}}'.encode("utf-8", "surrogateescape")

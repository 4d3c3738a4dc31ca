"""What became of a request: TensorFlow's error codes, and the HTTP statuses they answer with."""

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
NAMES = tuple(HTTP_STATUS)


class RequestError(Exception):
    """A request that is answered with an error.

    Args:
        message: String, what the client reads. Bytes that are no UTF-8 are surrogates in it.
        code: String, one of TensorFlow's error codes.
        silent: Boolean, whether the answer has no body, as TensorFlow Serving's in a few cases.

    Example:
        >>> RequestError("no such thing", "NOT_FOUND").http_status
        404
    """

    def __init__(self, message, code="INVALID_ARGUMENT", silent=False):
        super().__init__(message)
        self.message = message
        self.code = code
        self.silent = silent

    @property
    def http_status(self):
        """The HTTP status of the answer."""
        return HTTP_STATUS[self.code]

    @classmethod
    def from_tensorflow(cls, error):
        """Return the same failure of a `tf.errors.OpError`."""
        return cls(error.message, NAMES[error.error_code])

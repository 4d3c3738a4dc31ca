"""The methods and the error pages of evhttp, the HTTP server inside TensorFlow Serving."""

import re

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")  # others get 501
REASONS = {
    400: "Bad Request",
    404: "Not Found",
    408: "Request Timeout",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
}

_REQUEST_LINE = re.compile(rb"(\S+) \S+ HTTP/1\.[01]\r?\n")


def error_page(status):
    """Return the HTML page that evhttp sends with an error.

    Args:
        status: Integer, an HTTP status code, a key of `REASONS`.

    Returns:
        Bytes, the page.
    """
    reason = REASONS[status]
    return (
        f"<HTML><HEAD>\n<TITLE>{status} {reason}</TITLE>\n</HEAD><BODY>\n<H1>{reason}</H1>\n"
        "</BODY></HTML>\n"
    ).encode()


def status_of_malformed(data):
    """Return the status of the response to a request that is not valid HTTP.

    Args:
        data: Bytes, what has arrived.

    Returns:
        Integer, 501 for a method that is not known, else 400.
    """
    line = _REQUEST_LINE.match(data)
    return 501 if line and line[1].decode("latin-1") not in METHODS else 400

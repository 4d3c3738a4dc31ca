"""The methods and the error pages of evhttp, the HTTP server inside TensorFlow Serving."""

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

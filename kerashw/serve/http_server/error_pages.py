"""The HTML pages with which evhttp, TensorFlow Serving's HTTP server, answers what is no valid HTTP."""

REASONS = {
    400: "Bad Request",
    404: "Not Found",
    408: "Request Timeout",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
}


def html_page(status):
    """Return evhttp's page about an error.

    Args:
        status: Integer, an HTTP status.

    Returns:
        Bytes.
    """
    reason = REASONS[status]
    return (
        f"<HTML><HEAD>\n<TITLE>{status} {reason}</TITLE>\n</HEAD><BODY>\n<H1>{reason}</H1>\n"
        "</BODY></HTML>\n"
    ).encode()

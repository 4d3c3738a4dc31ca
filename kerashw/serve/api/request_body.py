"""Reads the body of a predict, classify or regress request as a JSON object."""

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.error_text import quote
from kerashw.serve.json_text.json_reader import read_json


def read_request(body):
    """Read the JSON object of a request.

    Args:
        body: Bytes.

    Returns:
        Dictionary.

    Raises:
        RequestError: If the body is not a JSON object, or its `signature_name` is not a string.
    """
    request = read_json(body)
    if not isinstance(request, dict):
        raise RequestError(f"JSON Value: {quote(request)} Is not object")
    if not isinstance(request.get("signature_name", ""), str):
        raise RequestError(
            f"JSON Value: {quote(request)} not formatted correctly. 'signature_name' key must be "
            "a string value."
        )
    return request

"""Writes the response to a predict request: the outputs as JSON, by rows or by columns."""

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.json_writer import encode_string
from kerashw.serve.json_text.tensor_writer import encode_elements, nest


def predict_response(outputs, row_format):
    """Return the body of the response to a predict request.

    Args:
        outputs: Dictionary of arrays by name.
        row_format: Boolean, whether the request is in row format.

    Returns:
        Bytes, JSON.

    Raises:
        RequestError: If the outputs cannot be written as JSON, or not as rows.

    Example:
        >>> import numpy as np
        >>> predict_response({"y": np.float32([2.5, 3])}, row_format=False)
        b'{"outputs": [2.5, 3.0]}'
    """
    if not outputs:
        raise RequestError("Cannot convert empty tensor map to JSON")
    if row_format:
        text = f'{{"predictions": {_rows(outputs)}}}'
    else:
        text = f'{{"outputs": {_columns(outputs)}}}'
    return text.encode("utf-8", "surrogateescape")


def _rows(outputs):
    batch_size = None
    for name, array in outputs.items():
        if not array.ndim:
            raise RequestError(f"Tensor name: {name} has no shape information ")
        if batch_size not in (None, len(array)):
            raise RequestError(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} "
                f"expecting: {batch_size}"
            )
        batch_size = len(array)
    columns = [nest(_elements(name, array), array.shape) for name, array in outputs.items()]
    rows = columns[0]
    if len(outputs) > 1:
        rows = [_object(outputs, row) for row in zip(*columns, strict=True)]
    return "[" + ",\n".join(rows) + "]"


def _columns(outputs):
    # With a leading dimension of 1, a scalar needs no special case.
    texts = [nest(_elements(name, array), (1, *array.shape))[0] for name, array in outputs.items()]
    return texts[0] if len(texts) == 1 else _object(outputs, texts)


def _elements(name, array):
    return encode_elements(array, as_base64=name.endswith("_bytes"))


def _object(names, texts):
    members = (f"{encode_string(name)}: {text}" for name, text in zip(names, texts, strict=True))
    return f"{{{', '.join(members)}}}"

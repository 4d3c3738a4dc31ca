"""Requests and answers of TensorFlow Serving's REST API: JSON ↔ tensors, nothing else.

What a request may look like: https://www.tensorflow.org/tfx/serving/api_rest. What is answered to
one that looks otherwise was learnt from the genuine server's answers, see tests/serve/data.
"""

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.json_array_reader import RegularRequest, read_regular
from kerashw.serve.json_text.json_error_locator import Collector
from kerashw.serve.json_text.json_reader import pairs_of, read_json
from kerashw.serve.json_text.json_writer import float_texts, quoted, string_text
from kerashw.serve.json_text.tensors import is_base64, nested, tensor_of_regular, texts_of

DEFAULT_SIGNATURE = "serving_default"


def read_request(body):
    """Read the JSON object that a request is.

    Args:
        body: Bytes.

    Returns:
        Dictionary.

    Raises:
        RequestError: If it is not one, or its `signature_name` is no string.
    """
    request = read_json(body)
    if not isinstance(request, dict):
        raise RequestError(f"JSON Value: {quoted(request)} Is not object")
    if not isinstance(request.get("signature_name", ""), str):
        raise RequestError(
            f"JSON Value: {quoted(request)} not formatted correctly. 'signature_name' key must be "
            "a string value."
        )
    return request


def read_predict_request(body):
    """Read a predict request; as `read_request`, but quicker where it is as most are."""
    request = read_regular(body)
    return read_request(body) if request is None else request


def predict_inputs(request, types):
    """Return the tensors of a predict request, in row format or in column format.

    Args:
        request: Dictionary, from `read_predict_request`.
        types: Dictionary, the signature's inputs: name → TensorFlow's name of the type.

    Returns:
        Dictionary of arrays by name; and whether the request is in row format.

    Raises:
        RequestError: If the request does not fit the signature.

    Example:
        >>> request = read_predict_request(b'{"instances": [1.0, 2.0]}')
        >>> predict_inputs(request, {"x": "float"})
        ({'x': array([1., 2.], dtype=float32)}, True)
    """
    if isinstance(request, RegularRequest):
        tensors = request.tensors(types)
        if tensors is not None:
            return tensors, request.rows
        request = read_request(request.body)
    if not types:
        name = request.get("signature_name") or "DEFAULT"
        raise RequestError(f"Failed to get input map for signature: {name}")
    if "instances" in request:
        if "inputs" in request:
            raise RequestError(
                f"JSON Value: {quoted(request)} Not formatted correctly expecting only one of "
                "'inputs' or 'instances' keys to exist "
            )
        return _rows(_filled_list(request), types), True
    if "inputs" in request:
        return _columns(request["inputs"], types), False
    raise RequestError("Missing 'inputs' or 'instances' key")


def _filled_list(request):
    instances = request["instances"]
    if not isinstance(instances, list):
        raise RequestError(
            f"JSON Value: {quoted(request)} Expecting 'instances' to be an list/array"
        )
    if not instances:
        raise RequestError(f"JSON Value: {quoted(request)} No values in 'instances' array")
    return instances


def _rows(instances, types):
    if not isinstance(instances[0], dict) and len(types) > 1:
        raise RequestError(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    if _is_named(instances[0]):
        return _regular_named_rows(instances, types) or _named_rows(instances, types)
    name = next(iter(types))
    if not any(map(_is_named, instances)):
        tensor = tensor_of_regular(instances, types[name])
        if tensor is not None:
            return {name: tensor}
    collector = Collector(types[name])
    for number, instance in enumerate(instances):
        if _is_named(instance):
            raise RequestError(
                f"Expecting value/list but got object at item {number} of input list"
            )
        with _Place(f"{number} of"):
            collector.add(instance)
    return {name: collector.tensor([len(instances)])}


def _is_named(instance):
    return isinstance(instance, dict) and not is_base64(instance)


def _regular_named_rows(instances, types):
    """Return the tensors of objects that all have exactly the right keys, and regular values."""
    if not all(
        type(instance) is dict and instance.keys() == types.keys() for instance in instances
    ):
        return None
    tensors = {
        name: tensor_of_regular([instance[name] for instance in instances], dtype)
        for name, dtype in types.items()
    }
    return None if any(tensor is None for tensor in tensors.values()) else tensors


def _named_rows(instances, types):
    collectors = {name: Collector(dtype) for name, dtype in types.items()}
    for number, instance in enumerate(instances):
        if not _is_named(instance):
            raise RequestError(f"Expecting object but got list at item {number} of input list")
        for name, value in pairs_of(instance):
            with _Place(f"{number} key: {name} of"):
                if name not in types:
                    raise RequestError(f"JSON object: does not have named input: {name}")
                collectors[name].add(value)
        if instance.keys() != types.keys():
            raise RequestError(
                f"Failed to process element: {number} of 'instances' list. JSON object: "
                f"{quoted(instance)} keys must be equal to: {','.join(sorted(types))}"
            )
    return {name: each.tensor([len(instances)]) for name, each in collectors.items()}


class _Place:
    """Says of an error where in the list of instances it is."""

    def __init__(self, place):
        self.place = place

    def __enter__(self):
        pass

    def __exit__(self, kind, error, trace):
        if isinstance(error, RequestError):
            raise RequestError(
                f"Failed to process element: {self.place} 'instances' list. "
                f"Error: {error.code}: {error.message}"
            )


def _columns(inputs, types):
    if _is_named(inputs):
        for name in types:
            if name not in inputs:
                raise RequestError(f"Missing named input: {name} in 'inputs' object.")
        return {name: _column(inputs[name], dtype) for name, dtype in types.items()}
    if len(types) > 1:
        raise RequestError(
            "inputs is a plain value/list, but expecting an object as multiple input tensors "
            "required as per tensorinfo_map"
        )
    return {name: _column(inputs, dtype) for name, dtype in types.items()}


def _column(value, dtype):
    tensor = tensor_of_regular(value, dtype)
    if tensor is None:
        collector = Collector(dtype)
        collector.add(value)
        tensor = collector.tensor()
    return tensor


def predict_answer(outputs, rows):
    """Return the answer to a predict request.

    Args:
        outputs: Dictionary of arrays by name.
        rows: Boolean, whether the request was in row format.

    Returns:
        Bytes, JSON.

    Raises:
        RequestError: If the outputs cannot be written, or not as rows.

    Example:
        >>> import numpy as np
        >>> predict_answer({"y": np.float32([2.5, 3])}, rows=False)
        b'{"outputs": [2.5, 3.0]}'
    """
    if not outputs:
        raise RequestError("Cannot convert empty tensor map to JSON")
    text = _rows_text(outputs) if rows else _columns_text(outputs)
    key = "predictions" if rows else "outputs"
    return f'{{"{key}": {text}}}'.encode("utf-8", "surrogateescape")


def _rows_text(outputs):
    batch = None
    for name, array in outputs.items():
        if not array.ndim:
            raise RequestError(f"Tensor name: {name} has no shape information ")
        if batch not in (None, len(array)):
            raise RequestError(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {batch}"
            )
        batch = len(array)
    columns = [nested(_texts(name, array), array.shape) for name, array in outputs.items()]
    rows = columns[0]
    if len(outputs) > 1:
        rows = [_object(outputs, row) for row in zip(*columns, strict=True)]
    return f"[{_lines(rows)}]"


def _columns_text(outputs):
    # A dimension of one around it all, and away with it: so a scalar is like the others.
    texts = [nested(_texts(name, array), (1, *array.shape))[0] for name, array in outputs.items()]
    return texts[0] if len(texts) == 1 else _object(outputs, texts)


def _object(names, texts):
    members = (f"{string_text(name)}: {text}" for name, text in zip(names, texts, strict=True))
    return f"{{{', '.join(members)}}}"


def _lines(texts):
    return ",\n".join(texts)


def _texts(name, array):
    return texts_of(array, as_bytes=name.endswith("_bytes"))


def classify_answer(classes):
    """Return the answer to a classify request.

    Args:
        classes: Pair of arrays (N, classes): labels as bytes, and scores; either may be None.

    Returns:
        Bytes, JSON.
    """
    labels, scores = classes
    shape = (labels if scores is None else scores).shape
    size = shape[0] * shape[1]
    labels = ['""'] * size if labels is None else texts_of(labels)
    scores = ["0.0"] * size if scores is None else texts_of(scores)
    pairs = [f"[{label}, {score}]" for label, score in zip(labels, scores, strict=True)]
    return _results(nested(pairs, shape))


def regress_answer(values):
    """Return the answer to a regress request.

    Args:
        values: Array of floats.

    Returns:
        Bytes, JSON.
    """
    return _results(float_texts(values.reshape(-1)))


def _results(texts):
    return f'{{"results": [{_lines(texts)}]}}'.encode("utf-8", "surrogateescape")


def error_answer(error):
    """Return the body of the answer to a request that failed.

    Args:
        error: `RequestError`.

    Returns:
        Bytes: JSON, or nothing.
    """
    if error.silent:
        return b""
    return f'{{"error": {string_text(error.message)}}}'.encode("utf-8", "surrogateescape")

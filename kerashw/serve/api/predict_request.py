"""Reads a predict request: its body as JSON, and the JSON as tensors.

The format is described at https://www.tensorflow.org/tfx/serving/api_rest. The errors are those of
the recorded responses in tests/serve/data.
"""

from kerashw.serve.api.request_body import read_request
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.byte_strings import is_base64
from kerashw.serve.json_text.error_text import quote
from kerashw.serve.json_text.json_array_reader import NumberArray, read_array_request
from kerashw.serve.json_text.json_object import all_items
from kerashw.serve.json_text.tensor_builder import TensorBuilder
from kerashw.serve.json_text.tensor_reader import try_read_tensor


def read_predict_request(body):
    """Read the JSON object of a predict request.

    Args:
        body: Bytes.

    Returns:
        Dictionary. The value of `instances` or `inputs` is a `NumberArray` if possible, as this is
        three times as fast.

    Raises:
        RequestError: See `kerashw.serve.api.request_body.read_request`.
    """
    request = read_array_request(body)
    return read_request(body) if request is None else request


def predict_inputs(request, types):
    """Return the tensors of a predict request in row format or column format.

    Args:
        request: Dictionary, from `read_predict_request`.
        types: Dictionary, the signature's inputs: name → TensorFlow's name of the type.

    Returns:
        Dictionary of arrays by name, and a boolean, whether the request is in row format.

    Raises:
        RequestError: If the request does not fit the signature.

    Example:
        >>> request = read_predict_request(b'{"instances": [1.0, 2.0]}')
        >>> predict_inputs(request, {"x": "float"})
        ({'x': array([1., 2.], dtype=float32)}, True)
    """
    row_format = "instances" in request
    key = "instances" if row_format else "inputs"
    numbers = request.get(key)
    if isinstance(numbers, NumberArray):
        tensors = _number_tensors(numbers, types)
        if tensors is not None:
            return tensors, row_format
        request = {**request, key: numbers.tolist()}
    if not types:
        name = request.get("signature_name") or "DEFAULT"
        raise RequestError(f"Failed to get input map for signature: {name}")
    if row_format:
        if "inputs" in request:
            raise RequestError(
                f"JSON Value: {quote(request)} Not formatted correctly expecting only one of "
                "'inputs' or 'instances' keys to exist "
            )
        return _row_tensors(_nonempty_instances(request), types), True
    if "inputs" in request:
        return _column_tensors(request["inputs"], types), False
    raise RequestError("Missing 'inputs' or 'instances' key")


def _nonempty_instances(request):
    instances = request["instances"]
    if not isinstance(instances, list):
        raise RequestError(
            f"JSON Value: {quote(request)} Expecting 'instances' to be an list/array"
        )
    if not instances:
        raise RequestError(f"JSON Value: {quote(request)} No values in 'instances' array")
    return instances


def _number_tensors(numbers, types):
    if len(types) != 1:
        return None
    [(name, dtype)] = types.items()
    tensor = numbers.try_tensor(dtype)
    return None if tensor is None else {name: tensor}


def _row_tensors(instances, types):
    if not isinstance(instances[0], dict) and len(types) > 1:
        raise RequestError(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    if _is_named(instances[0]):
        return _try_named_rows(instances, types) or _named_rows(instances, types)
    name, dtype = next(iter(types.items()))
    return {name: _unnamed_rows(instances, dtype)}


def _is_named(instance):
    """Return whether a JSON value is an object of values by input name."""
    return isinstance(instance, dict) and not is_base64(instance)


def _unnamed_rows(instances, dtype):
    if not any(map(_is_named, instances)):
        tensor = try_read_tensor(instances, dtype)
        if tensor is not None:
            return tensor
    builder = TensorBuilder(dtype)
    for number, instance in enumerate(instances):
        if _is_named(instance):
            raise RequestError(
                f"Expecting value/list but got object at item {number} of input list"
            )
        try:
            builder.add(instance)
        except RequestError as error:
            raise _element_error(f"{number} of", error) from None
    return builder.build([len(instances)])


def _try_named_rows(instances, types):
    """Return the tensors, or None if an object has other keys or a value is not a tensor."""
    if not all(
        type(instance) is dict and instance.keys() == types.keys() for instance in instances
    ):
        return None
    tensors = {
        name: try_read_tensor([instance[name] for instance in instances], dtype)
        for name, dtype in types.items()
    }
    return None if any(tensor is None for tensor in tensors.values()) else tensors


def _named_rows(instances, types):
    builders = {name: TensorBuilder(dtype) for name, dtype in types.items()}
    for number, instance in enumerate(instances):
        if not _is_named(instance):
            raise RequestError(f"Expecting object but got list at item {number} of input list")
        for name, value in all_items(instance):
            try:
                if name not in types:
                    raise RequestError(f"JSON object: does not have named input: {name}")
                builders[name].add(value)
            except RequestError as error:
                raise _element_error(f"{number} key: {name} of", error) from None
        if instance.keys() != types.keys():
            raise RequestError(
                f"Failed to process element: {number} of 'instances' list. JSON object: "
                f"{quote(instance)} keys must be equal to: {','.join(sorted(types))}"
            )
    return {name: builder.build([len(instances)]) for name, builder in builders.items()}


def _element_error(element, error):
    return RequestError(
        f"Failed to process element: {element} 'instances' list. "
        f"Error: {error.code}: {error.message}"
    )


def _column_tensors(inputs, types):
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
    tensor = try_read_tensor(value, dtype)
    if tensor is None:
        builder = TensorBuilder(dtype)
        builder.add(value)
        tensor = builder.build()
    return tensor

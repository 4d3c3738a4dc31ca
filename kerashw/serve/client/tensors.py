"""Arrays as TensorFlow's messages, for the gRPC API."""

import numpy as np
import tensorflow as tf

from kerashw.errors import ClientError
from kerashw.serve.client.inputs import unsupported_type


def to_array(value):
    """Return an input as an array. Strings become bytes in an array of objects.

    Args:
        value: From `kerashw.serve.client.inputs.read_values`.

    Raises:
        ClientError: If the value is no array of one of TensorFlow's types.

    Example:
        >>> to_array(["a", b"b"])
        array([b'a', b'b'], dtype=object)
    """
    try:
        array = np.asarray(value)
        if array.dtype.kind in "SU":  # NumPy's strings have no zero bytes at their end
            array = np.asarray(value, object)
    except ValueError as error:  # "setting an array element with a sequence. …"
        raise ClientError(f"Nested lists must have equal lengths: {error}", 400) from None
    if array.dtype == object:
        return np.array([_to_bytes(item) for item in array.flat], object).reshape(array.shape)
    try:
        tf.as_dtype(array.dtype)
    except TypeError:
        raise unsupported_type(array.dtype.name) from None
    return array


def _to_bytes(item):
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, bytes):
        return item
    if item is None or isinstance(item, int | float):
        raise ClientError(
            "An input must have numbers of up to 64 bits alone, or strings alone. "
            f"Received: {item!r}",
            400,
        )
    raise unsupported_type(type(item).__name__)


def cast(array, enum):
    """Return an array as the type of a signature's input if its values have it.

    Integers and floats become floats, and integers become integers that are equal. Other arrays
    stay as they are: the server refuses them, as it does over REST.

    Args:
        array: From `to_array`.
        enum: Integer, the type as TensorFlow's `DataType`.

    Example:
        >>> cast(np.array([1, 200]), tf.uint8.as_datatype_enum)
        array([  1, 200], dtype=uint8)
        >>> cast(np.array([1.0, 200]), tf.uint8.as_datatype_enum)
        array([  1., 200.])
    """
    given, wanted = tf.as_dtype(array.dtype), tf.as_dtype(enum)
    is_number = given.is_integer or given.is_floating
    if array.size and not (is_number and (wanted.is_integer or wanted.is_floating)):
        return array
    with np.errstate(over="ignore"):  # such a number is infinite, as over REST
        converted = array.astype(wanted.as_numpy_dtype)
    fits = wanted.is_floating or (given.is_integer and (converted == array).all())
    return converted if fits or not array.size else array


def from_tensor(name, tensor):
    r"""Return an output as an array, whose strings are those of REST.

    Args:
        name: String. If it ends in `_bytes`, strings are bytes.
        tensor: `TensorProto`.

    Example:
        >>> from_tensor("text", tf.make_tensor_proto(["é"]))
        array(['é'], dtype='<U1')
        >>> from_tensor("text_bytes", tf.make_tensor_proto(["é"]))
        array([b'\xc3\xa9'], dtype=object)
    """
    array = tf.make_ndarray(tensor)
    if array.dtype != object or name.endswith("_bytes"):
        return array
    return np.array([item.decode(errors="replace") for item in array.flat], str).reshape(
        array.shape
    )

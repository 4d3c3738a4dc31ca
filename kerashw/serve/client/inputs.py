"""The inputs of a request: arrays, files and lists of them."""

import base64
import os
from pathlib import Path

import numpy as np

from kerashw.errors import ClientError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
PIXELS = "pixels"


def select_signature(inputs):
    """Return the inputs for a signature and its name; None is the default signature."""
    if isinstance(inputs, list | tuple) and inputs and all(map(is_file, inputs)):
        return inputs, "image_bytes"
    if isinstance(inputs, dict) and len(inputs) == 1:
        [(name, value)] = inputs.items()
        pixels = _find_pixels(value)
        return (inputs, None) if pixels is None else ({name: pixels}, PIXELS)
    pixels = _find_pixels(inputs)
    return (inputs, None) if pixels is None else (pixels, PIXELS)


def _find_pixels(value):
    """Return a uint8 array, or a list of uint8 images, as one array; None if it is neither.

    Raises:
        ClientError: If the array has only zeros and ones.
    """
    array = _try_array(value)
    if array is None or array.dtype != np.uint8:
        return None
    if array.size and array.max() == 1:
        raise ClientError(
            f"The signature {PIXELS} reads 1 of 255 as nearly black. Multiply zeros and ones by "
            "255, convert them to floats, or send images (N, height, width) as they are with "
            f'signature="{PIXELS}". Received: a uint8 array {array.shape} of zeros and ones'
        )
    if array.ndim == 2:  # one image
        return array[np.newaxis]
    return array[..., 0] if array.ndim == 4 and array.shape[-1] == 1 else array


def _try_array(value):
    """Return an array, or a list of arrays of equal shape as one array; None for other values."""
    if isinstance(value, list | tuple):
        if not all(map(is_array, value)):
            return None
        arrays = [np.asarray(each) for each in value]
        has_one_shape = len({each.shape for each in arrays}) == 1
        return np.stack(arrays) if has_one_shape and arrays[0].ndim else None
    return np.asarray(value) if is_array(value) else None


def is_array(value):
    """Return whether NumPy can read a value as an array. PIL images have the second name alone."""
    return hasattr(value, "__array__") or hasattr(value, "__array_interface__")


def is_file(value):
    """Return whether an input is the path of a file."""
    if isinstance(value, str):
        return value.lower().endswith(IMAGE_SUFFIXES)
    return isinstance(value, os.PathLike)


def read_values(value):
    """Return inputs with arrays for all that NumPy reads as such, and bytes for files.

    Arrays of strings or of objects become nested lists.

    Raises:
        OSError: If a file cannot be read.
    """
    if isinstance(value, dict):
        return {str(name): read_values(inner) for name, inner in value.items()}
    if is_file(value):
        return Path(value).read_bytes()
    if isinstance(value, list | tuple):
        return [read_values(inner) for inner in value]
    if is_array(value):
        array = np.asarray(value)
        return read_values(array.tolist()) if array.dtype.kind in "OSU" else array
    return value


def to_json(value):
    """Convert the values of `read_values` to those of JSON. Bytes become base64."""
    if isinstance(value, dict):
        return {name: to_json(inner) for name, inner in value.items()}
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [to_json(inner) for inner in value]
    return value.tolist() if is_array(value) else value


def unsupported_type(name):
    """Return the error for an input of a type that no request can have."""
    return ClientError(
        "The inputs must be arrays, lists, numbers, strings, bytes, image files or dictionaries of "
        f"these. Received: Object of type {name}"
    )

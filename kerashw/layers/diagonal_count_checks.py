"""What `DiagonalCount` refuses: arguments, shapes, and pixels that it would count wrongly."""

import math

import numpy as np
from keras import ops

from kerashw.errors import InputError

DIAGONALS = {"anti": ("anti",), "main": ("main",), "both": ("anti", "main")}
COUNTS = ("peaks", "segments")
DATA_FORMATS = ("channels_last", "channels_first")


def check_arguments(size, diagonal, threshold, count, data_format, pixel_threshold):
    """Raise an `InputError` if an argument of the layer is invalid."""
    if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 2:
        raise InputError(f"`size` must be an integer of at least 2. Received: size={size!r}")
    for name, value, known in (
        ("diagonal", diagonal, DIAGONALS),
        ("count", count, COUNTS),
        ("data_format", data_format, DATA_FORMATS),
    ):
        if value not in known:
            raise InputError(f"`{name}` must be one of {', '.join(known)}. Received: {value!r}")
    if threshold is not None and not (_is_number(threshold) and 0 < threshold <= size):
        raise InputError(
            f"`threshold` must be above 0 and at most the size, {size}: no window of {size} pixels "
            f"on a diagonal has a greater sum. Received: threshold={threshold!r}"
        )
    if pixel_threshold is not None and not _is_number(pixel_threshold):
        raise InputError(
            "`pixel_threshold` must be a finite number, or None. "
            f"Received: pixel_threshold={pixel_threshold!r}"
        )


def check_shape(shape, size, data_format):
    """Raise an `InputError` if images of this shape have no place for the kernel."""
    first = data_format == "channels_first"
    if len(shape) != 4 or not shape[1 if first else -1]:
        expected = "(N, channels, height, width)" if first else "(N, height, width, channels)"
        raise InputError(
            f"DiagonalCount needs images {expected} with a known number of channels. "
            f"Received: input_shape={shape}"
        )
    if any(n is not None and n < size for n in (shape[2:] if first else shape[1:3])):
        raise InputError(
            f"images must be at least as high and as wide as the kernel, size={size}. "
            f"Received: input_shape={shape}"
        )


def check_pixels(images, tolerance):
    """Raise an `InputError` if a float is visibly outside [0, 1]; NaN is not."""
    try:
        is_outside = bool(ops.any(ops.abs(images - 0.5) > 0.5 + tolerance))
    except (TypeError, RuntimeError):  # a tensor without values, while a graph is traced
        return
    if is_outside:
        low, high = (float(ops.convert_to_numpy(of(images))) for of in (ops.min, ops.max))
        raise InputError(
            "pixels of floating-point images must be in [0, 1]: scale them, or set "
            "`pixel_threshold`, above which a pixel is set. "
            f"Received: pixels from {low:g} to {high:g}"
        )


def _is_number(value):
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_real and math.isfinite(value)

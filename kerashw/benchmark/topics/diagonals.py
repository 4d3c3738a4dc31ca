"""Counting diagonals, compared with the convolutions of TensorFlow and OpenCV."""

from functools import partial

import numpy as np
import tensorflow as tf

from kerashw.benchmark.alternating_timing import Comparison, time_alternately
from kerashw.errors import BenchmarkError
from kerashw.layers import DiagonalCount

WARM_UP = 3  # rounds
# Calls per round. The first call mostly waits for data that the peer has pushed out of the caches.
CALLS = 4


def counting_functions():
    """Return the functions that count the homework's diagonals.

    Returns:
        Dict, name → function of uint8 images of zeros and ones (N, height, width, 1) that returns
        an integer array of counts (N,). The names are "DiagonalCount, compiled" (the layer in a
        `tf.function` compiled with XLA), "DiagonalCount" (in a plain `tf.function`),
        "tf.nn.conv2d", and, if OpenCV is installed, "cv2.filter2D".

    Example:
        >>> images = np.eye(5, dtype="uint8")[None, ::-1, :, None]
        >>> {int(count(images)[0]) for count in counting_functions().values()}
        {3}
    """
    layer = DiagonalCount()
    functions = {
        "DiagonalCount, compiled": tf.function(layer, jit_compile=True),
        "DiagonalCount": tf.function(layer),
        "tf.nn.conv2d": tf.function(_conv2d),
    }
    functions = {name: _to_numpy(function) for name, function in functions.items()}
    try:
        import cv2
    except ImportError:
        return functions
    return functions | {"cv2.filter2D": lambda images: _filter2d(cv2, images)}


def measure(setup):
    """Compare all counting functions; see `compare_counting`."""
    setup.progress("counting")
    yield from compare_counting()
    if "cv2.filter2D" not in counting_functions():
        yield "OpenCV is not installed and left out: pip install '.[benchmark]'"


def compare_counting(images=1024, image_size=100, rounds=20, density=0.1):
    """Time the compiled layer and all other counting functions on the same uint8 images.

    Args:
        images: Positive integer, the number of images per call.
        image_size: Integer, at least 3, the height and width of the images.
        rounds: Positive integer, the number of times that each function is timed.
        density: Float in [0, 1], the share of pixels that are set.

    Yields:
        `Comparison`, one per peer that is installed.

    Raises:
        BenchmarkError: If the counts of a function differ from those of NumPy.
    """
    shape = (images, image_size, image_size, 1)
    batch = (np.random.default_rng(0).random(shape) < density).astype("uint8")
    functions = counting_functions()
    expected = _count_with_numpy(batch)
    for name, function in functions.items():
        if not np.array_equal(function(batch), expected):
            raise BenchmarkError(f"{name} does not count what NumPy counts")
    # Tensors, as from a data pipeline. OpenCV reads NumPy arrays.
    inputs = {name: batch if name.startswith("cv2") else tf.constant(batch) for name in functions}

    def repeat(name):
        for _ in range(CALLS):
            functions[name](inputs[name])

    ours = "DiagonalCount, compiled"
    for peer in functions:
        if peer != ours:
            seconds = time_alternately(
                partial(repeat, ours), partial(repeat, peer), rounds, WARM_UP
            )
            rate = CALLS * images / np.median(seconds[0])
            quality = f"{rate:,.0f} images per second; equal counts"
            yield Comparison(f"counting, {image_size}×{image_size}", peer, *seconds, quality)


def _to_numpy(function):
    return lambda images: function(images).numpy()


def _conv2d(images):
    kernel = tf.reverse(tf.eye(3), [0])[:, :, tf.newaxis, tf.newaxis]
    feature_map = tf.nn.conv2d(tf.cast(images, tf.float32), kernel, 1, "VALID")
    return tf.reduce_sum(tf.cast(feature_map > 2.5, tf.int32), axis=(1, 2, 3))


def _filter2d(cv2, images):
    kernel = np.eye(3, dtype="float32")[::-1].copy()
    counts = np.empty(len(images), int)
    for number, image in enumerate(images):
        # In bytes, because OpenCV is fastest with these. The padded border is removed.
        feature_map = cv2.filter2D(image, -1, kernel)
        counts[number] = np.count_nonzero(feature_map[1:-1, 1:-1] >= 3)
    return counts


def _count_with_numpy(images):
    x = images[..., 0]
    return (x[:, 2:, :-2] & x[:, 1:-1, 1:-1] & x[:, :-2, 2:]).sum((1, 2))

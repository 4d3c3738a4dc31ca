"""What counting diagonals costs, beside the convolutions of TensorFlow and OpenCV."""

import statistics
import time
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerashw.layers import DiagonalCount

__all__ = ["CountingCost", "counting_cost", "counting_functions"]

UNTIMED_ROUNDS = 3
# So many calls a turn: one alone would mostly wait for what the peer before it left in the caches.
CALLS_A_TURN = 4


class CountingCost(NamedTuple):
    """One way to count: images a second, and how many times that of each peer.

    The ratios are medians of the ratios round by round; a peer that is not installed has none.
    """

    images_a_second: float
    times_conv2d: float
    times_filter2d: float | None


def counting_functions():
    """Give every way to count the homework's diagonals that can run here.

    Returns:
        Dict of functions, by name, uint8 images of zeros and ones (N, height, width, 1) → counts,
        integer array (N,): "DiagonalCount, XLA" (the layer in a function that is compiled),
        "DiagonalCount" (in a TensorFlow function that is not), "tf.nn.conv2d", and, where OpenCV is
        installed, "cv2.filter2D".

    Example:
        >>> images = np.eye(5, dtype="uint8")[None, ::-1, :, None]
        >>> {int(count(images)[0]) for count in counting_functions().values()}
        {3}
    """
    layer = DiagonalCount()
    functions = {
        "DiagonalCount, XLA": tf.function(layer, jit_compile=True),
        "DiagonalCount": tf.function(layer),
        "tf.nn.conv2d": tf.function(_conv2d),
    }
    functions = {name: _to_numpy(function) for name, function in functions.items()}
    try:
        import cv2
    except ImportError:
        return functions
    return functions | {"cv2.filter2D": lambda images: _filter2d(cv2, images)}


def counting_cost(images=1024, image_size=100, rounds=20, density=0.1, seed=0):
    """Time every way to count, turn by turn in this process, on the same images.

    Args:
        images: Positive integer, the images that one call counts.
        image_size: Integer, at least 3, their height and width.
        rounds: Positive integer, how often each is timed, after a few rounds that are not.
        density: Float in [0, 1], the share of pixels that are set.
        seed: Non-negative integer, for the images.

    Returns:
        Dict of `CountingCost`, by the name in `counting_functions`.

    Raises:
        ArithmeticError: If two ways to count do not agree.

    Example:
        >>> cost = counting_cost(images=8, image_size=10, rounds=1)
        >>> cost["tf.nn.conv2d"].times_conv2d
        1.0
    """
    shape = (images, image_size, image_size, 1)
    batch = (np.random.default_rng(seed).random(shape) < density).astype("uint8")
    functions = counting_functions()
    expected = _by_numpy(batch)
    for name, function in functions.items():
        if not np.array_equal(function(batch), expected):
            raise ArithmeticError(f"{name} does not count what NumPy counts")
    # On the device once, as a pipeline would have it; OpenCV reads NumPy's arrays.
    given = {name: batch if name.startswith("cv2") else tf.constant(batch) for name in functions}
    seconds = {name: [] for name in functions}
    for _ in range(UNTIMED_ROUNDS + rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            for _ in range(CALLS_A_TURN):
                function(given[name])
            seconds[name].append((time.perf_counter() - start) / CALLS_A_TURN)
    seconds = {name: values[UNTIMED_ROUNDS:] for name, values in seconds.items()}
    return {
        name: CountingCost(
            images / statistics.median(values),
            _ratio(seconds["tf.nn.conv2d"], values),
            _ratio(seconds.get("cv2.filter2D"), values),
        )
        for name, values in seconds.items()
    }


def _ratio(peer, own):
    if peer is None:
        return None
    return statistics.median(p / o for p, o in zip(peer, own, strict=True))


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
        # In bytes, OpenCV's own fast path; its border, which it makes up, is cut away.
        feature_map = cv2.filter2D(image, -1, kernel)
        counts[number] = np.count_nonzero(feature_map[1:-1, 1:-1] >= 3)
    return counts


def _by_numpy(images):
    x = images[..., 0]
    return (x[:, 2:, :-2] & x[:, 1:-1, 1:-1] & x[:, :-2, 2:]).sum((1, 2))

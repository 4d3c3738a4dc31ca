"""What counting diagonals costs, beside the convolutions of TensorFlow and OpenCV."""

import numpy as np
import tensorflow as tf

from kerashw.benchmark.alternating_timing import Comparison, take_turns
from kerashw.errors import BenchmarkError
from kerashw.layers import DiagonalCount

# Rounds that are not counted; and so many calls a round: one alone would mostly wait for what the
# peer before it left in the caches.
WARM_UP, CALLS = 3, 4


def counting_functions():
    """Give every way to count the homework's diagonals that can run here.

    Returns:
        Dict of functions, by name, uint8 images of zeros and ones (N, height, width, 1) → counts,
        integer array (N,): "DiagonalCount, compiled" (the layer in a function that is compiled),
        "DiagonalCount" (in a TensorFlow function that is not), "tf.nn.conv2d", and, where OpenCV is
        installed, "cv2.filter2D".

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
    """Compare all ways to count; see `compare_counting`."""
    setup.progress("counting")
    yield from compare_counting()
    if "cv2.filter2D" not in counting_functions():
        yield "OpenCV is not installed and left out: pip install '.[benchmark]'"


def compare_counting(images=1024, image_size=100, rounds=20, density=0.1):
    """Time the layer, compiled, and every other way to count, on the same uint8 images.

    Args:
        images: Positive integer, the images that one call counts.
        image_size: Integer, at least 3, their height and width.
        rounds: Positive integer, how often each is timed.
        density: Float in [0, 1], the share of pixels that are set.

    Yields:
        `Comparison`, one a peer that is installed.

    Raises:
        BenchmarkError: If two ways to count do not agree.
    """
    shape = (images, image_size, image_size, 1)
    batch = (np.random.default_rng(0).random(shape) < density).astype("uint8")
    functions = counting_functions()
    expected = _by_numpy(batch)
    for name, function in functions.items():
        if not np.array_equal(function(batch), expected):
            raise BenchmarkError(f"{name} does not count what NumPy counts")
    # On the device once, as a pipeline would have it; OpenCV reads NumPy's arrays.
    given = {name: batch if name.startswith("cv2") else tf.constant(batch) for name in functions}

    def repeated(name):
        def run(turn):
            for _ in range(WARM_UP + rounds):
                with turn():
                    for _ in range(CALLS):
                        functions[name](given[name])

        return run

    ours = "DiagonalCount, compiled"
    for peer in functions:
        if peer != ours:
            seconds = take_turns(repeated(ours), repeated(peer), warm_up=WARM_UP)
            rate = CALLS * images / np.median(seconds[0])
            quality = f"{rate:,.0f} images a second; equal counts"
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
        # In bytes, OpenCV's own fast path; its border, which it makes up, is cut away.
        feature_map = cv2.filter2D(image, -1, kernel)
        counts[number] = np.count_nonzero(feature_map[1:-1, 1:-1] >= 3)
    return counts


def _by_numpy(images):
    x = images[..., 0]
    return (x[:, 2:, :-2] & x[:, 1:-1, 1:-1] & x[:, :-2, 2:]).sum((1, 2))

"""Grey pictures of numbers, as PNG files that a TensorFlow graph writes."""

import math

import tensorflow as tf


def columns_of(count):
    """Return how many tiles are in a row of a picture: a power of two, at least as many as rows.

    Args:
        count: Integer, the number of tiles.

    Returns:
        Integer.

    Example:
        >>> [columns_of(count) for count in (1, 10, 32, 64, 512)]
        [1, 4, 8, 8, 32]
    """
    return 2 ** math.ceil(math.log2(count) / 2)


def tile(maps, columns):
    """Place maps beside and below each other, row by row, without gaps.

    Args:
        maps: Float tensor (N, height, width, maps).
        columns: Integer, the number of maps in a row.

    Returns:
        Float tensor (N, rows * height, columns * width). Tiles that no map fills are 0.
    """
    _, height, width, count = maps.shape
    rows = -(-count // columns)
    maps = tf.pad(maps, [(0, 0), (0, 0), (0, 0), (0, rows * columns - count)])
    maps = tf.reshape(maps, (-1, height, width, rows, columns))
    maps = tf.transpose(maps, (0, 3, 1, 4, 2))
    return tf.reshape(maps, (-1, rows * height, columns * width))


def largest(values):
    """Return the largest absolute value in each example.

    Args:
        values: Float tensor (N, …).

    Returns:
        float32 tensor (N,).
    """
    values = tf.cast(values, tf.float32)
    return tf.reduce_max(tf.abs(values), axis=list(range(1, len(values.shape))))


def encode_pictures(pictures, scales, signed):
    """Encode numbers as grey PNG files.

    Args:
        pictures: Float tensor (N, height, width).
        scales: float32 tensor (N,), the number that is white, 255. Black stands for 0 or, in a
            signed picture, for less than the negative of this number; 128 then stands for 0.
        signed: Boolean.

    Returns:
        String tensor (N,).

    Example:
        >>> numbers = tf.constant([[[-2.0, 0.0, 1.0, 2.0]]])
        >>> (file,) = encode_pictures(numbers, largest(numbers), signed=True)
        >>> tf.io.decode_png(file)[0, :, 0].numpy().tolist()
        [1, 128, 192, 255]
    """
    zero, steps = (128, 127) if signed else (0, 255)
    shares = tf.math.divide_no_nan(tf.cast(pictures, tf.float32), scales[:, None, None])
    pixels = tf.clip_by_value(tf.round(zero + steps * shares), 0, 255)
    return tf.io.encode_png(tf.cast(pixels, tf.uint8)[..., tf.newaxis])

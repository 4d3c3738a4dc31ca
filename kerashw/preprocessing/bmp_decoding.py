"""BMP files decoded inside a TensorFlow graph, also those with a colour table.

TensorFlow's own decoder ignores the colour table of a file.
"""

import tensorflow as tf

from kerashw.preprocessing.image_formats import prepared_when_called

HEADER_BYTES = 54


@prepared_when_called
def decode_bmp(file):
    """Decode an uncompressed BMP file of 1, 4, 8, 24 or 32 bits per pixel.

    Args:
        file: String tensor, scalar, the content of the file.

    Returns:
        uint8 tensor (height, width, 3): red, green and blue.

    Raises:
        tf.errors.InvalidArgumentError: If the file is damaged, or of another kind.
    """
    bits = tf.io.decode_raw(tf.strings.substr(file, 28, 2), tf.uint16)[0]
    return tf.cond(
        bits <= 8,
        lambda: _decode_with_colour_table(file, tf.cast(bits, tf.int32)),
        # The fourth byte of 32 bits is unused in most files.
        lambda: tf.io.decode_bmp(file)[..., :3],
    )


def read_size(file):
    """Return the width and the height of a BMP file, which is negative if the top row is first.

    Args:
        file: String tensor, scalar, the content of the file.

    Returns:
        int32 tensor (2,).
    """
    return tf.io.decode_raw(tf.strings.substr(file, 18, 8), tf.int32)


def _decode_with_colour_table(file, bits):
    start, header_bytes = tf.unstack(
        tf.io.decode_raw(tf.strings.substr(file, 10, 8), tf.int32), num=2
    )
    width, height = tf.unstack(read_size(file), num=2)
    row_bytes = (width * bits + 31) // 32 * 4
    content = tf.strings.substr(file, start, row_bytes * tf.abs(height))
    rows = tf.reshape(tf.io.decode_raw(content, tf.uint8), (tf.abs(height), row_bytes))
    # The leftmost pixel is in the highest bits of a byte.
    shifts = tf.range(8 // bits - 1, -1, -1) * bits
    colours = tf.bitwise.right_shift(tf.cast(rows, tf.int32)[..., tf.newaxis], shifts)
    colours %= tf.bitwise.left_shift(1, bits)
    colours = tf.reshape(colours, (tf.abs(height), -1))[:, :width]
    table_start = 14 + header_bytes
    table = tf.io.decode_raw(tf.strings.substr(file, table_start, start - table_start), tf.uint8)
    table = tf.reverse(tf.reshape(table, (-1, 4))[:, :3], [1])  # blue, green, red
    image = tf.gather(table, colours)
    return tf.cond(height > 0, lambda: tf.reverse(image, [0]), lambda: image)

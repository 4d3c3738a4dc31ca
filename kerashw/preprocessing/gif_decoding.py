"""The first frame of a GIF file, decoded with its transparency inside a TensorFlow graph.

TensorFlow decodes all frames of a file at once, and returns black for transparent pixels. So the
file is cut after its first frame. If the frame has a transparent colour, it is decoded twice with
two values of that colour: the pixels that differ are transparent.
"""

import tensorflow as tf

from kerashw.preprocessing.image_formats import prepared_when_called

HEADER_BYTES = 13
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, b"\x3b"
GRAPHIC_CONTROL = 0xF9


@prepared_when_called
def decode_first_frame(file):
    """Decode the first frame of a GIF file.

    Args:
        file: String tensor, scalar, the content of the file.

    Returns:
        uint8 tensor (height, width, 4): red, green, blue and opacity.

    Raises:
        tf.errors.InvalidArgumentError: If the file is damaged.

    Reference:
        *Graphics Interchange Format, Version 89a*, CompuServe, 1990.
    """
    data = tf.cast(tf.io.decode_raw(file, tf.uint8), tf.int32)
    frame, control = _find_first_frame(data)
    table = tf.where(data[frame + 9] >= 0x80, frame + 10, HEADER_BYTES)
    end = _skip_blocks(data, frame + 11 + _table_bytes(data[frame + 9]))
    first = tf.strings.join([tf.strings.substr(file, 0, end), TRAILER])
    is_transparent = (control > 0) & tf.equal(data[tf.maximum(control, 0) + 3] % 2, 1)

    def decode_opaque(file):
        return tf.io.decode_image(file, channels=3, expand_animations=False)

    def decode_transparent():
        colour = table + 3 * data[control + 6]
        opaque = _replace(first, control + 3, tf.constant(b"\0"))
        black = decode_opaque(_replace(opaque, colour, tf.constant(b"\0\0\0")))
        white = decode_opaque(_replace(opaque, colour, tf.constant(b"\xff\xff\xff")))
        opacity = tf.where(tf.reduce_any(black != white, axis=-1, keepdims=True), 0, 255)
        return tf.concat([black, tf.cast(opacity, tf.uint8)], -1)

    def decode_without_transparency():
        return tf.pad(decode_opaque(first), [[0, 0], [0, 0], [0, 1]], constant_values=255)

    return tf.cond(is_transparent, decode_transparent, decode_without_transparency)


def read_frame_size(file):
    """Return the width and the height that a GIF file and its first frame need: int32 (2,)."""
    data = tf.cast(tf.io.decode_raw(file, tf.uint8), tf.int32)
    frame, _ = _find_first_frame(data)
    low, high = data[frame + 5 : frame + 9 : 2], data[frame + 6 : frame + 10 : 2]
    return tf.maximum(low + 256 * high, data[6:10:2] + 256 * data[7:11:2])


def _find_first_frame(data):
    """Return the positions of the first frame and of the last graphic control before it, or 0."""

    def skip_extension(position, control):
        is_control = tf.equal(data[position + 1], GRAPHIC_CONTROL)
        return _skip_blocks(data, position + 2), tf.where(is_control, position, control)

    first = HEADER_BYTES + _table_bytes(data[10])
    frame, control = tf.while_loop(
        lambda position, _: tf.equal(data[position], EXTENSION),
        skip_extension,
        [first, tf.constant(0)],
    )
    with tf.control_dependencies([tf.debugging.assert_equal(data[frame], IMAGE)]):
        return tf.identity(frame), control


def _table_bytes(flags):
    """Return the size of a colour table; 0 if the flags say that there is none."""
    return tf.where(flags >= 0x80, 3 * tf.bitwise.left_shift(2, flags % 8), 0)


def _skip_blocks(data, position):
    """Return the position after a sequence of data blocks, each with its length, and a 0."""
    (end,) = tf.while_loop(
        lambda position: data[position] > 0,
        lambda position: [position + 1 + data[position]],
        [position],
    )
    return end + 1


def _replace(file, position, content):
    end = position + tf.strings.length(content)
    before, after = tf.strings.substr(file, 0, position), tf.strings.substr(file, end, 2**30)
    return tf.strings.join([before, content, after])

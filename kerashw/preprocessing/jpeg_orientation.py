"""The orientation in the Exif data of a JPEG file, read and applied inside a TensorFlow graph.

Phones save the pixels as the sensor has them, and the orientation of the phone beside them.
"""

import tensorflow as tf

# The Exif data come first in a file: a segment has at most 64 KiB, and few segments precede it.
HEADER_BYTES = 2**18
MAX_SEGMENTS = 64
MAX_ENTRIES = 256
ORIENTATION_TAG = 0x0112
EXIF, START_OF_SCAN = 0xE1, 0xDA


def read_orientation(file):
    """Read the orientation of a JPEG file.

    Args:
        file: String tensor, scalar, the content of the file.

    Returns:
        int32 tensor, scalar, from 1 to 8; 1 (upright) if there is no valid orientation.

    Reference:
        *Exchangeable image file format for digital still cameras: Exif Version 2.3*, CIPA
        DC-008-2012, sections 4.5.2, 4.6.2 and 4.6.4 A.
    """
    header = tf.io.decode_raw(tf.strings.substr(file, 0, HEADER_BYTES), tf.uint8)
    data = _Bytes(header, big_endian=True)
    segment = _find_exif(data)
    tiff = segment + 10
    data = _Bytes(header, big_endian=tf.equal(data.read(tiff, 2), 0x4D4D))
    directory = tiff + data.read(tiff + 4, 4)
    count = tf.clip_by_value(data.read(directory, 2), 0, MAX_ENTRIES)
    entries = directory + 2 + 12 * tf.range(count)
    is_orientation = tf.equal(data.read(entries, 2), ORIENTATION_TAG)
    # Other entries count as 0, so that the maximum is the value of the orientation.
    value = tf.reduce_max(tf.where(is_orientation, data.read(entries + 8, 2), 0))
    is_valid = (segment >= 0) & (value >= 1) & (value <= 8)
    return tf.where(is_valid, value, 1)


def apply_orientation(image, orientation):
    """Turn an image upright.

    Args:
        image: Tensor (height, width, channels).
        orientation: int32 tensor, scalar, from 1 to 8, as `read_orientation` returns it.

    Returns:
        Tensor (height, width, channels), or (width, height, channels) for 5 to 8.

    Example:
        >>> image = tf.constant([[[1], [2]], [[3], [4]]])
        >>> apply_orientation(image, 6)[..., 0].numpy().tolist()  # a quarter turn clockwise
        [[3, 1], [4, 2]]
    """
    image = tf.cond(orientation >= 5, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    for axis, orientations in ((0, (3, 4, 7, 8)), (1, (2, 3, 6, 7))):
        is_flipped = tf.reduce_any(tf.equal(orientation, orientations))
        image = tf.cond(
            is_flipped,
            lambda image=image, axis=axis: tf.reverse(image, [axis]),
            lambda image=image: image,
        )
    return image


def _find_exif(data):
    """Return the position of the segment with Exif data; -1 if there is none."""

    def is_exif(position):
        # The segment starts with FF E1, its length, and "Exif".
        return tf.equal(data.read(position, 2), 0xFF00 + EXIF) & tf.equal(
            data.read(position + 4, 4), int.from_bytes(b"Exif", "big")
        )

    def is_other(position):
        marker = data.read(position, 2)
        return (marker >= 0xFF00) & tf.not_equal(marker, 0xFF00 + START_OF_SCAN)

    position = tf.while_loop(
        lambda position: is_other(position) & ~is_exif(position),
        lambda position: [position + 2 + data.read(position + 2, 2)],
        [tf.constant(2)],
        maximum_iterations=MAX_SEGMENTS,
    )[0]
    return tf.where(is_exif(position), position, -1)


class _Bytes:
    """Unsigned integers in a byte string; bytes outside of it are 0.

    Args:
        data: uint8 tensor (N,).
        big_endian: Boolean, or boolean tensor; the order of the bytes of an integer.
    """

    def __init__(self, data, big_endian):
        self.data = tf.cast(tf.concat([data, [0]], 0), tf.int32)
        self.big_endian = big_endian

    def read(self, positions, size):
        """Return the integers of `size` bytes at the positions: int32 tensor of their shape."""
        positions = tf.convert_to_tensor(positions)
        order = tf.where(self.big_endian, tf.range(size)[::-1], tf.range(size))
        indices = positions[..., tf.newaxis] + tf.range(size)
        last = tf.size(self.data) - 1
        is_inside = (indices >= 0) & (indices < last)
        values = tf.gather(self.data, tf.where(is_inside, indices, last))
        return tf.reduce_sum(tf.bitwise.left_shift(values, 8 * order), axis=-1)

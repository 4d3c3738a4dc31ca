"""Image files decoded inside a TensorFlow graph, with bounds on their size and on the memory they take."""

import tensorflow as tf

# A PNG may have 4096×4096 pixels, a JPEG the 50 million of a phone's photo. At these limits a
# process grows by 110 MiB for a PNG, by 31 for a JPEG, and by 300 for a progressive one without
# subsampled colours, all of whose coefficients the decoder has to hold; 25 more for many at once.
MAX_PIXELS = {"PNG": 4096 * 4096, "JPEG": 8192 * 6144}
# Pictures of more pixels are made smaller, before anything takes four bytes a value.
ENOUGH_PIXELS = 1024 * 1024
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def is_png(file):
    return tf.equal(tf.strings.substr(file, 0, len(_PNG)), _PNG)


def is_jpeg(file):
    return tf.equal(tf.strings.substr(file, 0, len(_JPEG)), _JPEG)


def pixel_count(file):
    """Return how many pixels a file says it has, without decoding it."""

    def png_size():
        return tf.io.decode_raw(tf.strings.substr(file, 16, 8), tf.int32, little_endian=False)

    def jpeg_size():
        return tf.io.extract_jpeg_shape(file)[:2]

    return tf.reduce_prod(tf.cast(tf.cond(is_png(file), png_size, jpeg_size), tf.int64))


def decode(file):
    """Decode a file: float32 (height, width, 4), the last channel how opaque a pixel is.

    What has more than enough pixels comes out smaller by a whole number.
    """

    def jpeg(ratio):
        colours = tf.io.decode_jpeg(file, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")
        return tf.pad(colours, [[0, 0], [0, 0], [0, 1]], constant_values=255)

    factor = _times_too_large(pixel_count(file))
    picture = tf.case(
        [
            (is_png(file), lambda: tf.io.decode_png(file, channels=4)),
            # The decoder itself can make a JPEG smaller, and never holds all of it.
            (factor >= 8, lambda: jpeg(8)),
            (factor >= 4, lambda: jpeg(4)),
            (factor >= 2, lambda: jpeg(2)),
        ],
        default=lambda: jpeg(1),
    )
    height, width = tf.unstack(tf.shape(picture)[:2])
    factor = _times_too_large(tf.size(picture, tf.int64) // 4)

    def shrunk():
        size = tf.stack([-(-height // factor), -(-width // factor)])
        return tf.raw_ops.ResizeArea(images=picture[tf.newaxis], size=size)[0]

    return tf.cond(factor > 1, shrunk, lambda: tf.cast(picture, tf.float32))


def _times_too_large(pixels):
    """Return by which whole number a picture's sides are divided to be small enough."""
    return tf.cast(tf.math.ceil(tf.sqrt(tf.cast(pixels, tf.float64) / ENOUGH_PIXELS)), tf.int32)

"""PNG and JPEG files decoded inside a TensorFlow graph, with limits on size and memory."""

import tensorflow as tf

# A PNG may have 4096×4096 pixels, a JPEG the 50 million pixels of a phone's photo. At these limits,
# the memory of a process grows by 110 MiB for a PNG, by 31 MiB for a JPEG, and by 300 MiB for a
# progressive JPEG without chroma subsampling, all of whose coefficients the decoder keeps. Many
# files at once add 25 MiB.
MAX_PIXELS = {"PNG": 4096 * 4096, "JPEG": 8192 * 6144}
# Larger images are downscaled before any operation that needs four bytes per value.
MAX_DECODED_PIXELS = 1024 * 1024

SIGNATURES = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}


def has_signature(file, kind):
    """Return whether a file starts with the signature of an image format.

    Args:
        file: String tensor, scalar, the content of the file.
        kind: "PNG" or "JPEG".

    Returns:
        Boolean tensor, scalar.

    Example:
        >>> bool(has_signature(tf.io.encode_png(tf.zeros((20, 30, 1), tf.uint8)), "PNG"))
        True
    """
    signature = SIGNATURES[kind]
    return tf.equal(tf.strings.substr(file, 0, len(signature)), signature)


def pixel_count(file):
    """Read the number of pixels from the header of a file, without decoding the image.

    Args:
        file: String tensor, scalar, the content of a PNG or JPEG file.

    Returns:
        int64 tensor, scalar.

    Raises:
        tf.errors.InvalidArgumentError: If the header is damaged.

    Example:
        >>> file = tf.io.encode_png(tf.zeros((20, 30, 1), tf.uint8))
        >>> int(pixel_count(file))
        600
    """

    def png_size():
        return tf.io.decode_raw(tf.strings.substr(file, 16, 8), tf.int32, little_endian=False)

    def jpeg_size():
        return tf.io.extract_jpeg_shape(file)[:2]

    size = tf.cond(has_signature(file, "PNG"), png_size, jpeg_size)
    return tf.reduce_prod(tf.cast(size, tf.int64))


def decode_image(file):
    """Decode a file to colours and opacity.

    An image of more than `MAX_DECODED_PIXELS` pixels is downscaled by an integer factor.

    Args:
        file: String tensor, scalar, the content of a PNG or JPEG file.

    Returns:
        float32 tensor (height, width, 4) in [0, 255]: red, green, blue and opacity.

    Raises:
        tf.errors.InvalidArgumentError: If the file is damaged.

    Example:
        >>> file = tf.io.encode_png(tf.zeros((20, 30, 1), tf.uint8))
        >>> decode_image(file)[0, 0].numpy().tolist()
        [0.0, 0.0, 0.0, 255.0]
    """

    def decode_jpeg(ratio):
        colours = tf.io.decode_jpeg(file, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")
        return tf.pad(colours, [[0, 0], [0, 0], [0, 1]], constant_values=255)

    factor = _downscaling_factor(pixel_count(file))
    image = tf.case(
        [
            (has_signature(file, "PNG"), lambda: tf.io.decode_png(file, channels=4)),
            # The JPEG decoder itself can downscale, and then never holds the full image.
            (factor >= 8, lambda: decode_jpeg(8)),
            (factor >= 4, lambda: decode_jpeg(4)),
            (factor >= 2, lambda: decode_jpeg(2)),
        ],
        default=lambda: decode_jpeg(1),
    )
    return _downscale(image)


def _downscale(image):
    factor = _downscaling_factor(tf.size(image, tf.int64) // 4)
    height, width = tf.unstack(tf.shape(image)[:2])

    def resize():
        size = tf.stack([-(-height // factor), -(-width // factor)])
        return tf.raw_ops.ResizeArea(images=image[tf.newaxis], size=size)[0]

    return tf.cond(factor > 1, resize, lambda: tf.cast(image, tf.float32))


def _downscaling_factor(pixels):
    """Return the integer by which both sides are divided to get at most the allowed pixels."""
    ratio = tf.cast(pixels, tf.float64) / MAX_DECODED_PIXELS
    return tf.cast(tf.math.ceil(tf.sqrt(ratio)), tf.int32)

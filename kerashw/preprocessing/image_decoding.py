"""Image files decoded inside a TensorFlow graph, with limits on size and memory."""

import tensorflow as tf

from kerashw.preprocessing import bmp_decoding, gif_decoding
from kerashw.preprocessing.image_formats import SIGNATURES, has_signature
from kerashw.preprocessing.jpeg_orientation import apply_orientation, read_orientation

# A PNG may have 4096×4096 pixels, a JPEG the 50 million pixels of a phone's photo. At these limits,
# the memory of a process grows by 110 MiB for a PNG, by 31 MiB for a JPEG, and by 300 MiB for a
# progressive JPEG without chroma subsampling, all of whose coefficients the decoder keeps. Many
# files at once add 25 MiB.
MAX_PIXELS = {"PNG": 4096 * 4096, "JPEG": 8192 * 6144, "GIF": 2048 * 2048, "BMP": 2048 * 2048}
# Larger images are downscaled before any operation that needs four bytes per value.
MAX_DECODED_PIXELS = 1024 * 1024
MAX_CHUNKS = 1000


def pixel_limit(file):
    """Return the largest number of pixels that a file of its format may have.

    Args:
        file: String tensor, scalar, the content of a PNG, JPEG, GIF or BMP file.

    Returns:
        int64 tensor, scalar.
    """
    return _switch(
        file, {kind: lambda n=n: tf.constant(n, tf.int64) for kind, n in MAX_PIXELS.items()}
    )


def pixel_count(file):
    """Read the number of pixels from the header of a file, without decoding the image.

    Args:
        file: String tensor, scalar, the content of a PNG, JPEG, GIF or BMP file.

    Returns:
        int64 tensor, scalar.

    Raises:
        tf.errors.InvalidArgumentError: If the header is damaged.

    Example:
        >>> file = tf.io.encode_png(tf.zeros((20, 30, 1), tf.uint8))
        >>> int(pixel_count(file))
        600
    """
    size = _switch(
        file,
        {
            "PNG": lambda: tf.io.decode_raw(
                tf.strings.substr(file, 16, 8), tf.int32, little_endian=False
            ),
            "JPEG": lambda: tf.io.extract_jpeg_shape(file)[:2],
            "GIF": lambda: gif_decoding.read_frame_size(file),
            "BMP": lambda: tf.abs(bmp_decoding.read_size(file)),
        },
    )
    return tf.reduce_prod(tf.cast(size, tf.int64))


def decode_image(file):
    """Decode a file to colours and opacity.

    An image of more than `MAX_DECODED_PIXELS` pixels is downscaled by an integer factor. A JPEG is
    turned upright, as its Exif data say. Of an animated GIF, the first frame is decoded.

    Args:
        file: String tensor, scalar, the content of a PNG, JPEG, GIF or BMP file.

    Returns:
        float32 tensor (height, width, 4) in [0, 255]: red, green, blue and opacity.

    Raises:
        tf.errors.InvalidArgumentError: If the file is damaged.

    Example:
        >>> file = tf.io.encode_png(tf.zeros((20, 30, 1), tf.uint8))
        >>> decode_image(file)[0, 0].numpy().tolist()
        [0.0, 0.0, 0.0, 255.0]
    """
    image = _downscale(
        _switch(
            file,
            {
                "PNG": lambda: tf.io.decode_png(file, channels=4),
                "JPEG": lambda: _add_opacity(_decode_jpeg(file)),
                "GIF": lambda: gif_decoding.decode_first_frame(file),
                "BMP": lambda: _add_opacity(bmp_decoding.decode_bmp(file)),
            },
        )
    )
    opacity = tf.cond(
        has_signature(file, "PNG"),
        lambda: _opacity_of_png(file, image[..., 3:]),
        lambda: image[..., 3:],
    )
    return tf.concat([image[..., :3], opacity], -1)


def _switch(file, functions):
    """Call the function for the format of a file; the last one if it has no known signature."""
    *cases, default = ((has_signature(file, kind), functions[kind]) for kind in SIGNATURES)
    return tf.case(cases, default=default[1])


def _add_opacity(colours):
    return tf.pad(colours, [[0, 0], [0, 0], [0, 1]], constant_values=255)


def _opacity_of_png(file, opacity):
    """Return the opacity of an image, where TensorFlow returns a wrong one.

    For an image without transparency, TensorFlow fills the opacity with the largest value of the
    bit depth of the file, as 15 for 4 bits, instead of 255.
    """
    depth = tf.io.decode_raw(tf.strings.substr(file, 24, 1), tf.uint8)[0]
    is_wrong = (depth < 8) & ~_has_png_chunk(file, b"tRNS")
    return tf.where(is_wrong, 255.0, opacity)


def _has_png_chunk(file, name):
    """Return whether a PNG file has a chunk of this name before its pixels."""

    def read(position):
        header = tf.strings.substr(file, position, 8)
        size = tf.io.decode_raw(tf.strings.substr(header, 0, 4), tf.int32, little_endian=False)[0]
        return size, tf.strings.substr(header, 4, 4)

    def is_before(position):
        kind = read(position)[1]
        return tf.not_equal(kind, name) & tf.not_equal(kind, b"IDAT")

    (position,) = tf.while_loop(
        is_before,
        lambda position: [position + 12 + read(position)[0]],
        [tf.constant(8)],
        maximum_iterations=MAX_CHUNKS,  # the sizes in a damaged file may lead back
    )
    return tf.equal(read(position)[1], name)


def _decode_jpeg(file):
    """Decode a JPEG file upright. The decoder itself downscales, and never holds the full image."""

    def decode(ratio):
        return tf.io.decode_jpeg(file, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    factor = _downscaling_factor(
        tf.reduce_prod(tf.cast(tf.io.extract_jpeg_shape(file)[:2], tf.int64))
    )
    image = tf.case(
        [(factor >= ratio, lambda ratio=ratio: decode(ratio)) for ratio in (8, 4, 2)],
        default=lambda: decode(1),
    )
    return apply_orientation(image, read_orientation(file))


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

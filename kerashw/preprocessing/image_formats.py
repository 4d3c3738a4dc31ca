"""The formats of image files, recognized by their first bytes inside a TensorFlow graph."""

import tensorflow as tf

# The first bytes of the formats that are decoded.
SIGNATURES = {
    "PNG": b"\x89PNG\r\n\x1a\n",
    "JPEG": b"\xff\xd8\xff",
    "GIF": b"GIF8",
    "BMP": b"BM",
}
# Other formats, to name them in an error: name → (position, bytes). TensorFlow decodes WebP since
# version 2.20, but older model servers could not load a SavedModel with that operation.
OTHER_SIGNATURES = {
    "WebP": (8, b"WEBP"),
    "AVIF": (4, b"ftypavif"),
    "HEIC": (4, b"ftyp"),
    "TIFF (little-endian)": (0, b"II*\0"),
    "TIFF (big-endian)": (0, b"MM\0*"),
    "JPEG XL": (0, b"\xff\x0a"),
    "JPEG XL (container)": (4, b"JXL "),
    "JPEG 2000": (4, b"jP  "),
    "ICO": (0, b"\0\0\1\0"),
    "SVG": (0, b"<svg"),
    "PDF": (0, b"%PDF"),
}


def prepared_when_called(decode):
    """Decorate the decoder of a rare format, whose graph TensorFlow prepares at its first call.

    Otherwise, every signature that reads image files would prepare it, too.

    Args:
        decode: Function of a string tensor, scalar, the content of a file.
    """
    return tf.function(
        decode,
        input_signature=[tf.TensorSpec((), tf.string)],
        autograph=False,
        experimental_attributes={"_noinline": True},
    )


def has_signature(files, kind):
    """Return whether files start with the signature of a format.

    Args:
        files: String tensor of any shape, the contents of the files.
        kind: String, a key of `SIGNATURES`.

    Returns:
        Boolean tensor of the same shape.

    Example:
        >>> bool(has_signature(tf.io.encode_png(tf.zeros((20, 30, 1), tf.uint8)), "PNG"))
        True
    """
    return _has_bytes(files, 0, SIGNATURES[kind])


def is_decodable(files):
    """Return whether files have a signature of `SIGNATURES`: boolean tensor of the same shape."""
    return tf.reduce_any([has_signature(files, kind) for kind in SIGNATURES], axis=0)


def is_grey(file):
    """Return whether a PNG or JPEG file is stored in grey levels, a boolean tensor.

    Args:
        file: String tensor, scalar, the content of a file of a format of `SIGNATURES`.

    Example:
        >>> bool(is_grey(tf.io.encode_jpeg(tf.zeros((20, 30, 1), tf.uint8))))
        True
    """
    kind_of_png = tf.strings.substr(tf.strings.join([file, "\0" * 26]), 25, 1)
    return tf.case(
        [
            (has_signature(file, "PNG"), lambda: tf.reduce_any(kind_of_png == [b"\0", b"\4"])),
            (has_signature(file, "JPEG"), lambda: tf.io.extract_jpeg_shape(file)[2] == 1),
        ],
        default=lambda: False,
    )


def describe(files):
    """Describe files that cannot be decoded.

    Args:
        files: String tensor of any shape, the contents of the files.

    Returns:
        String tensor of the same shape, such as "a WebP image", "an empty file" or "not an image".

    Example:
        >>> describe([b"RIFF....WEBP", b"", b"hello"]).numpy().tolist()
        [b'a WebP image', b'an empty file', b'not an image']
    """
    described = tf.where(tf.equal(tf.strings.length(files), 0), "an empty file", "not an image")
    for name, (position, signature) in OTHER_SIGNATURES.items():
        article = "an" if name[0] in "AHIS" else "a"
        text = f"{article} {name.partition(' (')[0]} image"
        is_first = _has_bytes(files, position, signature) & tf.equal(described, "not an image")
        described = tf.where(is_first, text, described)
    return described


def _has_bytes(files, position, signature):
    # A file may be shorter than the position.
    padded = tf.strings.join([files, "\0" * (position + len(signature))])
    return tf.equal(tf.strings.substr(padded, position, len(signature)), signature)

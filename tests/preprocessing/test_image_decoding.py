"""Files are decoded as by Pillow; those that are damaged or too large are errors."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerashw.preprocessing import center_digits
from kerashw.preprocessing.image_decoding import (
    MAX_DECODED_PIXELS,
    MAX_PIXELS,
    decode_image,
    pixel_count,
)
from tests.preprocessing.images import center, encode, enlarge, on_canvas

STROKE = on_canvas(np.eye(30, dtype=np.uint8) * 255)
PNG, JPEG = encode(STROKE), encode(STROKE, "JPEG")


def large_png(side):
    """A PNG of 26 KB that decodes to side × side pixels."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    row_bytes = 1 + (side + 7) // 8
    # Black, and some white pixels in the middle.
    middle = bytes(row_bytes // 2) + b"\xff" * 9 + bytes(row_bytes - row_bytes // 2 - 9)
    rows = zlib.compress(
        bytes(row_bytes) * (side // 2) + middle * 60 + bytes(row_bytes) * (side - side // 2 - 60)
    )
    return PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_size(jpeg, height, width):
    """A JPEG whose header contains another size."""
    start = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:start] + struct.pack(">HH", height, width) + jpeg[start + 4 :]


def with_flipped_byte(file, position):
    return file[:position] + bytes([file[position] ^ 0x55]) + file[position + 1 :]


GIF, BMP = encode(STROKE, "GIF"), encode(STROKE, "BMP")
BAD_FILES = {
    "empty": (b"", "an empty file"),
    "start of a PNG signature": (b"\x89PNG", "not an image"),
    "text": (b"a text that is no picture, but long enough", "not an image"),
    "WebP": (encode(STROKE, "WEBP"), "a WebP image"),
    "TIFF": (encode(STROKE, "TIFF"), "a TIFF image"),
    "JPEG signature": (b"\xff\xd8\xff", "damaged"),
    "GIF signature": (b"GIF89a", "damaged"),
    "half a GIF": (GIF[: len(GIF) // 2], "damaged"),
    "GIF without a frame": (GIF[:13] + bytes(40), "damaged"),
    "BMP signature": (b"BM", "damaged"),
    "half a BMP": (BMP[: len(BMP) // 2], "damaged"),
    "PNG with empty chunks": (PNG[:8] + bytes(40), "damaged"),
    "PNG whose chunks lead back": (
        encode(STROKE.astype(bool))[:33] + struct.pack(">i4s", -12, b"abcd") + bytes(40),
        "damaged",
    ),
    "20 bytes of a PNG": (PNG[:20], "damaged"),
    "half a PNG": (PNG[: len(PNG) // 2], "damaged"),
    "PNG without its end": (PNG[:-14], "damaged"),
    "PNG with damaged data": (with_flipped_byte(PNG, len(PNG) // 2), "damaged"),
    "PNG with a damaged checksum": (with_flipped_byte(PNG, 29), "damaged"),
    "half a JPEG": (JPEG[: len(JPEG) // 2], "damaged"),
    "100 bytes of a JPEG": (JPEG[:100], "damaged"),
}


def assert_error_has_index(file, description):
    message = rf"image_bytes\[3\] is {description}. Expected a PNG, JPEG, GIF or BMP image"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        center_digits(tf.constant([PNG, JPEG, PNG, file, JPEG, file]))


# In one test: after each test, TensorFlow would prepare the graph again, which takes 0.2 s.
def test_a_bad_file_is_an_error_with_its_index_and_its_format():
    for file, description in BAD_FILES.values():
        assert_error_has_index(file, description)


def with_gif_size(gif, width, height):
    """A GIF whose header contains another size."""
    return gif[:6] + struct.pack("<HH", width, height) + gif[10:]


def with_bmp_size(bmp, width, height):
    """A BMP whose header contains another size."""
    return bmp[:18] + struct.pack("<ii", width, height) + bmp[26:]


TOO_LARGE = {
    "PNG": large_png(4097),
    "JPEG": with_size(JPEG, 65000, 65000),
    "GIF": with_gif_size(GIF, 2049, 2048),
    "BMP": with_bmp_size(BMP, 2049, -2048),
}


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_an_image_of_too_many_pixels_is_not_decoded(kind):
    assert len(TOO_LARGE[kind]) < 30_000
    limits = rf"\[1\] has too many pixels.* {MAX_PIXELS[kind]:,} \({kind}\)"
    with pytest.raises(tf.errors.InvalidArgumentError, match=limits):
        center_digits(tf.constant([PNG, TOO_LARGE[kind], PNG]))


COLOURS = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8))


def formats():
    """All kinds of files that are decoded: name → content."""
    for mode in ("1", "L", "LA", "RGB", "RGBA"):
        yield f"PNG {mode}", encode(COLOURS.convert(mode))
    gray = COLOURS.convert("L")
    yield "PNG L with a transparent level", encode(gray, transparency=gray.getpixel((3, 3)))
    yield "PNG 1 with a transparent level", encode(COLOURS.convert("1"), transparency=0)
    yield (
        "PNG RGB with a transparent colour",
        encode(COLOURS, transparency=COLOURS.getpixel((3, 3))),
    )
    for bits in (1, 2, 4, 8):
        palette = COLOURS.convert("P", palette=Image.Palette.ADAPTIVE, colors=2**bits)
        yield f"PNG palette of {bits} bits", encode(palette, bits=bits)
        yield (
            f"PNG palette of {bits} bits, one transparent",
            encode(palette, bits=bits, transparency=1),
        )
        yield (
            f"PNG palette of {bits} bits with opacities",
            encode(palette, bits=bits, transparency=bytes([0, 128])),
        )
        yield f"GIF of {2**bits} colours", encode(palette, "GIF")
        yield f"GIF of {2**bits} colours, one transparent", encode(palette, "GIF", transparency=1)
        if bits != 2:
            yield f"BMP palette of {bits} bits", encode(palette, "BMP")
    turned = [palette.rotate(angle) for angle in (90, 180)]
    yield "GIF, animated", encode(palette, "GIF", save_all=True, append_images=turned)
    yield "GIF, interlaced", encode(palette, "GIF", interlace=1)
    yield "GIF with a comment", encode(palette, "GIF", comment=b"a comment" * 100)
    for mode in ("1", "L", "RGB", "RGBA"):
        yield f"BMP {mode}", encode(COLOURS.convert(mode), "BMP")
    for mode in ("L", "RGB", "CMYK"):
        yield f"JPEG {mode}", encode(COLOURS.convert(mode), "JPEG")
    yield "JPEG, progressive", encode(COLOURS, "JPEG", progressive=True)


def test_every_format_is_decoded_as_by_pillow():
    decode = tf.function(decode_image, input_signature=[tf.TensorSpec((), tf.string)])
    count = tf.function(pixel_count, input_signature=[tf.TensorSpec((), tf.string)])
    for name, file in formats():
        expected = np.asarray(Image.open(io.BytesIO(file)).convert("RGBA"), np.float32)
        found = decode(file).numpy()
        assert count(file) == 40 * 30, name
        np.testing.assert_array_equal(found[..., 3], expected[..., 3], name)
        visible = expected[..., 3] > 0
        np.testing.assert_array_equal(found[visible], expected[visible], name)


def test_samples_of_16_bits_lose_their_lower_half():
    samples = np.random.default_rng(0).integers(0, 65536, (40, 30, 1), np.uint16)
    file = tf.io.encode_png(samples)
    np.testing.assert_array_equal(decode_image(file)[..., :1], samples >> 8)


def test_a_downscaled_image_has_the_result_of_a_smaller_one(data):
    digits = data.test_images[:2]
    expected = center([encode(enlarge(digit, 30)) for digit in digits]).astype(int)
    assert (28 * 30) ** 2 < MAX_DECODED_PIXELS < (28 * 40) ** 2
    for factor in (40, 70, 140):
        images = [enlarge(digit, factor) for digit in digits]
        for kind, options in (("PNG", {"compress_level": 1}), ("JPEG", {})):
            found = center([encode(image, kind, **options) for image in images])
            # An offset of one pixel would be a difference of 200.
            assert np.abs(found - expected).max() <= 24


GROWTH = """
import re, sys
import tensorflow as tf
from kerashw.preprocessing import center_digits

def peak():
    with open("/proc/self/status") as status:  # ru_maxrss starts at the peak of the parent
        return int(re.search(r"VmHWM:\\s*(\\d+)", status.read())[1]) / 1024

small, large = sys.stdin.buffer.read().split(b"|||")
center_digits([small])
before = peak()
center_digits([large] * 4)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_many_large_images_need_the_memory_of_one():
    files = PNG + b"|||" + large_png(4096)
    ended = subprocess.run(
        [sys.executable, "-c", GROWTH], input=files, capture_output=True, timeout=300, check=True
    )
    # A decoded image has 64 MiB, and would have 256 MiB as floats.
    assert 64 < float(ended.stdout) < 200

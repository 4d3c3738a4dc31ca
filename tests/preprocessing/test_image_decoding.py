"""Files that are damaged or too large are errors with an index; large files need little memory."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tensorflow as tf

from kerashw.preprocessing import center_digits
from kerashw.preprocessing.image_decoding import MAX_DECODED_PIXELS
from tests.preprocessing.images import center, center_in_graph, encode, enlarge, on_canvas

STROKE = on_canvas(np.eye(30, dtype=np.uint8) * 255)
PNG, JPEG = encode(STROKE), encode(STROKE, "JPEG")


def large_png(side):
    """A PNG of 26 KB that decodes to side × side pixels."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(side * (1 + (side + 7) // 8)))
    return PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_size(jpeg, height, width):
    """A JPEG whose header contains another size."""
    start = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:start] + struct.pack(">HH", height, width) + jpeg[start + 4 :]


def with_flipped_byte(file, position):
    return file[:position] + bytes([file[position] ^ 0x55]) + file[position + 1 :]


BAD_FILES = {
    "empty": b"",
    "start of a PNG signature": b"\x89PNG",
    "JPEG signature": b"\xff\xd8\xff",
    "text": b"a text that is no picture, but long enough",
    "GIF": encode(STROKE, "GIF"),
    "BMP": encode(STROKE, "BMP"),
    "PNG with empty chunks": PNG[:8] + bytes(40),
    "20 bytes of a PNG": PNG[:20],
    "half a PNG": PNG[: len(PNG) // 2],
    "PNG without its end": PNG[:-14],
    "PNG with damaged data": with_flipped_byte(PNG, len(PNG) // 2),
    "PNG with a damaged checksum": with_flipped_byte(PNG, 29),
    "half a JPEG": JPEG[: len(JPEG) // 2],
    "100 bytes of a JPEG": JPEG[:100],
}


def assert_error_has_index(function, file):
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"image_bytes\[3\] is not a PNG or JPEG image, or is damaged",
    ):
        function(tf.constant([PNG, JPEG, PNG, file, JPEG, file]))


# In one test: after each test, TensorFlow would prepare the graph again, which takes 0.2 s.
def test_a_bad_file_is_an_error_with_its_index():
    for file in BAD_FILES.values():
        assert_error_has_index(center_in_graph, file)


@pytest.mark.parametrize("name", ["text", "half a PNG", "half a JPEG"])
def test_a_bad_file_is_an_error_with_its_index_in_eager_mode(name):
    assert_error_has_index(center_digits, BAD_FILES[name])


@pytest.mark.parametrize(
    "file", [large_png(4097), with_size(JPEG, 65000, 65000)], ids=["PNG", "JPEG"]
)
def test_an_image_of_too_many_pixels_is_not_decoded(file):
    assert len(file) < 30_000
    limits = r"\[1\] has more .* PNG \(16,777,216\) or a JPEG \(50,331,648\)"
    with pytest.raises(tf.errors.InvalidArgumentError, match=limits):
        center_in_graph(tf.constant([PNG, file, PNG]))


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


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_many_large_images_need_the_memory_of_one():
    files = PNG + b"|||" + large_png(4096)
    ended = subprocess.run(
        [sys.executable, "-c", GROWTH], input=files, capture_output=True, timeout=300, check=True
    )
    # A decoded image has 64 MiB, and would have 256 MiB as floats.
    assert 64 < float(ended.stdout) < 200

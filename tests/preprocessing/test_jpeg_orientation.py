"""JPEG files are turned upright as by Pillow."""

import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from kerashw.preprocessing.image_decoding import decode_image
from kerashw.preprocessing.jpeg_orientation import ORIENTATION_TAG, read_orientation
from tests.preprocessing.images import center, encode, enlarge

COLOURS = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint8))
read = tf.function(read_orientation, input_signature=[tf.TensorSpec((), tf.string)])


def with_orientation(image, orientation, **options):
    exif = Image.Exif()
    exif[0x010F] = "a maker of phones"
    exif[ORIENTATION_TAG] = orientation
    return encode(image, "JPEG", exif=exif, **options)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_is_turned_as_by_pillow(orientation):
    file = with_orientation(COLOURS, orientation)
    assert read(file) == orientation
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    np.testing.assert_array_equal(decode_image(file)[..., :3], expected)


def test_both_byte_orders_are_read():
    file = with_orientation(COLOURS, 6)
    start = file.index(b"MM\0*")
    entry = file.index(bytes([1, 0x12, 0, 3]))
    swapped = bytearray(file)
    swapped[start : start + 8] = b"II*\0\x08\0\0\0"
    count = int.from_bytes(file[start + 8 : start + 10], "big")
    swapped[start + 8 : start + 10] = count.to_bytes(2, "little")
    swapped[entry : entry + 12] = b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
    assert Image.open(io.BytesIO(swapped)).getexif()[ORIENTATION_TAG] == 6
    assert read(bytes(swapped)) == 6


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_invalid_orientation_is_upright(orientation):
    assert read(with_orientation(COLOURS, orientation)) == 1


def test_a_file_without_exif_data_is_upright():
    assert read(encode(COLOURS, "JPEG")) == 1


@given(st.binary(max_size=80), st.integers(0, 100))
def test_damaged_exif_data_never_fail(noise, position):
    file = with_orientation(COLOURS, 3)
    damaged = file[:position] + noise + file[position + len(noise) :]
    assert 1 <= int(read(damaged)) <= 8


def test_a_lying_digit_of_a_phone_is_the_upright_one(data):
    digit = 255 - enlarge(data.test_images[0], 12)
    (upright,) = center([encode(digit, "JPEG", quality=95)])
    for orientation, turns in ((3, 2), (6, 1), (8, -1)):
        lying = Image.fromarray(np.rot90(digit, turns))
        (found,) = center([with_orientation(lying, orientation, quality=95)])
        assert np.abs(found.astype(int) - upright).max() <= 8

"""Pictures are scaled as Pillow scales them, and files as they are decoded."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerashw.preprocessing.picture_scaling import scale_files, scale_picture


def random_picture(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, "uint8")


@pytest.mark.parametrize("size", [(20, 30), (7, 5), (40, 11), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_scaled_as_by_pillow(size, channels):
    picture = random_picture(20, 30, channels)
    scaled = scale_picture(picture, *size, channels).numpy()
    image = Image.fromarray(picture.squeeze())
    theirs = np.asarray(image.resize(size[::-1], Image.Resampling.BILINEAR))
    assert scaled.dtype == np.uint8
    assert abs(scaled.reshape(theirs.shape).astype(int) - theirs).max() <= 1
    if size == (20, 30):
        np.testing.assert_array_equal(scaled, picture)


def test_grey_levels_are_those_of_the_colours():
    picture = random_picture(9, 8, 3)
    scaled = scale_picture(picture, 9, 8, 1).numpy()[..., 0]
    theirs = np.asarray(Image.fromarray(picture).convert("L"))
    assert abs(scaled.astype(int) - theirs).max() <= 1
    grey = np.repeat(picture[..., :1], 3, axis=-1)
    np.testing.assert_array_equal(scale_picture(grey, 9, 8, 1), picture[..., :1])


def test_transparent_pixels_are_white():
    picture = random_picture(4, 4, 4)
    picture[0, 0, 3], picture[0, 1, 3] = 0, 255
    scaled = scale_picture(picture, 4, 4, 3).numpy()
    assert scaled[0, 0].tolist() == [255, 255, 255]
    assert scaled[0, 1].tolist() == picture[0, 1, :3].tolist()


def test_photographs_are_turned_upright():
    picture = np.repeat(random_picture(4, 6, 1) // 128 * 255, 8, 0).repeat(8, 1).repeat(3, 2)
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # a quarter turn clockwise
    Image.fromarray(picture).save(file, "jpeg", quality=100, exif=exif.tobytes())
    scaled = scale_files([file.getvalue()], 48, 32).numpy()[0]
    assert abs(scaled.astype(int) - np.rot90(picture, -1)).mean() < 10


def test_a_damaged_file_is_named_by_its_index():
    whole = tf.io.encode_png(random_picture(9, 9, 3)).numpy()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"image_bytes\[1\] is damaged"):
        scale_files([whole, whole[:-30]], 4, 4)

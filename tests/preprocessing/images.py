"""Image files for the tests of `kerashw.preprocessing`."""

import io

import numpy as np
from PIL import Image

from kerashw.preprocessing import center_digits


def center(files):
    return center_digits(np.array(files, np.object_)).numpy()


def encode(image, kind="PNG", **options):
    """Return the file of an image (an array, or an image of PIL) as bytes."""
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def on_canvas(digit, top=11, left=37, size=(100, 130)):
    """Place a digit on a larger black canvas."""
    canvas = np.zeros(size, np.uint8)
    canvas[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return canvas


def colorize(digit, ink, paper):
    share = digit[..., None] / 255
    return np.uint8(np.round(share * np.array(ink) + (1 - share) * np.array(paper)))


def enlarge(digit, factor):
    height, width = digit.shape
    size = (width * factor, height * factor)
    return np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.BICUBIC))

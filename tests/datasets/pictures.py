"""Folders of pictures, made for a test."""

import numpy as np
import tensorflow as tf

COLORS = {"blue": (40, 60, 220), "red": (220, 40, 40)}


def picture(color, size=(12, 10), seed=0):
    """Return noise with the mean colour, uint8 (height, width, channels)."""
    noise = np.random.default_rng(seed).integers(-30, 31, (*size, len(color)))
    return np.clip(np.array(color) + noise, 0, 255).astype(np.uint8)


def write_picture(path, image):
    """Write an image as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tf.io.encode_png(image).numpy())


def write_folder(root, count=5, size=(12, 10), colors=None):
    """Write a class of `count` pictures for each colour, and return the folder."""
    for name, color in (colors or COLORS).items():
        for number in range(count):
            write_picture(root / name / f"{number}.png", picture(color, size, number))
    return root

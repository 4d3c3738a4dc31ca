"""Synthetic photographs of digits on paper, as from a phone: JPEG files of 480×640 pixels.

A photograph shows one image of MNIST, written with a pen on a sheet. Its size and its place are
random, and it is rotated by up to 10°. The effects of a kind of photograph are added to this.
"""

import numpy as np
import tensorflow as tf

HEIGHT, WIDTH = 640, 480
JPEG_QUALITY = 40
# The kind of a photograph → its effects.
KINDS = {
    "even light": (),
    "perspective": ("perspective",),
    "paper texture": ("texture",),
    "gradient of light": ("texture", "gradient"),
    "shadow's edge": ("texture", "shadow"),
    "ruled paper": ("texture", "lines"),
    "pencil": ("texture", "pencil"),
    "blue ink": ("texture", "blue ink"),
    "noise": ("texture", "noise"),
    "all at once": ("perspective", "texture", "lines", "blue ink", "gradient", "noise"),
    "pencil in a shadow": ("perspective", "texture", "pencil", "shadow", "noise"),
}
BLACK, BLUE, GRAPHITE = (25, 25, 30), (35, 60, 150), (110, 110, 112)
# The colour of the lines of ruled paper, as a share of the colour of the paper.
LINE_COLOR = (0.80, 0.86, 0.95)
# The side of the 28×28 image, as a share of the width of the photograph.
DIGIT_SIZES = (0.3, 0.6)
MAX_ANGLE = 10  # degrees
MAX_PERSPECTIVE = 5e-4  # per pixel; that of a camera which is tilted by 15°
# Ink starts at the first share of a digit's brightness, and is full at the second. This sharpens
# the soft edges of the enlarged image.
INK_EDGE = (0.35, 0.65)


def photographs(digits, kind, seed=0):
    """Make a photograph of each digit.

    Args:
        digits: uint8 array (N, 28, 28), images of MNIST. An image without a digit gives a
            photograph of blank paper.
        kind: String, a key of `KINDS`.
        seed: Non-negative integer. A digit has the same size, place and angle in all kinds of
            photographs with the same seed.

    Returns:
        List of N bytes objects, JPEG files.

    Example:
        >>> blank, = photographs(np.zeros((1, 28, 28), "uint8"), "ruled paper")
        >>> tf.io.decode_jpeg(blank).shape
        TensorShape([640, 480, 3])
    """
    return [
        photograph(digit, KINDS[kind], np.random.default_rng((seed, number)))
        for number, digit in enumerate(digits)
    ]


def photograph(digit, effects, random):
    """Make a photograph of a digit.

    Args:
        digit: uint8 array (28, 28).
        effects: Collection of "perspective", "texture", "lines", "pencil" or "blue ink",
            "gradient", "shadow" and "noise".
        random: `np.random.Generator`.

    Returns:
        Bytes, a JPEG file.
    """
    ink = _enlarge(digit, _camera_matrix(random, "perspective" in effects))
    image = _paper(random)
    if "texture" in effects:
        image = image + _paper_texture(random)
    if "lines" in effects:
        image = np.where(_ruled_lines(random), image * LINE_COLOR, image)
    color, opacity = _pen(random, effects)
    image = image + ink * opacity * (color - image)
    if "gradient" in effects:
        image = image * _gradient_of_light(random)
    if "shadow" in effects:
        image = image * _shadow(random)
    if "noise" in effects:
        image = image + random.normal(scale=random.uniform(4, 9), size=image.shape)
    pixels = np.clip(np.round(image), 0, 255).astype("uint8")
    return tf.io.encode_jpeg(pixels, quality=JPEG_QUALITY).numpy()


def _camera_matrix(random, has_perspective):
    """Return the projective matrix (3, 3) from a place of the photograph to one of the digit."""
    scale = 28 / (WIDTH * random.uniform(*DIGIT_SIZES))
    angle = np.radians(random.uniform(-MAX_ANGLE, MAX_ANGLE))
    x, y = WIDTH * random.uniform(0.4, 0.6), HEIGHT * random.uniform(0.4, 0.6)
    perspective = has_perspective * random.uniform(-MAX_PERSPECTIVE, MAX_PERSPECTIVE, 2)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    from_center = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    project = np.array([[cosine, sine, 0], [-sine, cosine, 0], [*perspective, 1]])
    to_digit = np.array([[1, 0, 14], [0, 1, 14], [0, 0, 1]])
    matrix = to_digit @ project @ from_center
    return matrix / matrix[2, 2]


def _enlarge(digit, matrix):
    """Return the ink of a digit in the photograph: floats (height, width, 1) in [0, 1]."""
    enlarged = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.constant(digit[np.newaxis, ..., np.newaxis] / 255, tf.float32),
        transforms=tf.constant(matrix.reshape(1, 9)[:, :8], tf.float32),
        output_shape=[HEIGHT, WIDTH],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    start, end = INK_EDGE
    return np.clip((enlarged[0].numpy() - start) / (end - start), 0, 1)


def _paper(random):
    """Return even paper, nearly white: (height, width, 3)."""
    color = random.uniform(215, 245) + random.uniform(-8, 8, 3)
    return np.full((HEIGHT, WIDTH, 3), color)


def _paper_texture(random):
    """Return spots of about 8 pixels, and grain, in gray levels: (height, width, 1)."""
    spots = random.normal(scale=5, size=(HEIGHT // 8, WIDTH // 8, 1))
    grain = random.normal(scale=2, size=(HEIGHT, WIDTH, 1))
    return tf.image.resize(spots, (HEIGHT, WIDTH), "bicubic").numpy() + grain


def _ruled_lines(random):
    """Return where the lines of ruled paper are, nearly horizontal: bool (height, width, 1)."""
    distance, first = random.uniform(28, 45), random.uniform(0, 30)
    slope = random.uniform(-0.02, 0.02)
    y, x, _ = np.ogrid[:HEIGHT, :WIDTH, :1]
    return np.abs((y + slope * x - first) % distance - distance / 2) < 0.9


def _pen(random, effects):
    """Return the colour of the pen (3,), and the opacity of its ink."""
    if "blue ink" in effects:
        return np.array(BLUE), 1
    if "pencil" in effects:
        grain = random.uniform(0.65, 1, (HEIGHT // 2, WIDTH // 2, 1))
        color = np.array(GRAPHITE) + random.uniform(-15, 15)
        return color, tf.image.resize(grain, (HEIGHT, WIDTH)).numpy()
    return np.array(BLACK), 1


def _gradient_of_light(random):
    """Return the share of light at each place, which falls across the photograph."""
    distance, strength = _distance_across(random), random.uniform(0.3, 0.55)
    return 1 - strength * (distance + 0.7) / 1.4


def _shadow(random):
    """Return the share of light at each place; on one side of an edge there is a shadow."""
    distance = _distance_across(random) - random.uniform(-0.25, 0.25)
    softness, strength = random.uniform(0.02, 0.12), random.uniform(0.35, 0.6)
    return 1 - strength / (1 + np.exp(-distance / softness))


def _distance_across(random):
    """Return the distance of each place from the centre in a random direction, in [-0.7, 0.7]."""
    angle = random.uniform(0, 2 * np.pi)
    y, x, _ = np.ogrid[:HEIGHT, :WIDTH, :1]
    return np.cos(angle) * (x / WIDTH - 0.5) + np.sin(angle) * (y / HEIGHT - 0.5)

"""The foreground of an image: the ink of a digit, separated from the paper around it.

Images that were drawn or scanned have an even background. In photographs, the light falls unevenly
on the paper, and the paper has texture, lines and noise. There, the background is estimated at
each place, and the faint differences from it are removed.
"""

import tensorflow as tf

# An image of less contrast, of 255 levels, has no foreground.
MIN_CONTRAST = 16
# The background is even if this share of the border is within so many levels of its median.
EVEN_SHARE, EVEN_LEVELS = 0.6, 3
# Smaller images are no photographs; those of MNIST and Fashion-MNIST may fill their borders.
MIN_PHOTO_SIDE = 64
# The longer side of the grid on which the background of a photograph is estimated. Its squares of
# `WINDOW` cells are larger than the width of a stroke, and smaller than a shadow.
GRID, WINDOW = 96, 15
# The longer side of the image in which the foreground of a photograph is found, in grid cells.
CELL_PIXELS = 4
# The ink of a photograph, as shares of its darkest place: what is below the first is paper, what
# is above the second is full ink.
PAPER_LEVEL, INK_LEVEL = 0.4, 0.75
# In a photograph, ink is removed as a speck if the mean of the square of pixels around it is below
# this share of the largest such mean.
SPECK_WINDOW, SPECK_SHARE = 41, 0.15
# The darkest place of a photograph with a digit, as a share of the paper's brightness.
MIN_DARKNESS = 0.2
# A darker border, with something brighter inside, is that of a blackboard.
BLACKBOARD_LEVEL = 80


def extract_foreground(image):
    """Separate the foreground of an image from its background.

    Args:
        image: float32 tensor (height, width, 4) in [0, 255]: red, green, blue and opacity.

    Returns:
        float32 tensor (height, width), or smaller for a photograph: the foreground, 0 for the
        background; and a boolean tensor, scalar, whether there is any foreground.

    Example:
        >>> image = tf.ones((90, 90, 4)) * 255
        >>> bool(extract_foreground(image)[1])
        False
    """
    gray = tf.round(tf.tensordot(image[..., :3], [0.299, 0.587, 0.114], 1))
    opacity = image[..., 3] / 255
    background = _background_level(gray, opacity)
    border = _border(opacity * gray + (1 - opacity) * background)
    is_close = tf.abs(border - background) <= EVEN_LEVELS
    is_even = tf.reduce_mean(tf.cast(is_close, tf.float32)) >= EVEN_SHARE
    is_small = tf.reduce_min(tf.shape(gray)) < MIN_PHOTO_SIDE
    return tf.cond(
        is_even | is_small,
        lambda: _extract_even(gray, opacity, background),
        lambda: _extract_uneven(opacity * gray + (1 - opacity) * background, background),
    )


def _extract_even(gray, opacity, background):
    difference = (gray - background) * opacity
    brighter, darker = tf.reduce_max(difference), -tf.reduce_min(difference)
    foreground = tf.nn.relu(tf.where(darker > brighter, -difference, difference))
    return foreground, tf.maximum(darker, brighter) >= MIN_CONTRAST


def _extract_uneven(gray, background):
    """Return the foreground of a photograph, at a lower resolution, and whether there is any.

    A morphological closing of the image removes what is darker and narrower than its window: it
    leaves the paper, with its light and shadows. The ink is what is darker than this paper.
    """
    brighter, darker = tf.reduce_max(gray) - background, background - tf.reduce_min(gray)
    is_blackboard = (background < BLACKBOARD_LEVEL) & (brighter > darker)
    gray = tf.where(is_blackboard, 255 - gray, gray)
    size = tf.cast(tf.shape(gray), tf.float32)
    cells = tf.cast(tf.math.ceil(GRID * size / tf.reduce_max(size)), tf.int32)
    paper = _closing(tf.image.resize(gray[tf.newaxis, ..., tf.newaxis], cells, "area"))
    gray = tf.image.resize(gray[tf.newaxis, ..., tf.newaxis], CELL_PIXELS * cells, "area")
    paper = tf.image.resize(paper, CELL_PIXELS * cells)
    darkness = _blur(1 - gray / tf.maximum(paper, 1))
    darkest = tf.reduce_max(darkness)
    paper_level, ink_level = PAPER_LEVEL * darkest, INK_LEVEL * darkest
    ink = tf.clip_by_value((darkness - paper_level) / (ink_level - paper_level), 0, 1)
    return 255 * _remove_specks(ink)[0, ..., 0], darkest >= MIN_DARKNESS


def _remove_specks(ink):
    mean = tf.nn.avg_pool2d(ink, SPECK_WINDOW, 1, "SAME")
    return tf.where(mean >= SPECK_SHARE * tf.reduce_max(mean), ink, 0)


def _closing(images):
    """Return the morphological closing of images by a square window."""
    return -_dilation(-_dilation(images))


def _dilation(images):
    margin = [WINDOW // 2, WINDOW // 2]
    padded = tf.pad(images, [[0, 0], margin, margin, [0, 0]], "SYMMETRIC")
    return tf.nn.max_pool2d(padded, WINDOW, 1, "VALID")


def _blur(images):
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    return tf.nn.avg_pool2d(padded, 3, 1, "VALID")


def _background_level(gray, opacity):
    """Return the gray level of the background.

    This is the median of the border. If most of the border is transparent, it is black or white,
    whichever differs more from the opaque pixels.
    """
    opaque_border = tf.boolean_mask(_border(gray), _border(opacity) > 0.5)
    mean_level = tf.math.divide_no_nan(tf.reduce_sum(gray * opacity), tf.reduce_sum(opacity))
    is_transparent = 2 * tf.size(opaque_border) < tf.size(_border(gray))
    return tf.cond(
        is_transparent,
        lambda: tf.where(mean_level < 127.5, 255.0, 0.0),
        lambda: tf.sort(opaque_border)[tf.size(opaque_border) // 2],
    )


def _border(image):
    return tf.concat([image[0], image[-1], image[:, 0], image[:, -1]], 0)

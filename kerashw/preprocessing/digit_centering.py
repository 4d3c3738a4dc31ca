"""Images of digits, scaled and centred as those of MNIST, inside a TensorFlow graph."""

import functools

import tensorflow as tf

from kerashw.preprocessing.foreground import extract_foreground
from kerashw.preprocessing.image_decoding import decode_image
from kerashw.preprocessing.image_files import process_image_files

# The share of a side of the image that a digit fills in MNIST: 20 of 28 pixels.
BOX_SHARE = 20 / 28
# The foreground starts at this share of its largest value. In MNIST, the bounds of the digits are
# the same for all values up to 0.15; the noise of JPEG files is below 0.1.
FOREGROUND_THRESHOLD = 0.1


def center_digits(image_bytes, height=28, width=28):
    """Decode image files of digits, and scale and centre the digits as in MNIST.

    The steps are those that made MNIST from the forms of NIST. The digit is cropped, scaled to fit
    into 20×20 pixels with its aspect ratio and with antialiasing, and placed in 28×28 pixels. A
    translation by whole pixels moves its centre of mass to the middle.

    Before these steps, the image is turned upright and converted to grayscale. The background
    becomes 0, and the foreground that differs most from it becomes 255, whether it is darker or
    brighter. Transparent pixels are background. In a photograph, whose paper has no even
    brightness, the background is estimated at each place.

    Images of MNIST do not change. Images of 28×28 pixels whose foreground is larger than 20×20,
    such as those of Fashion-MNIST, do not change either.

    Args:
        image_bytes: String tensor (N,), the contents of image files: PNG of up to 4096×4096 pixels,
            JPEG of up to 8192×6144, GIF (the first frame) or BMP of up to 2048×2048; of any bit
            depth, in colour, in grayscale or with a palette. The Exif data of a JPEG file may say
            that it is to be turned.
        height: Integer, the height of the results. The box of the digit has the same share of it as
            in MNIST.
        width: Integer, the width of the results.

    Returns:
        uint8 tensor (N, height, width).

    Raises:
        tf.errors.InvalidArgumentError: If an element is not such a file, is damaged, or has no
            digit because all of it is background. The message contains its index.

    Example:
        >>> image = tf.fill((90, 90, 3), tf.constant(255, tf.uint8)).numpy()
        >>> image[15:75, 70:79] = 0  # a black stroke at the right, 60 pixels high
        >>> digit = center_digits([tf.io.encode_png(image).numpy()])[0].numpy()
        >>> digit.shape, tuple(digit.any(axis=1).nonzero()[0][[0, -1]])  # 20 pixels high, bright
        ((28, 28), (np.int64(4), np.int64(23)))

    Reference:
        Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits*,
        http://yann.lecun.com/exdb/mnist.
    """
    return _graph(height, width)(tf.convert_to_tensor(image_bytes))


@functools.cache
def _graph(height, width):
    """Return `center_digits` as a graph. Its thousands of operations are traced only once."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)
    def center(files):
        return _center_all(files, height, width)

    with tf.init_scope():
        return center.get_concrete_function()


def _center_all(files, height, width):
    blank = tf.zeros((height, width), tf.uint8)

    def center(file):
        foreground, has_digit = extract_foreground(decode_image(file))
        digit = tf.cond(has_digit, lambda: _center(foreground, height, width), lambda: blank)
        return digit, has_digit

    return process_image_files(files, center, blank, "has no digit: all of it is background")


def _center(foreground, height, width):
    """Crop, scale and centre the foreground: uint8 (height, width)."""
    box = round(BOX_SHARE * height), round(BOX_SHARE * width)
    rows, columns = _bounds(foreground, axis=1), _bounds(foreground, axis=0)
    scale = tf.minimum(box[0] / (rows[1] - rows[0]), box[1] / (columns[1] - columns[0]))
    # The faint edges of the strokes belong to the digit: one more pixel of the result on each side.
    margin = tf.cast(tf.math.ceil(1 / scale), tf.int64)
    padded = tf.pad(foreground, tf.fill((2, 2), margin))
    digit = padded[rows[0] : rows[1] + 2 * margin, columns[0] : columns[1] + 2 * margin]
    translation = [
        _translation(height, digit, margin, scale, axis=1),
        _translation(width, digit, margin, scale, axis=0),
    ]
    scaled = tf.raw_ops.ScaleAndTranslate(
        images=digit[tf.newaxis, ..., tf.newaxis],
        size=[height, width],
        scale=tf.cast([scale, scale], tf.float32),
        translation=tf.cast(translation, tf.float32),
        kernel_type="box",
        antialias=True,
    )[0, ..., 0]
    exceeds_box = tf.reduce_all(tf.shape(foreground) == [height, width]) & (scale < 1)
    result = tf.cond(exceeds_box, lambda: foreground, lambda: scaled)
    result = tf.math.divide_no_nan(255 * result, tf.reduce_max(result))
    return tf.cast(tf.round(result), tf.uint8)


def _bounds(foreground, axis):
    """Return the first row or column of the foreground, and the one after its last."""
    threshold = FOREGROUND_THRESHOLD * tf.reduce_max(foreground)
    is_foreground = tf.reduce_max(foreground, axis) >= threshold
    positions = tf.where(is_foreground)[:, 0]
    return positions[0], positions[-1] + 1


def _translation(size, digit, margin, scale, axis):
    """Return the translation that moves the centre of mass to the middle pixel.

    A pixel of the result starts where the digit starts without its margin.
    """
    mass = tf.cast(tf.reduce_sum(digit, axis), tf.float64)
    positions = tf.cast(tf.range(tf.size(mass)), tf.float64) + 0.5 - tf.cast(margin, tf.float64)
    center = tf.math.divide_no_nan(tf.reduce_sum(mass * positions), tf.reduce_sum(mass))
    return size // 2 - tf.floor(scale * center) - scale * tf.cast(margin, tf.float64)

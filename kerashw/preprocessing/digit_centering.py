"""Images of digits, scaled and centred as those of MNIST, inside a TensorFlow graph.

Here, the foreground of an image is the ink of the digit, dark or bright, and the background is the
paper around it.
"""

import tensorflow as tf

from kerashw.preprocessing.image_decoding import (
    MAX_PIXELS,
    decode_image,
    has_signature,
    pixel_count,
)

# The share of a side of the image that a digit fills in MNIST: 20 of 28 pixels.
BOX_SHARE = 20 / 28
# The foreground starts at this share of the contrast. In MNIST, the bounds of the digits are the
# same for all values up to 0.15; the noise of JPEG files is below 0.1.
FOREGROUND_THRESHOLD = 0.1
# An image of less contrast, of 255 levels, has no foreground.
MIN_CONTRAST = 16


def center_digits(image_bytes, height=28, width=28):
    """Decode image files of digits, and scale and centre the digits as in MNIST.

    The steps are those that made MNIST from the forms of NIST. The digit is cropped, scaled to fit
    into 20×20 pixels with its aspect ratio and with antialiasing, and placed in 28×28 pixels. A
    translation by whole pixels moves its centre of mass to the middle.

    Before these steps, the image is converted to grayscale. The background is the median along the
    border, and becomes 0. The foreground that differs most from it becomes 255, whether it is
    darker or brighter. Transparent pixels are background.

    Images of MNIST do not change. Images of 28×28 pixels whose foreground is larger than 20×20,
    such as those of Fashion-MNIST, do not change either. An image without a foreground becomes 0.

    Args:
        image_bytes: String tensor (N,), the contents of PNG files of up to 4096×4096 pixels or JPEG
            files of up to 8192×6144 pixels, in colour, in grayscale or with a palette, of 8 or 16
            bits.
        height: Integer, the height of the results. The box of the digit has the same share of it as
            in MNIST.
        width: Integer, the width of the results.

    Returns:
        uint8 tensor (N, height, width).

    Raises:
        tf.errors.InvalidArgumentError: If an element is not such a file, or is damaged. The
            message contains its index.

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
    files = tf.convert_to_tensor(image_bytes)
    is_decoded, is_within_limit, digits = _center_in_sequence(files, height, width)
    limits = " or a ".join(f"{kind} ({pixels:,})" for kind, pixels in MAX_PIXELS.items())
    with tf.control_dependencies(
        [
            _assert_all(is_decoded, "is not a PNG or JPEG image, or is damaged"),
            _assert_all(is_within_limit, f"has more pixels than a {limits} may have"),
        ]
    ):
        return tf.ensure_shape(digits, (None, height, width))


def _center_in_sequence(files, height, width):
    """Process one file at a time, so that only one decoded image is in memory.

    Returns:
        Boolean tensors (N,), whether each file is decoded and whether its size is within the limit,
        and the digits, uint8 (N, height, width). The digits are complete only if all are true.
    """
    blank = tf.zeros((height, width), tf.uint8)

    @tf.autograph.experimental.do_not_convert
    def is_image(_, file):
        return has_signature(file, "PNG") | has_signature(file, "JPEG")

    @tf.autograph.experimental.do_not_convert
    def center(index, file):
        limit = tf.where(has_signature(file, "PNG"), MAX_PIXELS["PNG"], MAX_PIXELS["JPEG"])
        is_within_limit = pixel_count(file) <= tf.cast(limit, tf.int64)
        digit = tf.cond(
            is_within_limit,
            lambda: _center(*_foreground(decode_image(file)), height, width),
            lambda: blank,
        )
        return index, is_within_limit, digit

    # The error of a failed operation does not contain the index of the file. So files that fail are
    # removed, and padding with the index -1 replaces them at the end. The first missing index is
    # that of the first file that failed.
    count = tf.size(files, tf.int64)
    dataset = tf.data.Dataset.from_tensor_slices(files).enumerate()
    dataset = dataset.filter(is_image).map(center).ignore_errors()
    padding = tf.data.Dataset.from_tensors((tf.constant(-1, tf.int64), True, blank))
    dataset = dataset.concatenate(padding.repeat(count + 1)).batch(count + 1).take(1)
    dataset = dataset.with_options(_options_without_optimization())
    indices, is_within_limit, digits = dataset.get_single_element()
    return tf.equal(indices[:-1], tf.range(count)), is_within_limit[:-1], digits[:-1]


def _options_without_optimization():
    """Return the options of a dataset that is read once: its optimization would take longer."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return options


def _assert_all(conditions, message):
    first = tf.argmin(tf.cast(tf.concat([conditions, [False]], 0), tf.int8))
    message = tf.strings.join(["image_bytes[", tf.strings.as_string(first), f"] {message}"])
    return tf.debugging.Assert(tf.reduce_all(conditions), [message])


def _foreground(image):
    """Return the intensity of the foreground, float32 (height, width), and the contrast."""
    gray = tf.round(tf.tensordot(image[..., :3], [0.299, 0.587, 0.114], 1))
    opacity = image[..., 3] / 255
    difference = (gray - _background_level(gray, opacity)) * opacity
    brighter, darker = tf.reduce_max(difference), -tf.reduce_min(difference)
    foreground = tf.nn.relu(tf.where(darker > brighter, -difference, difference))
    return foreground, tf.maximum(darker, brighter)


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


def _center(foreground, contrast, height, width):
    """Crop, scale and centre the foreground: uint8 (height, width)."""
    box = round(BOX_SHARE * height), round(BOX_SHARE * width)
    rows, columns = _bounds(foreground, contrast, axis=1), _bounds(foreground, contrast, axis=0)
    scale = tf.minimum(box[0] / (rows[1] - rows[0]), box[1] / (columns[1] - columns[0]))
    # The faint edges of the strokes belong to the digit: one more pixel of the result on each side.
    margin = tf.cast(tf.math.ceil(1 / scale), tf.int64)
    top, left = tf.maximum(rows[0] - margin, 0), tf.maximum(columns[0] - margin, 0)
    digit = foreground[top : rows[1] + margin, left : columns[1] + margin]
    translation = [
        _translation(height, digit, rows[0] - top, scale, axis=1),
        _translation(width, digit, columns[0] - left, scale, axis=0),
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
    return tf.cast(tf.round(tf.where(contrast < MIN_CONTRAST, 0.0, result)), tf.uint8)


def _bounds(foreground, contrast, axis):
    """Return the first row or column of the foreground, and the one after its last."""
    is_foreground = tf.reduce_max(foreground, axis) >= FOREGROUND_THRESHOLD * contrast
    positions = tf.where(is_foreground)[:, 0]
    return positions[0], positions[-1] + 1


def _translation(size, digit, start, scale, axis):
    """Return the translation that moves the centre of mass to the middle pixel.

    `start` is where the digit starts without its margin. There, a pixel of the result starts too.
    """
    mass = tf.cast(tf.reduce_sum(digit, axis), tf.float64)
    positions = tf.cast(tf.range(tf.size(mass)), tf.float64) + 0.5 - tf.cast(start, tf.float64)
    center = tf.math.divide_no_nan(tf.reduce_sum(mass * positions), tf.reduce_sum(mass))
    return size // 2 - tf.floor(scale * center) - scale * tf.cast(start, tf.float64)

"""A picture of a digit, made into what MNIST's pictures are: inside a TensorFlow graph."""

import tensorflow as tf

from kerashw.preprocessing.image_decoding import MAX_PIXELS, decode, is_jpeg, is_png, pixel_count

# MNIST's digits fit into this share of a picture's side, 20 of 28 pixels.
BOX = 20 / 28
# Ink is what differs from the paper by more than this share of the greatest difference. In MNIST
# the digits' margins are the same up to 0.15; a JPEG's noise is below that.
INK = 0.1
# Of 255 levels, the contrast below which there is nothing but paper.
FAINT = 16


def normalized(image_bytes, height=28, width=28):
    """Make pictures of digits into what MNIST's pictures are: bright, 20 pixels, centred.

    As MNIST was made from NIST's forms: the digit is cut out, scaled with its aspect ratio kept and
    with antialiasing to fit into 20×20, and put into 28×28 so that its centre of mass is in the
    middle, in whole pixels. Before that the picture is turned grey, and transparent pixels into
    paper; the paper is what lies along the border, and becomes 0, the ink that differs most from it
    255, be it darker or brighter. A picture of MNIST comes out as it is. So does a picture of
    28×28 whose ink fills more than 20 pixels, as Fashion-MNIST's do. One without ink is all 0.

    Args:
        image_bytes: String tensor (N,): PNG files of up to 4096×4096 pixels or JPEG files of up to
            8192×6144, in colours, grey, or with a palette, of 8 or 16 bits.
        height: Integer, the height of the results; the box is as large a part of it as in MNIST.
        width: Integer, the width of the results.

    Returns:
        uint8 tensor (N, height, width).

    Raises:
        tf.errors.InvalidArgumentError: If one is no such file, or damaged; with its index.

    Example:
        >>> paper = tf.fill((90, 90, 3), tf.constant(255, tf.uint8)).numpy()
        >>> paper[15:75, 70:79] = 0  # a black stroke at the right, 60 pixels high
        >>> picture = normalized([tf.io.encode_png(paper).numpy()])[0].numpy()
        >>> picture.shape, tuple(picture.any(axis=1).nonzero()[0][[0, -1]])  # 20 pixels, bright
        ((28, 28), (np.int64(4), np.int64(23)))

    Reference:
        Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits*,
        http://yann.lecun.com/exdb/mnist.
    """
    image_bytes = tf.convert_to_tensor(image_bytes)
    number = tf.size(image_bytes, tf.int64)
    nothing = tf.zeros((height, width), tf.uint8)

    @tf.autograph.experimental.do_not_convert
    def is_known(_, file):
        return is_png(file) | is_jpeg(file)

    @tf.autograph.experimental.do_not_convert
    def normalize(index, file):
        limit = tf.where(is_png(file), MAX_PIXELS["PNG"], MAX_PIXELS["JPEG"])
        small_enough = pixel_count(file) <= tf.cast(limit, tf.int64)
        picture = tf.cond(
            small_enough,
            lambda: _as_in_mnist(*_ink(decode(file)), height, width),
            lambda: nothing,
        )
        return index, small_enough, picture

    # An operation that fails does not say for which file. So those that fail are left out, and the
    # first index that is missing is the one to name; what fills their places has the index -1. One
    # file is done after the other, so that only one at a time is decoded.
    files = tf.data.Dataset.from_tensor_slices(image_bytes).enumerate()
    done = files.filter(is_known).map(normalize)
    filling = tf.data.Dataset.from_tensors((tf.constant(-1, tf.int64), True, nothing))
    filled = done.ignore_errors().concatenate(filling.repeat(number + 1)).batch(number + 1).take(1)
    limits = " or a ".join(f"{kind} ({pixels:,})" for kind, pixels in MAX_PIXELS.items())
    indices, small_enough, pictures = filled.with_options(_plain()).get_single_element()
    decoded = tf.equal(indices[:-1], tf.range(number))
    with tf.control_dependencies(
        [
            _assert_all(decoded, "is not a PNG or JPEG image, or is damaged"),
            _assert_all(small_enough[:-1], f"has more pixels than a {limits} may have"),
        ]
    ):
        return tf.ensure_shape(pictures[:-1], (None, height, width))


def _plain():
    """Return options for a data set that lives for one call: to optimize it would take longer."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return options


def _assert_all(conditions, message):
    first = tf.argmin(tf.cast(tf.concat([conditions, [False]], 0), tf.int8))
    message = tf.strings.join(["image_bytes[", tf.strings.as_string(first), f"] {message}"])
    return tf.debugging.Assert(tf.reduce_all(conditions), [message])


def _ink(picture):
    """Return how far each pixel is from the paper, float32 (height, width), and the contrast."""
    grey = tf.round(tf.tensordot(picture[..., :3], [0.299, 0.587, 0.114], 1))
    opacity = picture[..., 3] / 255
    ink = (grey - _paper(grey, opacity)) * opacity
    brighter, darker = tf.reduce_max(ink), -tf.reduce_min(ink)
    ink = tf.nn.relu(tf.where(darker > brighter, -ink, ink))
    return ink, tf.maximum(darker, brighter)


def _paper(grey, opacity):
    """Return the paper's grey: what is along the border, or the contrary of the ink."""
    border = tf.boolean_mask(_border(grey), _border(opacity) > 0.5)
    ink = tf.math.divide_no_nan(tf.reduce_sum(grey * opacity), tf.reduce_sum(opacity))
    transparent = 2 * tf.size(border) < tf.size(_border(grey))
    return tf.cond(
        transparent,
        lambda: tf.where(ink < 127.5, 255.0, 0.0),
        lambda: tf.sort(border)[tf.size(border) // 2],
    )


def _border(picture):
    return tf.concat([picture[0], picture[-1], picture[:, 0], picture[:, -1]], 0)


def _as_in_mnist(ink, contrast, height, width):
    """Cut, scale and centre the ink: uint8 (height, width)."""
    box = round(BOX * height), round(BOX * width)
    rows, columns = _extent(ink, contrast, axis=1), _extent(ink, contrast, axis=0)
    scale = tf.minimum(box[0] / (rows[1] - rows[0]), box[1] / (columns[1] - columns[0]))
    # The strokes' faint edges belong to the digit: one pixel of the result more on each side.
    edge = tf.cast(tf.math.ceil(1 / scale), tf.int64)
    top, left = tf.maximum(rows[0] - edge, 0), tf.maximum(columns[0] - edge, 0)
    digit = ink[top : rows[1] + edge, left : columns[1] + edge]
    shift = [
        _shift(height, digit, rows[0] - top, scale, axis=1),
        _shift(width, digit, columns[0] - left, scale, axis=0),
    ]
    scaled = tf.raw_ops.ScaleAndTranslate(
        images=digit[tf.newaxis, ..., tf.newaxis],
        size=[height, width],
        scale=tf.cast([scale, scale], tf.float32),
        translation=tf.cast(shift, tf.float32),
        kernel_type="box",
        antialias=True,
    )[0, ..., 0]
    fills_more = tf.reduce_all(tf.shape(ink) == [height, width]) & (scale < 1)
    picture = tf.cond(fills_more, lambda: ink, lambda: scaled)
    picture = tf.math.divide_no_nan(255 * picture, tf.reduce_max(picture))
    return tf.cast(tf.round(tf.where(contrast < FAINT, 0.0, picture)), tf.uint8)


def _extent(ink, contrast, axis):
    """Return where the ink starts and ends."""
    places = tf.where(tf.reduce_max(ink, axis) >= INK * contrast)[:, 0]
    return places[0], places[-1] + 1


def _shift(size, digit, start, scale, axis):
    """Return by how much a scaled digit is moved: its centre of mass gets into the middle pixel.

    What starts at `start`, without the faint edges, starts with a whole pixel of the result.
    """
    mass = tf.cast(tf.reduce_sum(digit, axis), tf.float64)
    places = tf.cast(tf.range(tf.size(mass)), tf.float64) + 0.5 - tf.cast(start, tf.float64)
    centre = tf.math.divide_no_nan(tf.reduce_sum(mass * places), tf.reduce_sum(mass))
    return size // 2 - tf.floor(scale * centre) - scale * tf.cast(start, tf.float64)

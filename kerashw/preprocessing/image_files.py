"""Batches of image files, processed one by one inside a TensorFlow graph, with errors by index."""

import tensorflow as tf

from kerashw.preprocessing import image_formats
from kerashw.preprocessing.image_decoding import MAX_PIXELS, pixel_count, pixel_limit


def process_image_files(files, process, blank, rejection):
    """Process image files.

    Args:
        files: String tensor (N,), the contents of image files.
        process: Function of the content of one file, a string tensor, that returns an image, and
            whether it is accepted, a boolean tensor. It decodes the file.
        blank: Image of the shape and the type that `process` returns.
        rejection: String, what an image is that is not accepted, for the error message.

    Returns:
        Tensor of the N images.

    Raises:
        tf.errors.InvalidArgumentError: If an element is not an image file, is damaged, has too many
            pixels, or is not accepted. The message contains its index.
    """
    is_decodable = image_formats.is_decodable(files)
    is_decoded, is_within_limit, is_accepted, images = _process_in_sequence(files, process, blank)
    limits = ", ".join(f"{pixels:,} ({kind})" for kind, pixels in MAX_PIXELS.items())
    expected = ". Expected a PNG, JPEG, GIF or BMP image"
    with tf.control_dependencies(
        [
            _assert_all(is_decodable, "is ", image_formats.describe(files), expected),
            _assert_all(is_decoded, "is damaged", expected),
            _assert_all(is_within_limit, f"has too many pixels. Expected at most {limits}"),
            _assert_all(is_accepted, rejection),
        ]
    ):
        return tf.ensure_shape(images, (None, *blank.shape))


def _process_in_sequence(files, process, blank):
    """Process one file at a time, so that only one decoded image is in memory.

    Returns:
        Boolean tensors (N,), whether each file is decoded, whether its size is within the limit and
        whether the image is accepted, and the images. They are complete only if all are true.
    """

    @tf.autograph.experimental.do_not_convert
    def is_decodable(_, file):
        return image_formats.is_decodable(file)

    @tf.autograph.experimental.do_not_convert
    def process_within_limit(index, file):
        is_within_limit = pixel_count(file) <= pixel_limit(file)
        image, is_accepted = tf.cond(is_within_limit, lambda: process(file), lambda: (blank, True))
        return index, is_within_limit, is_accepted, image

    # The error of a failed operation does not contain the index of the file. So files that fail are
    # removed, and padding with the index -1 replaces them at the end. The first missing index is
    # that of the first file that failed.
    count = tf.size(files, tf.int64)
    dataset = tf.data.Dataset.from_tensor_slices(files).enumerate()
    dataset = dataset.filter(is_decodable).map(process_within_limit).ignore_errors()
    padding = tf.data.Dataset.from_tensors((tf.constant(-1, tf.int64), True, True, blank))
    dataset = dataset.concatenate(padding.repeat(count + 1)).batch(count + 1).take(1)
    dataset = dataset.with_options(_options_without_optimization())
    indices, *results = (values[:-1] for values in dataset.get_single_element())
    return tf.equal(indices, tf.range(count)), *results


def _options_without_optimization():
    """Return the options of a dataset that is read once: its optimization would take longer."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return options


def _assert_all(conditions, *messages):
    """Assert conditions (N,); a message is a string, or strings (N,) of which one is chosen."""
    first = tf.argmin(tf.cast(tf.concat([conditions, [False]], 0), tf.int8))
    parts = ["image_bytes[", tf.strings.as_string(first), "] "]
    for message in messages:
        is_chosen = isinstance(message, tf.Tensor)
        parts.append(tf.concat([message, [""]], 0)[first] if is_chosen else message)
    return tf.debugging.Assert(tf.reduce_all(conditions), [tf.strings.join(parts)])

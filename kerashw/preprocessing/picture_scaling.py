"""Pictures of any size, scaled to the size of a model's input: one rule to train and to serve.

The whole picture is scaled, so its aspect ratio is not kept. The interpolation is bilinear with
antialiasing, and the results are rounded. A picture that has the size already does not change.
"""

import functools

import tensorflow as tf

from kerashw.preprocessing.image_decoding import decode_image
from kerashw.preprocessing.image_files import process_image_files

# The weights of red, green and blue in a grey level: ITU-R BT.601, as in JPEG files.
GREY_WEIGHTS = (0.299, 0.587, 0.114)


def scale_files(image_bytes, height, width, channels=3):
    """Decode image files, turn them upright, and scale them, as the pictures of a folder.

    Args:
        image_bytes: String tensor (N,), the contents of image files, as in `center_digits`.
            Transparent pixels become white.
        height: Integer, the height of the results.
        width: Integer, the width of the results.
        channels: 3 for colour, 1 for grey levels.

    Returns:
        uint8 tensor (N, height, width, channels).

    Raises:
        tf.errors.InvalidArgumentError: If an element is not such a file, or is damaged. The message
            contains its index.

    Example:
        >>> red = tf.constant([255, 0, 0], tf.uint8) * tf.ones((90, 60, 1), tf.uint8)
        >>> scale_files([tf.io.encode_png(red).numpy()], 32, 32)[0, 0, 0].numpy().tolist()
        [255, 0, 0]
    """
    return _graph(height, width, channels)(tf.convert_to_tensor(image_bytes))


@functools.cache
def _graph(height, width, channels):
    """Return `scale_files` as a graph, which is traced only once."""

    def scale(file):
        picture = tf.ensure_shape(decode_image(file), (None, None, 4))
        return scale_picture(picture, height, width, channels), True

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)
    def scale_all(files):
        blank = tf.zeros((height, width, channels), tf.uint8)
        return process_image_files(files, scale, blank, "is not accepted")

    with tf.init_scope():
        return scale_all.get_concrete_function()


def scale_picture(picture, height, width, channels):
    """Scale a decoded picture to the size and the channels of a model's input.

    Args:
        picture: Tensor (h, w, c) in [0, 255]. Four channels are red, green, blue and opacity;
            transparent pixels become white.
        height: Integer or int32 tensor, the height of the result.
        width: Integer or int32 tensor, the width of the result.
        channels: Integer, 1 or 3.

    Returns:
        uint8 tensor (height, width, channels).

    Example:
        >>> scale_picture(tf.constant([[[100, 100, 100], [200, 200, 200]]]), 1, 1, 1).numpy().item()
        150
    """
    picture = tf.cast(picture, tf.float32)
    if picture.shape[-1] == 4:
        opacity = picture[..., 3:] / 255
        picture = picture[..., :3] * opacity + 255 * (1 - opacity)
    scaled = tf.round(tf.image.resize(picture, (height, width), antialias=True))
    scaled = tf.clip_by_value(scaled, 0, 255)
    if channels == 1 and scaled.shape[-1] == 3:
        scaled = tf.round(tf.reduce_sum(scaled * GREY_WEIGHTS, -1, keepdims=True))
    return tf.cast(scaled, tf.uint8)

"""A layer that counts diagonal segments with the frozen kernel of Question 3."""

import math
from functools import reduce

import keras
import numpy as np
from keras import ops

from kerashw.layers.diagonal_count_checks import (
    DIAGONALS,
    check_arguments,
    check_pixels,
    check_shape,
)

# The relative amount by which a floating-point sum may be below the threshold.
TOLERANCE = 0.005
# The number of blocks of rows that are added as bytes; at most 255, so that no byte overflows.
ROW_BLOCKS = 16


@keras.saving.register_keras_serializable(package="kerashw")
class DiagonalCount(keras.layers.Layer):
    """Count the diagonal segments of binary images with a frozen kernel, exactly.

    The kernel K (size, size) is 1 on one diagonal and 0 elsewhere. The layer correlates each image
    x with K, without padding and with stride 1. It counts the peaks, which are the positions where
    the sum reaches the threshold:

        F[r, c] = Σ_ij K[i, j] x[r + i, c + j]        count = |{(r, c) : F[r, c] ≥ threshold}|

    With ones on a diagonal only, F is a sum of `size` shifted images. The layer computes this sum,
    which is many times as fast as a general convolution. The kernel is also a weight that is never
    trained, so `summary()` shows it and saved models contain it. The layer never reads its values.

    Counts are exact under every dtype policy, because the layer casts nothing to its compute dtype.
    In integer and boolean images, a pixel is set if it is not 0. Pixels of floating-point images
    must be in [0, 1]. They are added in float32, or in float64 for float64 images, and a sum of at
    least 99.5 % of the threshold reaches it: pixels of 0.999 are a full match. This tolerance is at
    most half the distance to the next lower integer, so images of 0.0 and 1.0 have the same counts
    as integer images. For images of gray levels, such as 0 to 255, choose a `pixel_threshold`:
    the pixels above it are set, in images of every type. Invert images of dark ink on light paper.

    The layer counts each channel by itself.

    Args:
        size: Integer, at least 2, the height and width of the kernel.
        diagonal: "anti" for the diagonal from the lower left to the upper right, as in the
            homework; "main" for the other diagonal; "both" to count both, with one kernel each.
        threshold: Number in (0, size], the sum of a peak; `None` for `size`, a full match.
        count: "peaks" to count every peak; "segments" to count adjacent peaks along their diagonal
            once. A segment longer than the kernel has several adjacent peaks.
        data_format: "channels_last" or "channels_first"; by default that of the Keras
            configuration.
        pixel_threshold: Number; a pixel is set if it is above it. `None` for the rules above.
        keepdims: Boolean, whether the counts of images with one channel have an axis for it too.
        **kwargs: Arguments of every Keras layer: `name`, `dtype`, `trainable`.

    Input shape:
        (N, height, width, channels), or (N, channels, height, width) with "channels_first";
        floats, integers or booleans; height and width at least `size`.

    Output shape:
        (N, channels), or (N,) for one channel without `keepdims`; int32.

    Raises:
        InputError: If an argument is invalid; if the input shape is, when the layer is built; or if
            floats are not in [0, 1] and there is no `pixel_threshold`. The layer sees the values of
            arrays and of eager tensors only, not those in a compiled graph, as in `predict`.

    Example:
        >>> import numpy as np
        >>> image = np.zeros((1, 20, 20, 1), "uint8")
        >>> for row, column in [(4, 9), (5, 8), (6, 7), (15, 3), (16, 2), (17, 1)]:
        ...     image[0, row, column] = 1
        >>> layer = DiagonalCount()
        >>> int(layer(image)[0])
        2
        >>> tuple(layer.feature_map(image).shape), int(layer.feature_map(image)[0, 4, 7, 0])
        ((1, 18, 18, 1), 3)

    Reference:
        The homework, Question 3.
    """

    def __init__(
        self,
        size=3,
        diagonal="anti",
        threshold=None,
        count="peaks",
        data_format=None,
        pixel_threshold=None,
        keepdims=False,
        **kwargs,
    ):
        data_format = data_format or keras.config.image_data_format()
        check_arguments(size, diagonal, threshold, count, data_format, pixel_threshold)
        # No `autocast`: half precision would round the pixels before they are added.
        super().__init__(**kwargs, autocast=False)
        self.size = int(size)
        self.diagonal = diagonal
        self.threshold = threshold
        self.count = count
        self.data_format = data_format
        self.pixel_threshold = pixel_threshold
        self.keepdims = keepdims
        self._min_sum = _min_sum(self.size if threshold is None else threshold)

    def build(self, input_shape):
        """Create the frozen kernel (size, size, 1, 1), or (size, size, 1, 2) for both diagonals."""
        self._check_shape(input_shape)
        kernels = [_kernel(self.size, diagonal) for diagonal in DIAGONALS[self.diagonal]]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.size, self.size, 1, len(kernels)),
            initializer=lambda shape, dtype: ops.cast(np.stack(kernels, -1)[:, :, None], dtype),
            trainable=False,
            autocast=False,
        )

    def call(self, inputs):
        """Return the number of peaks or segments of each image."""
        total = 0
        for diagonal, peaks in self._peaks(inputs).items():
            total = total + _count_true(peaks)
            if self.count == "segments":
                # n adjacent peaks are n - 1 pairs.
                total = total - _count_true(_adjacent_pairs(peaks, diagonal))
        has_channels = len(total.shape) == 2
        return ops.expand_dims(total, -1) if self.keepdims and not has_channels else total

    def feature_map(self, inputs):
        """Correlate each image with the kernel.

        Args:
            inputs: As for the layer.

        Returns:
            Tensor (N, height - size + 1, width - size + 1, D), or with the channels first. D is the
            number of channels, or twice it for both diagonals (all channels of "anti" first). The
            dtype is int32 for images of which the layer counts the set pixels; float64 for float64
            images; otherwise float32.
        """
        images = self._to_images(inputs)
        images = ops.cast(images, "int32") if _is_boolean(images) else images
        return self._stack_channels(_sum(shifted) for shifted in self._shift(images).values())

    def peaks(self, inputs):
        """Find the positions where the feature map reaches the threshold.

        Args:
            inputs: As for the layer.

        Returns:
            Boolean tensor of the shape of `feature_map`.
        """
        return self._stack_channels(self._peaks(inputs).values())

    def compute_output_shape(self, input_shape):
        """Return (N, channels), or (N,) for one channel without `keepdims`."""
        self._check_shape(input_shape)
        channels = input_shape[self._channel_axis]
        return (input_shape[0], channels) if channels > 1 or self.keepdims else (input_shape[0],)

    def compute_output_spec(self, inputs):
        """Return the spec of the counts, int32 under every dtype policy."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype="int32")

    def get_config(self):
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "size": self.size,
            "diagonal": self.diagonal,
            "threshold": self.threshold,
            "count": self.count,
            "data_format": self.data_format,
            "pixel_threshold": self.pixel_threshold,
            "keepdims": self.keepdims,
        }

    @property
    def _channel_axis(self):
        return -1 if self.data_format == "channels_last" else 1

    def _peaks(self, inputs):
        """Return the peaks of each diagonal by name, booleans (N, rows, columns[, channels])."""
        images = self._to_images(inputs)
        if _is_boolean(images) and self._min_sum > self.size - 1:
            return {
                name: reduce(ops.logical_and, shifted)
                for name, shifted in self._shift(images).items()
            }
        min_sum = self._min_sum
        if _is_boolean(images):
            # The number of set pixels is at most `size`.
            images = ops.cast(images, "uint8" if self.size < 256 else "int32")
            min_sum = ops.cast(math.ceil(min_sum), images.dtype)
        return {name: _sum(shifted) >= min_sum for name, shifted in self._shift(images).items()}

    def _to_images(self, inputs):
        """Return the images (N, height, width[, channels]): booleans, float32 or float64."""
        if not keras.utils.is_keras_tensor(inputs):
            inputs = ops.convert_to_tensor(inputs)
        self._check_shape(inputs.shape)
        if inputs.shape[self._channel_axis] == 1:
            images = ops.squeeze(inputs, self._channel_axis)
        else:
            images = ops.moveaxis(inputs, self._channel_axis, -1)
        dtype = keras.backend.standardize_dtype(images.dtype)
        if self.pixel_threshold is None and "float" not in dtype:
            return ops.cast(images, "bool")
        images = images if dtype == "float64" else ops.cast(images, "float32")
        if self.pixel_threshold is not None:
            return images > self.pixel_threshold
        check_pixels(images, TOLERANCE)
        return images

    def _shift(self, images):
        """Return for each diagonal by name the images shifted to each of its pixels."""
        last = self.size - 1
        # The stop counts from the end, so height and width can be unknown; 0 must become `None`.
        windows = [slice(shift, shift - last or None) for shift in range(self.size)]
        shifted = {}
        for name in DIAGONALS[self.diagonal]:
            columns = windows[::-1] if name == "anti" else windows
            pairs = zip(windows, columns, strict=True)
            shifted[name] = [images[:, row, column] for row, column in pairs]
        return shifted

    def _stack_channels(self, maps):
        maps = [one if len(one.shape) == 4 else ops.expand_dims(one, -1) for one in maps]
        return ops.moveaxis(ops.concatenate(maps, axis=-1), -1, self._channel_axis)

    def _check_shape(self, shape):
        check_shape(tuple(shape), self.size, self.data_format)


def _min_sum(threshold):
    """Return the smallest sum of a peak; no integer lies between it and the threshold."""
    next_lower = math.ceil(threshold) - 1
    return threshold - min(TOLERANCE * threshold, (threshold - next_lower) / 2)


def _kernel(size, diagonal):
    return np.eye(size)[::-1] if diagonal == "anti" else np.eye(size)


def _is_boolean(images):
    return keras.backend.standardize_dtype(images.dtype) == "bool"


def _sum(terms):
    return reduce(ops.add, terms)


def _adjacent_pairs(peaks, diagonal):
    """Mark each peak (N, rows, columns, …) that has a predecessor along its diagonal."""
    left, right = peaks[:, :, :-1], peaks[:, :, 1:]
    before, after = (right, left) if diagonal == "anti" else (left, right)
    return ops.logical_and(before[:, :-1], after[:, 1:])


def _count_true(marks):
    """Count the true values of each image, booleans (N, rows, columns, …) → int32 (N, …).

    Blocks of rows are added as bytes first, because processors add many bytes at a time. Only the
    sum of the blocks is widened to int32.
    """
    rows = marks.shape[1]
    if rows is not None and rows > ROW_BLOCKS:
        marks = ops.cast(marks, "uint8")
        height = rows // ROW_BLOCKS
        blocks = [marks[:, n * height : (n + 1) * height] for n in range(ROW_BLOCKS)]
        marks = ops.concatenate([_sum(blocks), marks[:, ROW_BLOCKS * height :]], axis=1)
    return ops.sum(ops.cast(marks, "int32"), axis=(1, 2))

"""The homework's frozen diagonal kernel (Question 3), as a layer that counts."""

import math
from functools import reduce

import keras
import numpy as np
from keras import ops

from kerashw.errors import InputError

DIAGONALS = {"anti": ("anti",), "main": ("main",), "both": ("anti", "main")}
COUNTS = ("peaks", "segments")
DATA_FORMATS = ("channels_last", "channels_first")
# How far a float sum may fall short of the threshold: this share of it, at most.
TOLERANCE = 0.005
# So many slabs of rows are added as bytes before the sum is widened: at most 255.
SLABS = 16


@keras.saving.register_keras_serializable(package="kerashw")
class DiagonalCount(keras.layers.Layer):
    """Count the diagonal segments of binary images with a frozen kernel, exactly.

    The kernel K (size, size) is 1 on one diagonal and 0 elsewhere. The layer correlates each image
    x with it, valid, with stride 1, and counts the places where the sum reaches the threshold:

        F[r, c] = Σ_ij K[i, j] x[r + i, c + j]        count = |{(r, c) : F[r, c] ≥ threshold}|

    A kernel of ones on a diagonal is a sum of `size` shifted images; so it is computed, many times
    faster than by a general convolution. The kernel stands in `summary()` and in saved models as a
    weight that is never trained, and is what `feature_map` applies; changing it changes nothing.

    Counts are exact under every precision policy: nothing here is cast to its compute dtype.
    Integer and boolean images are binary: a pixel is set where it is not 0, be it 1 or 255. Pixels
    of floating-point images, which should be in [0, 1], are added as numbers in float32 or wider,
    and a sum that is at most 0.5 % short of the threshold reaches it, so that pixels of 0.999 are a
    full match; but never by more than half the way down to the next whole number, so that images
    of 0.0 and 1.0 count as the same images of integers do.

    Args:
        size: Integer, at least 2, the side of the kernel.
        diagonal: "anti" for the diagonal from the lower left to the upper right, the homework's;
            "main" for the other one; "both" to count both, each with its own kernel.
        threshold: Number in (0, size], the sum that makes a peak; `None` for the size, a full
            match.
        count: "peaks" for every place that reaches the threshold; "segments" to count peaks that
            follow each other along their diagonal once, as a run longer than the kernel makes them.
        data_format: "channels_last" or "channels_first"; by default Keras' own setting.
        **kwargs: What every Keras layer takes: `name`, `dtype`, `trainable`.

    Input shape:
        (N, height, width, 1), or (N, 1, height, width) where channels come first; floats,
        integers or booleans; height and width at least `size`.

    Output shape:
        (N,), int32.

    Raises:
        InputError: If an argument is not as above; when it is built, if the input is not.

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
        **kwargs,
    ):
        data_format = data_format or keras.config.image_data_format()
        _check_arguments(size, diagonal, threshold, count, data_format)
        # Without `autocast`: half precision would round pixels before they are added.
        super().__init__(**kwargs, autocast=False)
        self.size = int(size)
        self.diagonal = diagonal
        self.threshold = threshold
        self.count = count
        self.data_format = data_format
        self._level = _level(self.size if threshold is None else threshold)

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
        """Count the peaks, or the segments, of every image."""
        total = 0
        for peaks, diagonal in zip(*self._peaks(inputs), strict=True):
            total = total + _count(peaks)
            if self.count == "segments":
                # A run of n peaks has n - 1 pairs of neighbours.
                total = total - _count(_pairs(peaks, diagonal))
        return total

    def feature_map(self, inputs):
        """Correlate every image with the kernel.

        Args:
            inputs: As the layer's.

        Returns:
            Tensor (N, height - size + 1, width - size + 1, D), or with the channels first, D being
            1, or 2 for both diagonals ("anti" first): int32, the pixels that are set, for integer
            and boolean images; otherwise float32, or float64 for float64 images.
        """
        images = self._images(inputs)
        images = ops.cast(images, "int32") if _is_binary(images) else images
        return self._as_channels([_add(terms) for terms in self._shifted(images)])

    def peaks(self, inputs):
        """Find where the feature map reaches the threshold.

        Args:
            inputs: As the layer's.

        Returns:
            Boolean tensor of the shape that `feature_map` gives.
        """
        return self._as_channels(self._peaks(inputs)[0])

    def compute_output_shape(self, input_shape):
        """Give the shape of one count an image."""
        self._check_shape(input_shape)
        return (input_shape[0],)

    def compute_output_spec(self, inputs):
        """Say that counts are int32, whatever the dtype policy."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype="int32")

    def get_config(self):
        """Give the arguments that make this layer anew."""
        return {
            **super().get_config(),
            "size": self.size,
            "diagonal": self.diagonal,
            "threshold": self.threshold,
            "count": self.count,
            "data_format": self.data_format,
        }

    @property
    def _channel_axis(self):
        return -1 if self.data_format == "channels_last" else 1

    def _peaks(self, inputs):
        """Return a boolean tensor (N, rows, columns) a diagonal, and the diagonals' names."""
        images = self._images(inputs)
        if not _is_binary(images):
            found = [_add(terms) >= self._level for terms in self._shifted(images)]
        elif self._level > self.size - 1:
            found = [reduce(ops.logical_and, terms) for terms in self._shifted(images)]
        else:
            # The sum of set pixels is at most `size`.
            images = ops.cast(images, "uint8" if self.size < 256 else "int32")
            least = ops.cast(math.ceil(self._level), images.dtype)
            found = [_add(terms) >= least for terms in self._shifted(images)]
        return found, DIAGONALS[self.diagonal]

    def _images(self, inputs):
        """Return the images (N, height, width): booleans, float32 or float64."""
        if not keras.utils.is_keras_tensor(inputs):
            inputs = ops.convert_to_tensor(inputs)
        self._check_shape(inputs.shape)
        images = ops.squeeze(inputs, self._channel_axis)
        dtype = keras.backend.standardize_dtype(images.dtype)
        if "float" in dtype:
            return images if dtype == "float64" else ops.cast(images, "float32")
        return ops.cast(images, "bool")

    def _shifted(self, images):
        """Return, for each diagonal, the images shifted to each of its pixels."""
        size, last = self.size, self.size - 1
        # Counted from the end, so that height and width need not be known: -0 would be the start.
        windows = [slice(shift, shift - last or None) for shift in range(size)]
        steps = {"anti": windows[::-1], "main": windows}
        return [
            [images[:, row, column] for row, column in zip(windows, steps[diagonal], strict=True)]
            for diagonal in DIAGONALS[self.diagonal]
        ]

    def _as_channels(self, maps):
        return ops.stack(maps, axis=self._channel_axis)

    def _check_shape(self, shape):
        shape = tuple(shape)
        first = self.data_format == "channels_first"
        expected = "(N, 1, height, width)" if first else "(N, height, width, 1)"
        if len(shape) != 4 or shape[self._channel_axis] != 1:
            raise InputError(
                f"DiagonalCount takes images of one channel, {expected}. "
                f"Received: input_shape={shape}"
            )
        if any(n is not None and n < self.size for n in (shape[2:] if first else shape[1:3])):
            raise InputError(
                f"images must be at least as high and as wide as the kernel, size={self.size}. "
                f"Received: input_shape={shape}"
            )


def _check_arguments(size, diagonal, threshold, count, data_format):
    if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 2:
        raise InputError(f"`size` must be a whole number of at least 2. Received: size={size!r}")
    for name, value, known in (
        ("diagonal", diagonal, DIAGONALS),
        ("count", count, COUNTS),
        ("data_format", data_format, DATA_FORMATS),
    ):
        if value not in known:
            raise InputError(f"`{name}` must be one of {', '.join(known)}. Received: {value!r}")
    if threshold is None:
        return
    number = isinstance(threshold, (int, float)) and not isinstance(threshold, bool)
    if not number or not 0 < threshold <= size:
        raise InputError(
            f"`threshold` must be above 0 and at most the size, {size}: no window of {size} pixels "
            f"on a diagonal reaches more. Received: threshold={threshold!r}"
        )


def _level(threshold):
    """Return what a sum must reach; no whole number lies between this and the threshold."""
    below = math.ceil(threshold) - 1
    return threshold - min(TOLERANCE * threshold, (threshold - below) / 2)


def _kernel(size, diagonal):
    return np.eye(size)[::-1] if diagonal == "anti" else np.eye(size)


def _is_binary(images):
    return keras.backend.standardize_dtype(images.dtype) == "bool"


def _add(terms):
    return reduce(ops.add, terms)


def _pairs(peaks, diagonal):
    """Mark the peaks (N, rows, columns) that follow another one along their diagonal."""
    left, right = peaks[:, :, :-1], peaks[:, :, 1:]
    before, after = (right, left) if diagonal == "anti" else (left, right)
    return ops.logical_and(before[:, :-1], after[:, 1:])


def _count(marks):
    """Count the marks of each image, booleans (N, rows, columns) → int32 (N,).

    The rows are added slab on slab, as bytes, which processors do many at a time; only the last
    slab's sums are widened.
    """
    rows = marks.shape[1]
    if rows is not None and rows > SLABS:
        marks = ops.cast(marks, "uint8")
        height = rows // SLABS
        slabs = [marks[:, n * height : (n + 1) * height] for n in range(SLABS)]
        marks = ops.concatenate([_add(slabs), marks[:, SLABS * height :]], axis=1)
    return ops.sum(ops.cast(marks, "int32"), axis=(1, 2))

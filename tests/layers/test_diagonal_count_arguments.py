"""Invalid arguments and images of `DiagonalCount` are errors that show what was received."""

import keras
import numpy as np
import pytest

from kerashw.errors import InputError
from kerashw.layers import DiagonalCount


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 1}, "Received: size=1"),
        ({"size": 3.0}, "Received: size=3.0"),
        ({"size": True}, "Received: size=True"),
        ({"diagonal": "up"}, "`diagonal` must be one of anti, main, both. Received: 'up'"),
        ({"count": "all"}, "`count` must be one of peaks, segments. Received: 'all'"),
        ({"data_format": "NHWC"}, "`data_format` must be one of .* Received: 'NHWC'"),
        ({"threshold": 0}, "Received: threshold=0"),
        ({"threshold": 3.1}, "no window of 3 pixels .* Received: threshold=3.1"),
        ({"threshold": float("nan")}, "Received: threshold=nan"),
        ({"threshold": "3"}, "Received: threshold='3'"),
        ({"pixel_threshold": "0.5"}, "Received: pixel_threshold='0.5'"),
        ({"pixel_threshold": float("nan")}, "Received: pixel_threshold=nan"),
    ],
)
def test_invalid_arguments_are_errors(arguments, message):
    with pytest.raises(InputError, match=message):
        DiagonalCount(**arguments)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 10, 10), r"images \(N, height, width, channels\) .*input_shape=\(2, 10, 10\)"),
        ((2, 10, 10, None), r"number of channels. Received: input_shape=\(2, 10, 10, None\)"),
        ((2, 1, 10, 10), r"Received: input_shape=\(2, 1, 10, 10\)"),
        ((2, 2, 10, 1), r"as the kernel, size=3. Received: input_shape=\(2, 2, 10, 1\)"),
        ((2, 10, 2, 1), r"size=3. Received: input_shape=\(2, 10, 2, 1\)"),
    ],
)
def test_images_of_a_wrong_shape_are_errors(shape, message):
    layer = DiagonalCount(data_format="channels_last")
    with pytest.raises(InputError, match=message):
        layer.build(shape)
    with pytest.raises(InputError, match=message):
        layer.compute_output_shape(shape)
    with pytest.raises(InputError, match=message):
        DiagonalCount(data_format="channels_last")(keras.Input(batch_shape=shape))
    if None not in shape:
        with pytest.raises(InputError, match=message):
            DiagonalCount(data_format="channels_last")(np.zeros(shape, "float32"))


@pytest.mark.parametrize("pixel", [255, 1.01, -0.01, np.inf])
def test_floats_outside_0_to_1_are_errors_where_their_values_are_known(pixel):
    images = np.zeros((2, 10, 10, 1), "float32")
    images[1, 2, 3] = pixel
    layer = DiagonalCount()
    for call in (layer, layer.feature_map, layer.peaks):
        with pytest.raises(InputError, match=r"`pixel_threshold`, .* Received: pixels from"):
            call(images)
        call(keras.Input((10, 10, 1)))
    DiagonalCount(pixel_threshold=0.5)(images)

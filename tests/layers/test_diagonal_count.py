"""Counts of diagonals are exact and invariant, on every Keras backend."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kerashw.layers import DiagonalCount
from tests.layers.diagonal_images import count_in_python, counts_of, random_images

FEW = settings(max_examples=30, suppress_health_check=list(HealthCheck))
# A short list of shapes, because a backend compiles again for every shape.
SHAPES = st.sampled_from([(2, 6, 6, 1), (1, 7, 5, 1), (3, 21, 6, 1), (2, 40, 9, 1)])
BATCHES = SHAPES.flatmap(lambda shape: hnp.arrays("uint8", shape, elements=st.integers(0, 1)))
ARGUMENTS = st.fixed_dictionaries(
    {
        "size": st.integers(2, 5),
        "diagonal": st.sampled_from(["anti", "main", "both"]),
        "count": st.sampled_from(["peaks", "segments"]),
    }
)


@FEW
@given(batch=BATCHES, arguments=ARGUMENTS, share=st.floats(0.01, 1))
def test_counts_equal_those_of_a_plain_loop(batch, arguments, share):
    size = arguments["size"]
    for threshold in (None, share * size, int(share * size) or 1):
        expected = count_in_python(batch, threshold=threshold, **arguments)
        layer = DiagonalCount(threshold=threshold, **arguments)
        for dtype in ("uint8", "bool", "float32", "int32"):
            assert counts_of(layer, batch.astype(dtype)) == expected


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("diagonal", ["anti", "main", "both"])
@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_the_feature_map_is_the_correlation_with_the_stored_kernel(size, diagonal, data_format):
    batch = random_images(3, 12, 9, 1).astype("float32")
    layer = DiagonalCount(size, diagonal, data_format=data_format)
    inputs = batch if data_format == "channels_last" else batch.transpose(0, 3, 1, 2)
    layer.build(inputs.shape)
    expected = keras.ops.convert_to_numpy(
        keras.ops.conv(batch, layer.kernel, padding="valid", data_format="channels_last")
    )
    for dtype, map_dtype in [("uint8", "int32"), ("bool", "int32"), ("float32", "float32")]:
        found = keras.ops.convert_to_numpy(layer.feature_map(inputs.astype(dtype)))
        assert found.dtype == map_dtype
        peaks = keras.ops.convert_to_numpy(layer.peaks(inputs.astype(dtype)))
        if data_format == "channels_first":
            found, peaks = found.transpose(0, 2, 3, 1), peaks.transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(found, np.round(expected))
        np.testing.assert_array_equal(peaks, found >= size)
        assert counts_of(layer, inputs.astype(dtype)) == peaks.sum((1, 2, 3)).tolist()


def test_the_default_kernel_is_that_of_the_homework():
    layer = DiagonalCount()
    layer.build((None, 100, 100, 1))
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    assert kernel[..., 0, 0].tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert layer.count_params() == 9
    assert layer.trainable_weights == []


@FEW
@given(batch=BATCHES, arguments=ARGUMENTS)
def test_a_transposed_image_keeps_its_count_and_a_mirrored_image_swaps_the_diagonals(
    batch, arguments
):
    other = {"anti": "main", "main": "anti", "both": "both"}[arguments["diagonal"]]
    layer, swapped = DiagonalCount(**arguments), DiagonalCount(**arguments | {"diagonal": other})
    counts = counts_of(layer, batch)
    assert counts_of(layer, batch.transpose(0, 2, 1, 3)) == counts
    assert counts_of(layer, batch[:, ::-1, ::-1]) == counts
    assert counts_of(swapped, batch[:, :, ::-1]) == counts
    assert counts_of(swapped, batch[:, ::-1]) == counts


@FEW
@given(batch=BATCHES, arguments=ARGUMENTS, data=st.data())
def test_an_image_that_is_moved_within_an_empty_frame_keeps_its_count(batch, arguments, data):
    down, right = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    framed = np.pad(batch, ((0, 0), (down, 3 - down), (right, 3 - right), (0, 0)))
    layer = DiagonalCount(**arguments)
    assert counts_of(layer, framed) == counts_of(layer, batch)


@FEW
@given(batch=BATCHES, arguments=ARGUMENTS)
def test_counts_decrease_with_the_threshold_and_segments_are_at_most_peaks(batch, arguments):
    size = arguments["size"]
    peaks = [
        counts_of(DiagonalCount(**arguments | {"count": "peaks"}, threshold=t), batch)
        for t in range(1, size + 1)
    ]
    for lower, higher in itertools.pairwise(peaks):
        assert all(a >= b for a, b in zip(lower, higher, strict=True))
    segments = counts_of(DiagonalCount(**arguments | {"count": "segments"}), batch)
    assert all(s <= p and (s > 0) == (p > 0) for s, p in zip(segments, peaks[-1], strict=True))


@FEW
@given(batch=BATCHES, size=st.integers(2, 5), count=st.sampled_from(["peaks", "segments"]))
def test_the_count_of_both_diagonals_is_the_sum(batch, size, count):
    anti, main, both = (
        np.array(counts_of(DiagonalCount(size, name, count=count), batch))
        for name in ("anti", "main", "both")
    )
    np.testing.assert_array_equal(anti + main, both)


@pytest.mark.parametrize("length", range(2, 12))
def test_a_segment_longer_than_the_kernel_counts_once(length):
    image = np.zeros((1, 12, 12, 1), "uint8")
    image[0, :length, :length, 0] = np.eye(length)[::-1]
    assert counts_of(DiagonalCount(), image) == [max(length - 2, 0)]
    assert counts_of(DiagonalCount(count="segments"), image) == [int(length >= 3)]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float16"])
def test_counts_are_exact_in_half_precision(policy):
    """A full image has 98·98 = 9604 peaks; bfloat16 represents consecutive integers to 256."""
    batch = np.ones((2, 100, 100, 1))
    for dtype in ("float32", "uint8", "bool", "float16"):
        assert counts_of(DiagonalCount(dtype=policy), batch.astype(dtype)) == [9604, 9604]
    half = keras.ops.cast(np.ones((1, 300, 300, 1), "float32"), "bfloat16")
    assert counts_of(DiagonalCount(size=300, dtype=policy), half) == [1]


# Up to 255, the pixels of a diagonal are added as bytes.
@pytest.mark.parametrize("size", [2, 100, 255, 256])
def test_one_missing_pixel_is_detected_for_every_size(size):
    full = np.eye(size)[None, ::-1, :, None]
    missing = full.copy()
    missing[0, size // 2, size - 1 - size // 2] = 0
    for dtype in ("uint8", "bool", "float32"):
        for threshold in (None, size, size - 1, size - 0.5):
            layer = DiagonalCount(size, threshold=threshold)
            counts = counts_of(layer, np.concatenate([full, missing]).astype(dtype))
            assert counts == [1, int(threshold == size - 1)]


@pytest.mark.parametrize(
    ("pixel", "count"), [(1, 1), (0.9999, 1), (0.999, 1), (0.996, 1), (0.994, 0), (0.9, 0)]
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_pixels_of_almost_one_match(pixel, count, dtype):
    for size in (2, 3, 50, 100):
        batch = (pixel * np.eye(size)[None, ::-1, :, None]).astype(dtype)
        assert counts_of(DiagonalCount(size), batch) == [count]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_an_integer_pixel_is_set_if_it_is_not_zero(dtype):
    batch = random_images(2, 10, 10, 1)
    levels = (batch * np.random.default_rng(1).integers(1, 256, batch.shape)).astype(dtype)
    for threshold in (None, 2):
        layer = DiagonalCount(threshold=threshold)
        assert counts_of(layer, levels) == counts_of(layer, batch)


@FEW
@given(batch=BATCHES, arguments=ARGUMENTS, threshold=st.sampled_from([0, 127, 127.5, 254]))
def test_pixels_above_their_threshold_are_set_in_every_dtype(batch, arguments, threshold):
    rng = np.random.default_rng(0)
    levels = np.where(
        batch,
        rng.integers(threshold + 1, 256, batch.shape),
        rng.integers(0, threshold + 1, batch.shape),
    )
    layer = DiagonalCount(pixel_threshold=threshold, **arguments)
    expected = counts_of(DiagonalCount(**arguments), batch)
    for dtype in ("uint8", "int32", "float32", "float64"):
        assert counts_of(layer, levels.astype(dtype)) == expected
    assert keras.backend.standardize_dtype(layer.feature_map(levels).dtype) == "int32"


@FEW
@given(batch=BATCHES, arguments=ARGUMENTS, dtype=st.sampled_from(["uint8", "float32"]))
def test_each_channel_is_counted_like_an_image_of_one_channel(batch, arguments, dtype):
    channels = np.concatenate([batch, batch[:, ::-1], 1 - batch], axis=-1).astype(dtype)
    layer = DiagonalCount(**arguments)
    alone = [counts_of(layer, channels[..., [c]]) for c in range(3)]
    for data_format, axis in (("channels_last", -1), ("channels_first", 1)):
        inputs = np.moveaxis(channels, -1, axis)
        layer = DiagonalCount(data_format=data_format, **arguments)
        assert layer.compute_output_shape(inputs.shape) == (len(batch), 3)
        assert counts_of(layer, inputs) == np.stack(alone, axis=-1).tolist()
        for function in (layer.feature_map, layer.peaks):
            maps = keras.ops.convert_to_numpy(function(inputs))
            for c in range(3):
                one = keras.ops.convert_to_numpy(function(inputs.take([c], axis)))
                np.testing.assert_array_equal(
                    np.moveaxis(maps, axis, 0)[c::3], np.moveaxis(one, axis, 0)
                )


@pytest.mark.parametrize("channels", [1, 3])
def test_keepdims_keeps_an_axis_of_channels(channels):
    batch = random_images(4, 9, 9, channels)
    layer = DiagonalCount(keepdims=True)
    counts = keras.ops.convert_to_numpy(layer(batch))
    assert counts.shape == layer.compute_output_shape(batch.shape) == (4, channels)
    np.testing.assert_array_equal(counts.squeeze(), DiagonalCount()(batch))


def test_nan_is_not_a_peak():
    assert counts_of(DiagonalCount(), np.full((1, 5, 5, 1), np.nan, "float32")) == [0]

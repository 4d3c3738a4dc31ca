"""Laws of the counting layer, on whichever backend Keras has."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kerashw.errors import InputError
from kerashw.layers import DiagonalCount
from tests.conftest import on_tensorflow

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
# Shapes from a short list: a backend compiles anew for every shape.
SHAPES = st.sampled_from([(2, 6, 6, 1), (1, 7, 5, 1), (3, 21, 6, 1), (2, 40, 9, 1)])
BINARY = SHAPES.flatmap(lambda shape: hnp.arrays("uint8", shape, elements=st.integers(0, 1)))
LAYERS = st.fixed_dictionaries(
    {
        "size": st.integers(2, 5),
        "diagonal": st.sampled_from(["anti", "main", "both"]),
        "count": st.sampled_from(["peaks", "segments"]),
    }
)


def images(*shape, density=0.6, seed=0):
    return (np.random.default_rng(seed).random(shape) < density).astype("uint8")


def counts(layer, inputs):
    found = layer(inputs)
    assert keras.backend.standardize_dtype(found.dtype) == "int32"
    return keras.ops.convert_to_numpy(found).tolist()


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def counted_by_hand(batch, size, diagonal, threshold=None, count="peaks"):
    """Counts pixel by pixel, in plain Python."""
    found = []
    for image in batch[..., 0].astype(float):
        total = 0
        for name in ("anti", "main") if diagonal == "both" else (diagonal,):
            flipped = (image[:, ::-1] if name == "anti" else image).tolist()
            rows, columns = len(flipped) - size + 1, len(flipped[0]) - size + 1
            peak = {
                (r, c)
                for r in range(rows)
                for c in range(columns)
                if sum(flipped[r + k][c + k] for k in range(size)) >= (threshold or size)
            }
            if count == "segments":
                peak = {(r, c) for r, c in peak if (r - 1, c - 1) not in peak}
            total += len(peak)
        found.append(total)
    return found


@FEW
@given(batch=BINARY, arguments=LAYERS, share=st.floats(0.01, 1))
def test_it_counts_what_a_plain_loop_counts(batch, arguments, share):
    size = arguments["size"]
    for threshold in (None, share * size, int(share * size) or 1):
        expected = counted_by_hand(batch, threshold=threshold, **arguments)
        layer = DiagonalCount(threshold=threshold, **arguments)
        for dtype in ("uint8", "bool", "float32", "int32"):
            assert counts(layer, batch.astype(dtype)) == expected


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("diagonal", ["anti", "main", "both"])
@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_the_feature_map_is_the_correlation_with_the_stored_kernel(size, diagonal, data_format):
    batch = images(3, 12, 9, 1).astype("float32")
    layer = DiagonalCount(size, diagonal, data_format=data_format)
    given = batch if data_format == "channels_last" else batch.transpose(0, 3, 1, 2)
    layer.build(given.shape)
    expected = to_numpy(
        keras.ops.conv(batch, layer.kernel, padding="valid", data_format="channels_last")
    )
    for dtype, map_dtype in [("uint8", "int32"), ("bool", "int32"), ("float32", "float32")]:
        found = to_numpy(layer.feature_map(given.astype(dtype)))
        assert found.dtype == map_dtype
        peaks = to_numpy(layer.peaks(given.astype(dtype)))
        if data_format == "channels_first":
            found, peaks = found.transpose(0, 2, 3, 1), peaks.transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(found, np.round(expected))
        np.testing.assert_array_equal(peaks, found >= size)
        assert counts(layer, given.astype(dtype)) == peaks.sum((1, 2, 3)).tolist()


def test_the_default_kernel_is_that_of_the_homework():
    layer = DiagonalCount()
    layer.build((None, 100, 100, 1))
    assert to_numpy(layer.kernel)[..., 0, 0].tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert layer.count_params() == 9
    assert layer.trainable_weights == []


def test_the_frozen_kernel_is_in_the_summary(capsys):
    keras.Sequential([keras.Input((10, 10, 1)), DiagonalCount()]).summary()
    assert "Non-trainable params: 9" in capsys.readouterr().out


@FEW
@given(batch=BINARY, arguments=LAYERS)
def test_a_transposed_or_mirrored_image_swaps_the_diagonals(batch, arguments):
    """Turning an image round its anti-diagonal or main diagonal keeps both; a mirror swaps them."""
    other = {"anti": "main", "main": "anti", "both": "both"}[arguments["diagonal"]]
    layer, swapped = DiagonalCount(**arguments), DiagonalCount(**arguments | {"diagonal": other})
    found = counts(layer, batch)
    assert counts(layer, batch.transpose(0, 2, 1, 3)) == found
    assert counts(layer, batch[:, ::-1, ::-1]) == found
    assert counts(swapped, batch[:, :, ::-1]) == found
    assert counts(swapped, batch[:, ::-1]) == found


@FEW
@given(batch=BINARY, arguments=LAYERS, data=st.data())
def test_moving_an_image_within_an_empty_frame_keeps_its_count(batch, arguments, data):
    down, right = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    framed = np.pad(batch, ((0, 0), (down, 3 - down), (right, 3 - right), (0, 0)))
    layer = DiagonalCount(**arguments)
    assert counts(layer, framed) == counts(layer, batch)


@FEW
@given(batch=BINARY, arguments=LAYERS)
def test_counts_fall_with_the_threshold_and_segments_are_at_most_peaks(batch, arguments):
    size = arguments["size"]
    peaks = [
        counts(DiagonalCount(**arguments | {"count": "peaks"}, threshold=t), batch)
        for t in range(1, size + 1)
    ]
    for lower, higher in itertools.pairwise(peaks):
        assert all(a >= b for a, b in zip(lower, higher, strict=True))
    segments = counts(DiagonalCount(**arguments | {"count": "segments"}), batch)
    assert all(s <= p and (s > 0) == (p > 0) for s, p in zip(segments, peaks[-1], strict=True))


@FEW
@given(batch=BINARY, size=st.integers(2, 5), count=st.sampled_from(["peaks", "segments"]))
def test_both_is_the_sum_of_the_two(batch, size, count):
    anti, main, both = (
        np.array(counts(DiagonalCount(size, name, count=count), batch))
        for name in ("anti", "main", "both")
    )
    np.testing.assert_array_equal(anti + main, both)


@pytest.mark.parametrize("length", range(2, 12))
def test_a_run_longer_than_the_kernel_counts_once_as_a_segment(length):
    image = np.zeros((1, 12, 12, 1), "uint8")
    image[0, :length, :length, 0] = np.eye(length)[::-1]
    assert counts(DiagonalCount(), image) == [max(length - 2, 0)]
    assert counts(DiagonalCount(count="segments"), image) == [int(length >= 3)]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float16"])
def test_counts_are_exact_in_half_precision(policy):
    """A full image has 98·98 = 9604 peaks of 3; bfloat16 itself counts no further than 256."""
    batch = np.ones((2, 100, 100, 1))
    for dtype in ("float32", "uint8", "bool", "float16"):
        assert counts(DiagonalCount(dtype=policy), batch.astype(dtype)) == [9604, 9604]
    half = keras.ops.cast(np.ones((1, 300, 300, 1), "float32"), "bfloat16")
    assert counts(DiagonalCount(size=300, dtype=policy), half) == [1]


@pytest.mark.parametrize("size", [2, 100, 255, 256, 300])
def test_one_missing_pixel_is_seen_whatever_the_size(size):
    full = np.eye(size)[None, ::-1, :, None]
    missing = full.copy()
    missing[0, size // 2, size - 1 - size // 2] = 0
    for dtype in ("uint8", "bool", "float32"):
        for threshold in (None, size, size - 1, size - 0.5):
            layer = DiagonalCount(size, threshold=threshold)
            enough = threshold == size - 1
            found = counts(layer, np.concatenate([full, missing]).astype(dtype))
            assert found == [1, int(enough)]


@pytest.mark.parametrize(
    ("pixel", "found"), [(1, 1), (0.9999, 1), (0.999, 1), (0.996, 1), (0.994, 0), (0.9, 0)]
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_pixels_that_are_almost_one_match(pixel, found, dtype):
    for size in (2, 3, 50, 100):
        batch = (pixel * np.eye(size)[None, ::-1, :, None]).astype(dtype)
        assert counts(DiagonalCount(size), batch) == [found]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_a_pixel_of_any_integer_is_set_where_it_is_not_zero(dtype):
    batch = images(2, 10, 10, 1)
    levels = (batch * np.random.default_rng(1).integers(1, 256, batch.shape)).astype(dtype)
    for threshold in (None, 2):
        layer = DiagonalCount(threshold=threshold)
        assert counts(layer, levels) == counts(layer, batch)


def test_nan_is_no_peak():
    assert counts(DiagonalCount(), np.full((1, 5, 5, 1), np.nan, "float32")) == [0]


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
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        DiagonalCount(**arguments)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 10, 10), r"one channel, \(N, height, width, 1\). Received: input_shape=\(2, 10, 10\)"),
        ((2, 10, 10, 3), r"Received: input_shape=\(2, 10, 10, 3\)"),
        ((2, 1, 10, 10), r"Received: input_shape=\(2, 1, 10, 10\)"),
        ((2, 2, 10, 1), r"as the kernel, size=3. Received: input_shape=\(2, 2, 10, 1\)"),
        ((2, 10, 2, 1), r"size=3. Received: input_shape=\(2, 10, 2, 1\)"),
    ],
)
def test_bad_images_are_refused_at_build(shape, message):
    layer = DiagonalCount(data_format="channels_last")
    with pytest.raises(InputError, match=message):
        layer.build(shape)
    with pytest.raises(InputError, match=message):
        layer.compute_output_shape(shape)
    with pytest.raises(InputError, match=message):
        DiagonalCount(data_format="channels_last")(keras.Input(batch_shape=shape))
    with pytest.raises(InputError, match=message):
        DiagonalCount(data_format="channels_last")(np.zeros(shape, "float32"))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"size": 4, "diagonal": "both", "threshold": 2.5, "count": "segments"},
        {"data_format": "channels_first"},
        {"dtype": "mixed_bfloat16", "name": "a_name", "trainable": False},
    ],
)
def test_configuration_and_saving_round_trip(arguments, tmp_path):
    layer = DiagonalCount(**arguments)
    twin = DiagonalCount.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    batch = images(4, 8, 8, 1)
    batch = batch.transpose(0, 3, 1, 2) if layer.data_format == "channels_first" else batch
    model = keras.Sequential([keras.Input(batch.shape[1:], dtype="uint8"), layer])
    assert (model.outputs[0].dtype, tuple(model.outputs[0].shape)) == ("int32", (None,))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].get_config() == layer.get_config()
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert counts(loaded, batch) == counts(model, batch)


class Squared(keras.Model):
    """Somebody else's subclassed model."""

    def __init__(self):
        super().__init__()
        self.count_layer = DiagonalCount(count="segments")

    def call(self, inputs):
        return self.count_layer(inputs) ** 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")
@pytest.mark.parametrize("jit_compile", [False, True])
def test_other_peoples_models(jit_compile):
    batch = images(5, 9, 9, 1).astype("float32")
    expected = np.array(counted_by_hand(batch, 3, "anti", count="segments"))
    image = keras.Input((9, 9, 1))
    count = DiagonalCount(count="segments")(image)
    functional = keras.Model(image, count * count)
    for model in (functional, Squared()):
        model.compile(jit_compile=jit_compile)
        np.testing.assert_array_equal(model.predict(batch, verbose=0), expected**2)


def test_it_can_stand_behind_a_trained_layer():
    image = keras.Input((9, 9, 1))
    x = keras.layers.Conv2D(1, 3, activation="sigmoid")(image)
    model = keras.Model(image, [DiagonalCount()(x), keras.layers.GlobalMaxPooling2D()(x)])
    assert [output.dtype for output in model.outputs] == ["int32", "float32"]
    assert model.predict(images(4, 9, 9, 1).astype("float32"), verbose=0)[0].shape == (4,)


def test_the_feature_map_can_be_an_output_of_a_functional_model():
    image = keras.Input((9, 8, 1))
    layer = DiagonalCount()
    model = keras.Model(image, [layer.feature_map(image), layer.peaks(image)])
    batch = images(2, 9, 8, 1).astype("float32")
    feature_map, peaks = model.predict(batch, verbose=0)
    assert feature_map.shape == (2, 7, 6, 1)
    np.testing.assert_array_equal(peaks, feature_map == 3)


@on_tensorflow
class TestWithTensorFlow:
    def test_in_a_tf_data_map(self):
        import tensorflow as tf

        batch = images(6, 20, 20, 1)
        layer = DiagonalCount()
        dataset = tf.data.Dataset.from_tensor_slices(batch).batch(2).map(layer)
        found = np.concatenate(list(dataset.as_numpy_iterator()))
        assert found.tolist() == counted_by_hand(batch, 3, "anti")

    @pytest.mark.parametrize("count", ["peaks", "segments"])
    def test_in_a_graph_of_unknown_sizes_and_under_xla(self, count):
        import tensorflow as tf

        layer = DiagonalCount(count=count, diagonal="both")
        unknown = tf.TensorSpec((None, None, None, 1), tf.uint8)
        function = tf.function(layer, input_signature=[unknown])
        compiled = tf.function(layer, jit_compile=True)
        for shape in [(2, 9, 30, 1), (3, 40, 7, 1), (0, 9, 9, 1)]:
            batch = images(*shape)
            expected = counted_by_hand(batch, 3, "both", count=count)
            assert function(batch).numpy().tolist() == expected
            assert compiled(batch).numpy().tolist() == expected

    def test_in_a_saved_model(self, tmp_path):
        import tensorflow as tf

        model = keras.Sequential([keras.Input((12, 12, 1)), DiagonalCount(count="segments")])
        model.export(tmp_path / "model", verbose=False)
        batch = images(4, 12, 12, 1).astype("float32")
        found = tf.saved_model.load(tmp_path / "model").serve(batch)
        assert found.dtype == tf.int32
        assert found.numpy().tolist() == counted_by_hand(batch, 3, "anti", count="segments")

"""`DiagonalCount` in saved, functional and subclassed models, and in TensorFlow's graphs."""

import keras
import numpy as np
import pytest

from kerashw.layers import Dense, DiagonalCount
from tests.conftest import on_tensorflow
from tests.layers.diagonal_images import count_in_python, counts_of, random_images


def test_the_frozen_kernel_is_in_the_summary(capsys):
    keras.Sequential([keras.Input((10, 10, 1)), DiagonalCount()]).summary()
    assert "Non-trainable params: 9" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"size": 4, "diagonal": "both", "threshold": 2.5, "count": "segments"},
        {"data_format": "channels_first", "pixel_threshold": 0.5},
        {"dtype": "mixed_bfloat16", "name": "a_name", "trainable": False},
    ],
)
def test_configuration_and_saving_round_trip(arguments, tmp_path):
    layer = DiagonalCount(**arguments)
    twin = DiagonalCount.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    batch = random_images(4, 8, 8, 1)
    batch = batch.transpose(0, 3, 1, 2) if layer.data_format == "channels_first" else batch
    model = keras.Sequential([keras.Input(batch.shape[1:], dtype="uint8"), layer])
    assert (model.outputs[0].dtype, tuple(model.outputs[0].shape)) == ("int32", (None,))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].get_config() == layer.get_config()
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert counts_of(loaded, batch) == counts_of(model, batch)


class Squared(keras.Model):
    """A subclassed model of a user."""

    def __init__(self):
        super().__init__()
        self.count_layer = DiagonalCount(count="segments")

    def call(self, inputs):
        return self.count_layer(inputs) ** 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")
@pytest.mark.parametrize("jit_compile", [False, True])
def test_functional_and_subclassed_models_can_contain_it(jit_compile):
    batch = random_images(5, 9, 9, 1).astype("float32")
    expected = np.array(count_in_python(batch, 3, "anti", count="segments"))
    image = keras.Input((9, 9, 1))
    count = DiagonalCount(count="segments")(image)
    functional = keras.Model(image, count * count)
    for model in (functional, Squared()):
        model.compile(jit_compile=jit_compile)
        np.testing.assert_array_equal(model.predict(batch, verbose=0), expected**2)


def test_it_can_follow_a_trained_layer():
    image = keras.Input((9, 9, 1))
    x = keras.layers.Conv2D(1, 3, activation="sigmoid")(image)
    model = keras.Model(image, [DiagonalCount()(x), keras.layers.GlobalMaxPooling2D()(x)])
    assert [output.dtype for output in model.outputs] == ["int32", "float32"]
    assert model.predict(random_images(4, 9, 9, 1).astype("float32"), verbose=0)[0].shape == (4,)


def test_counts_can_be_concatenated_with_features_and_enter_a_dense_layer():
    image, features = keras.Input((9, 9, 2), dtype="uint8"), keras.Input((3,))
    count = DiagonalCount(keepdims=True)
    counts = keras.layers.Concatenate()([count(image), count(image[..., :1]), features])
    model = keras.Model([image, features], [counts, Dense(2)(counts), Dense(2)(count(image))])
    batch, x = random_images(4, 9, 9, 2), np.ones((4, 3), "float32")
    found = model.predict([batch, x], verbose=0)
    expected = np.array([count_in_python(batch[..., [c]], 3, "anti") for c in (0, 1, 0)]).T
    np.testing.assert_array_equal(found[0], np.concatenate([expected, x], axis=1))
    assert [outputs.shape for outputs in found] == [(4, 6), (4, 2), (4, 2)]


def test_the_feature_map_can_be_an_output_of_a_functional_model():
    image = keras.Input((9, 8, 1))
    layer = DiagonalCount()
    model = keras.Model(image, [layer.feature_map(image), layer.peaks(image)])
    batch = random_images(2, 9, 8, 1).astype("float32")
    feature_map, peaks = model.predict(batch, verbose=0)
    assert feature_map.shape == (2, 7, 6, 1)
    np.testing.assert_array_equal(peaks, feature_map == 3)


@on_tensorflow
class TestTensorFlow:
    def test_in_a_tf_data_map(self):
        import tensorflow as tf

        batch = random_images(6, 20, 20, 1)
        layer = DiagonalCount()
        dataset = tf.data.Dataset.from_tensor_slices(batch).batch(2).map(layer)
        found = np.concatenate(list(dataset.as_numpy_iterator()))
        assert found.tolist() == count_in_python(batch, 3, "anti")

    @pytest.mark.parametrize("count", ["peaks", "segments"])
    def test_in_a_graph_of_unknown_sizes_and_under_xla(self, count):
        import tensorflow as tf

        layer = DiagonalCount(count=count, diagonal="both")
        unknown = tf.TensorSpec((None, None, None, 1), tf.uint8)
        function = tf.function(layer, input_signature=[unknown])
        compiled = tf.function(layer, jit_compile=True)
        for shape in [(2, 9, 30, 1), (3, 40, 7, 1), (0, 9, 9, 1)]:
            batch = random_images(*shape)
            expected = count_in_python(batch, 3, "both", count=count)
            assert function(batch).numpy().tolist() == expected
            assert compiled(batch).numpy().tolist() == expected

    def test_in_a_saved_model(self, tmp_path):
        import tensorflow as tf

        model = keras.Sequential([keras.Input((12, 12, 1)), DiagonalCount(count="segments")])
        model.export(tmp_path / "model", verbose=False)
        batch = random_images(4, 12, 12, 1).astype("float32")
        found = tf.saved_model.load(tmp_path / "model").serve(batch)
        assert found.dtype == tf.int32
        assert found.numpy().tolist() == count_in_python(batch, 3, "anti", count="segments")

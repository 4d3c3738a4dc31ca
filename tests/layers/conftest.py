"""A fixture that tests what all layers have in common, like Keras' own `run_layer_test`."""

import keras
import numpy as np
import pytest


def _data(shape, seed):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def _check_build_and_shape(layer_class, arguments, inputs, output_shape, weights):
    layer = layer_class(**arguments)
    assert tuple(layer.compute_output_shape(inputs.shape)) == output_shape
    layer.build(inputs.shape)
    assert layer.built
    assert [weight.name for weight in layer.trainable_weights] == weights
    symbolic = layer(keras.Input(batch_shape=(None, *inputs.shape[1:])))
    assert tuple(symbolic.shape) == (None, *output_shape[1:])
    assert tuple(layer(inputs).shape) == output_shape


def _check_dtypes(layer_class, arguments, inputs):
    for policy, dtype in [
        ("float32", "float32"),
        ("mixed_bfloat16", "bfloat16"),
        ("mixed_float16", "float16"),
    ]:
        layer = layer_class(**arguments, dtype=policy)
        outputs = layer(inputs)
        assert keras.backend.standardize_dtype(outputs.dtype) == dtype
        assert all(weight.dtype == "float32" for weight in layer.weights)
        assert np.all(np.isfinite(keras.ops.convert_to_numpy(outputs).astype("float32")))


def _check_config(layer_class, arguments):
    layer = layer_class(**arguments, name="a_name", trainable=False, dtype="mixed_bfloat16")
    config = layer.get_config()
    copy = layer_class.from_config(config)
    assert copy.get_config() == config
    assert (copy.name, copy.trainable, copy.compute_dtype) == ("a_name", False, "bfloat16")
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(restored) is layer_class
    assert restored.get_config() == config


def _check_training(layer_class, arguments, inputs, output_shape):
    model = keras.Sequential([keras.Input(inputs.shape[1:]), layer_class(**arguments)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    history = model.fit(inputs, _data(output_shape, 1), batch_size=len(inputs), verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    for weight, old, new in zip(model.weights, before, model.get_weights(), strict=True):
        assert np.any(old != new), f"the training step did not change {weight.path}"


def _check_saving(layer_class, arguments, inputs, folder):
    for policy in ("float32", "mixed_bfloat16"):
        layer = layer_class(**arguments, dtype=policy)
        model = keras.Sequential([keras.Input(inputs.shape[1:]), layer])
        path = folder / f"{policy}.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
        assert type(loaded.layers[0]) is layer_class
        assert loaded.layers[0].dtype_policy.name == policy
        expected, outputs = (keras.ops.convert_to_numpy(m(inputs)) for m in (model, loaded))
        np.testing.assert_array_equal(outputs, expected)


@pytest.fixture
def run_layer_test(tmp_path):
    """Build, call, serialize, train for one step, save and load a layer of floats."""

    def run(layer_class, arguments, input_shape, output_shape, weights):
        inputs = _data(input_shape, 0)
        _check_build_and_shape(layer_class, arguments, inputs, output_shape, weights)
        _check_dtypes(layer_class, arguments, inputs)
        _check_config(layer_class, arguments)
        _check_training(layer_class, arguments, inputs, output_shape)
        _check_saving(layer_class, arguments, inputs, tmp_path)

    return run

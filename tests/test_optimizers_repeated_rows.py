"""Gradients of rows that occur more than once in a batch are added before anything else."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw import keras_private, optimizers
from tests.conftest import on_tensorflow

pytestmark = on_tensorflow
SLOW = pytest.mark.slow
NAMES = ["Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion"]
NAMES += ["Muon", "Nadam", "RMSprop", "ScheduleFreeAdamW", "SGD"]
OPTIONS = {
    "plain": {},
    "clipnorm": {"clipnorm": 0.1},
    "global_clipnorm": {"global_clipnorm": 0.1},
    "clipvalue": {"clipvalue": 0.05},
    "accumulation": {"gradient_accumulation_steps": 2},
    "accumulation, clipnorm": {"gradient_accumulation_steps": 2, "clipnorm": 0.1},
    "average": {"use_ema": True, "ema_overwrite_frequency": 2},
    "decay": {"weight_decay": 0.1},
}
ROWS, WIDTH = 5, 3


def slices(seed, repeated=True):
    """Return a gradient with repeated rows, as `tf.IndexedSlices` and as a dense array."""
    random = np.random.default_rng(seed)
    rows = random.integers(ROWS - 1, size=7) if repeated else random.permutation(ROWS)[:3]
    values = random.normal(size=(len(rows), WIDTH))
    dense = np.zeros((ROWS, WIDTH))
    np.add.at(dense, rows, values)
    return tf.IndexedSlices(
        tf.constant(values), tf.constant(rows), tf.constant((ROWS, WIDTH))
    ), dense


def cast(gradient, dtype):
    if isinstance(gradient, tf.IndexedSlices):
        values = tf.cast(gradient.values, dtype)
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return tf.cast(gradient, dtype)


def make(name, option="plain", module=optimizers):
    settings = {"learning_rate": 0.1} | OPTIONS[option]
    if module is keras.optimizers and name == "Adadelta":
        settings |= {"rho": 0.95, "epsilon": 1e-6}
    return getattr(module, name)(**settings)


def trained(optimizer, gradients):
    """Return the weights after one step for each pair of gradients."""
    start = np.random.default_rng(1).normal(size=(ROWS, WIDTH))
    # Keras' Muon fails with float64.
    dtype = "float32" if isinstance(optimizer, keras.optimizers.Muon) else "float64"
    variables = [keras.Variable(value, dtype=dtype) for value in (start, [1.0])]
    optimizer.build(variables)
    step = tf.function(lambda first, second: optimizer.apply([first, second], variables))
    for gradient in gradients:
        step(cast(gradient, dtype), tf.constant([0.3], dtype))
    return np.concatenate([np.ravel(variable) for variable in variables])


@pytest.mark.parametrize("name", NAMES)
def test_repeated_rows_count_as_their_sum(name, option="global_clipnorm"):
    sparse, dense = zip(*map(slices, range(4)), strict=True)
    found = trained(make(name, option), sparse)
    expected = trained(make(name, option, keras.optimizers), map(tf.constant, dense))
    np.testing.assert_allclose(found, expected, rtol=1e-5 if name == "Muon" else 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_every_option_gets_the_sum(name, option):
    test_repeated_rows_count_as_their_sum(name, option)


@pytest.mark.parametrize("name", ["Adam", "RMSprop", "Adagrad"])
def test_keras_itself_has_other_results(name):
    """If this fails, Keras adds repeated rows itself, and this part of the package can go."""
    sparse, dense = zip(*map(slices, range(4)), strict=True)
    found = trained(make(name, module=keras.optimizers), sparse)
    expected = trained(make(name, module=keras.optimizers), map(tf.constant, dense))
    assert np.abs(found - expected).max() > 1e-3


@pytest.mark.parametrize("name", ["Adam", *(pytest.param(n, marks=SLOW) for n in NAMES)])
def test_states_are_exchanged_with_keras(name):
    gradients = [tf.constant(slices(seed)[1]) for seed in range(3)]
    for modules in ((optimizers, keras.optimizers), (keras.optimizers, optimizers)):
        first, second = (make(name, module=module) for module in modules)
        trained(first, gradients)
        trained(second, gradients[:1])
        store = {}
        first.save_own_variables(store)
        second.load_own_variables(store)
        for one, other in zip(first.variables, second.variables, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_the_class_is_kept_in_a_configuration(name):
    config = keras.saving.serialize_keras_object(make(name, "clipnorm"))
    restored = keras.saving.deserialize_keras_object(config)
    assert type(restored) is getattr(optimizers, name)
    assert restored.clipnorm == 0.1


def test_names_stand_for_the_optimizers_of_keras():
    assert type(keras.optimizers.get("adam")) is keras.optimizers.Adam


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_sgd_writes_each_row_once(seed, repeated):
    sparse, dense = slices(seed, repeated)
    variable, optimizer = (
        keras.Variable(np.zeros((ROWS, WIDTH)), dtype="float64"),
        optimizers.SGD(1.0),
    )
    optimizer.build([variable])
    written = []
    with keras_private.replaced(
        [(optimizer, "assign_sub", lambda _, value: written.append(value))]
    ):
        optimizer.apply([sparse], [variable])
    rows = written[0].indices.numpy()
    assert len(set(rows)) == len(rows)
    np.testing.assert_allclose(tf.convert_to_tensor(written[0]), dense, atol=1e-12)


def step_of(optimizer, variable):
    return tf.function(lambda gradient: optimizer.apply([gradient], [variable]))


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_large_variables_are_updated_by_one_kernel(name, amsgrad):
    random = np.random.default_rng(0)
    gradients = random.normal(size=(4, 256, 256)) * [[[1]], [[1e-3]], [[10]], [[0]]]
    results = []
    for module in (optimizers, keras.optimizers):
        optimizer = getattr(module, name)(0.01, amsgrad=amsgrad, clipnorm=1.0)
        variable = keras.Variable(random.normal(size=(256, 256)) * 0, dtype="float64")
        optimizer.build([variable])
        step = step_of(optimizer, variable)
        for gradient in gradients:
            step(tf.constant(gradient))
        operations = step.get_concrete_function(tf.constant(gradients[0])).graph.get_operations()
        is_fused = any(op.type.startswith("ResourceApplyAdam") for op in operations)
        assert is_fused == (module is optimizers)
        results.append(np.array(variable))
    np.testing.assert_allclose(*results, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_variables_of_every_dtype_are_updated(dtype):
    sparse, dense = slices(0)
    results = []
    for gradient in (sparse, tf.constant(dense)):
        variable = keras.Variable(np.ones((ROWS, WIDTH)), dtype=dtype)
        optimizer = optimizers.Adagrad(0.1)
        optimizer.build([variable])
        optimizer.apply([cast(gradient, dtype)], [variable])
        results.append(keras.ops.convert_to_numpy(variable).astype("float64"))
    np.testing.assert_allclose(*results, rtol=0.02 if "16" in dtype else 1e-5)
    assert np.ptp(results[0]) > 0.05

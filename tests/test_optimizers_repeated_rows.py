"""Gradients of rows that occur more than once in a batch are added before anything else."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw import keras_private, optimizers
from tests import numpy_optimizers
from tests.conftest import on_tensorflow

pytestmark = on_tensorflow
SLOW = pytest.mark.slow
# All others are computed in float64 throughout. Keras' Muon fails with it, so it gets float32, and
# Keras' Nadam rounds its factor 0.96 to float32.
TOLERANCES = {"Muon": 1e-5, "Nadam": 1e-7}
# Keras rounds betas, weight decays and learning rates to float32, which holds those below exactly.
MOMENTS = {"beta_1": 0.75, "beta_2": 0.875, "epsilon": 2**-6}
MUON = {f"muon_{letter}": value for letter, value in zip("abc", (3.5, -4.75, 2.0), strict=True)}
MUON |= {f"adam_{name}": MOMENTS[name] for name in ("beta_1", "beta_2")}
MUON |= {"epsilon": 2**-6, "adam_lr_ratio": 0.5, "weight_decay": 0.0}
MUON |= {"momentum": 0.875, "nesterov": True, "ns_steps": 3, "exclude_embeddings": False}
# The key is the name of a class, and after a comma what sets the case apart.
SETTINGS = {
    "Adadelta": {"rho": 0.875, "epsilon": 2**-6},
    "Adafactor": {
        "learning_rate": 0.75,
        "beta_2_decay": -0.75,
        "epsilon_1": 2**-20,
        "epsilon_2": 0.5,
        "clip_threshold": 0.75,
    },
    "Adagrad": {"initial_accumulator_value": 0.25, "epsilon": 2**-6},
    "Adam": MOMENTS,
    "Adam, amsgrad": MOMENTS | {"amsgrad": True},
    "AdamW": MOMENTS | {"weight_decay": 0.25},
    "Adamax": MOMENTS,
    "Ftrl": {
        "learning_rate_power": -0.75,
        "initial_accumulator_value": 0.25,
        "l1_regularization_strength": 2**-6,
        "l2_regularization_strength": 0.25,
        "l2_shrinkage_regularization_strength": 0.125,
        "beta": 0.5,
    },
    "Lamb": MOMENTS,
    "Lion": {"beta_1": 0.75, "beta_2": 0.9375},
    "Muon": MUON,
    "Muon, no nesterov": MUON | {"nesterov": False},
    "Muon, embeddings excluded": MUON | {"exclude_embeddings": True},
    "Nadam": MOMENTS,
    "RMSprop": {"rho": 0.875, "epsilon": 2**-6},
    "RMSprop, centered": {"rho": 0.875, "epsilon": 2**-6, "centered": True, "momentum": 0.5},
    "ScheduleFreeAdamW": MOMENTS | {"warmup_steps": 2},
    "SGD": {},
    "SGD, momentum": {"momentum": 0.75},
    "SGD, nesterov": {"momentum": 0.75, "nesterov": True},
}
AVERAGE = {"use_ema": True, "ema_overwrite_frequency": 2}
OPTIONS = {
    "plain": {},
    "clipnorm": {"clipnorm": 0.5},
    "global_clipnorm": {"global_clipnorm": 0.125},
    "clipvalue": {"clipvalue": 0.0625},
    "accumulation": {"gradient_accumulation_steps": 2},
    "accumulation, clipnorm": {"gradient_accumulation_steps": 2, "clipnorm": 0.125},
    "accumulation, average": {"gradient_accumulation_steps": 2} | AVERAGE,
    "average": AVERAGE,
    "decay": {"weight_decay": 0.125},
    "several": {"global_clipnorm": 0.125, "weight_decay": 0.125} | AVERAGE,
}
ROWS, WIDTH = 5, 3
START = {
    "embeddings": np.random.default_rng(1).normal(size=(ROWS, WIDTH)),
    "bias": np.full(1, 0.25),
}
BIAS_GRADIENT = np.full(1, -0.25)


def class_of(name):
    return name.partition(",")[0]


def works(name):
    # Keras has ScheduleFreeAdamW since 3.14. Its Muon fails on TensorFlow before 3.13.
    if class_of(name) == "Muon":
        return hasattr(keras.optimizers.Muon, "lr_adjust")
    return hasattr(optimizers, class_of(name))


NAMES = list(filter(works, SETTINGS))


def slices(seed, repeated=True):
    """Return the gradient of an embedding of two inputs, as TensorFlow has it and as an array."""
    random = np.random.default_rng(seed)
    rows = random.integers(ROWS - 1, size=8) if repeated else random.permutation(ROWS)[:4]
    factors = random.normal(size=(len(rows), WIDTH))
    dense = np.zeros((ROWS, WIDTH))
    np.add.at(dense, rows, factors)
    embedding = keras.layers.Embedding(ROWS, WIDTH, dtype="float64")
    with tf.GradientTape() as tape:
        outputs = [embedding(each) for each in np.split(rows, 2)]
        loss = sum(map(tf.tensordot, outputs, np.split(factors, 2), [2, 2]))
    gradient = tape.gradient(loss, embedding.trainable_variables)[0]
    assert sorted(gradient.indices.numpy()) == sorted(rows)
    return gradient, dense


def cast(gradient, dtype):
    if isinstance(gradient, tf.IndexedSlices):
        values = tf.cast(gradient.values, dtype)
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return tf.cast(gradient, dtype)


def settings_of(name, option):
    return {"learning_rate": 0.125} | SETTINGS[name] | OPTIONS[option]


def make(name, option="plain", module=optimizers):
    arguments = settings_of(name, option)
    if class_of(name) == "Muon":
        arguments["adam_weight_decay"] = arguments["weight_decay"]
    return getattr(module, class_of(name))(**arguments)


def trained(optimizer, gradients):
    """Return the weights after one step for each gradient of the embedding."""
    dtype = "float32" if isinstance(optimizer, keras.optimizers.Muon) else "float64"
    variables = [keras.Variable(value, dtype=dtype, name=name) for name, value in START.items()]
    optimizer.build(variables)
    step = tf.function(lambda first, second: optimizer.apply([first, second], variables))
    for gradient in gradients:
        step(cast(gradient, dtype), tf.constant(BIAS_GRADIENT, dtype))
    return np.concatenate([np.ravel(variable) for variable in variables])


@pytest.mark.parametrize("name", NAMES)
def test_repeated_rows_count_as_their_sum(name, option="several"):
    sparse, dense = zip(*map(slices, range(4)), strict=True)
    found = trained(make(name, option), sparse)
    rule = getattr(numpy_optimizers, class_of(name).lower())
    gradients = [(gradient, BIAS_GRADIENT) for gradient in dense]
    expected = numpy_optimizers.train(rule, START.values(), gradients, **settings_of(name, option))
    expected = np.concatenate([np.ravel(value) for value in expected])
    np.testing.assert_allclose(found, expected, rtol=TOLERANCES.get(class_of(name), 1e-12))


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_every_option_gets_the_sum(name, option):
    test_repeated_rows_count_as_their_sum(name, option)


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_results_are_those_of_keras_with_the_sum(name, option):
    sparse, dense = zip(*map(slices, range(4)), strict=True)
    found = trained(make(name, option), sparse)
    expected = trained(make(name, option, keras.optimizers), map(tf.constant, dense))
    np.testing.assert_allclose(found, expected, rtol=1e-5 if class_of(name) == "Muon" else 1e-6)


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
    assert type(restored) is getattr(optimizers, class_of(name))
    assert restored.clipnorm == 0.5


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

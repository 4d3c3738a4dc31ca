"""A collapsed model equals its original in outputs, names, policies, flags and settings."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from kerashw.errors import InputError
from kerashw.hypotheses import collapse, collapse_model
from kerashw.layers import FactoredDense
from tests.conftest import on_tensorflow
from tests.hypotheses.factored_models import (
    MODELS,
    all_layers,
    inputs_of,
    nested,
    outputs_of,
    randomize,
    sequential,
    shared_across_levels,
    softmax_regression,
    time_distributed,
)


@pytest.mark.parametrize(("build", "parameters"), MODELS)
def test_a_collapsed_model_has_the_same_outputs_and_names(build, parameters):
    model = randomize(build())
    inputs = inputs_of(model)
    weights, expected = model.get_weights(), outputs_of(model, inputs)
    copy = collapse_model(model)

    assert not any(isinstance(layer, FactoredDense) for layer in all_layers(copy))
    assert copy.count_params() == parameters
    for output, reference in zip(outputs_of(copy, inputs), expected, strict=True):
        np.testing.assert_allclose(output, reference, rtol=1e-5, atol=1e-5)

    assert type(copy) is type(model)
    assert copy.name == model.name
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    keras.tree.assert_same_structure(copy(inputs), model(inputs))
    assert "kerashw" not in copy.to_json()

    # Changes to the copy do not change the model.
    copy.set_weights([0 * weight for weight in copy.get_weights()])
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    for output, reference in zip(outputs_of(model, inputs), expected, strict=True):
        np.testing.assert_array_equal(output, reference)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 999),
    scale=st.sampled_from([1e-20, 1e-3, 1.0, 1e3, 1e15]),
    spread=st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_outputs_agree_to_float32_rounding_for_every_input(seed, scale, spread, linear):
    """The bound is the rounding error of sums of K, K and m products."""
    model, copy = linear
    rng = np.random.default_rng(seed)
    x = (scale * rng.normal(size=(16, 12)) * spread ** rng.normal(size=12)).astype("float32")
    A, B, C = (np.abs(weight) for weight in model.get_weights())
    bound = (2 * 4 + 12) * np.finfo("float32").eps * (np.abs(x) @ collapse(A, B, C).T)
    (expected,), (output,) = outputs_of(model, x), outputs_of(copy, x)
    assert np.all(np.abs(output - expected) <= bound)


@pytest.fixture(scope="module")
def linear():
    model = randomize(keras.Sequential([keras.Input((12,)), FactoredDense(4)]))
    return model, collapse_model(model)


def test_shared_layers_are_shared_in_the_copy():
    copy = collapse_model(randomize(shared_across_levels()))
    assert copy.get_layer("inner").get_layer("shared") is copy.get_layer("shared")
    copy = collapse_model(randomize(time_distributed()))
    assert copy.get_layer("steps").layer is copy.get_layer("shared")


def test_trainable_flags_are_kept():
    model = nested()
    model.get_layer("middle").trainable = False
    model.get_layer("middle").get_layer("core").trainable = True
    copy = collapse_model(model)
    flags = {layer.name: layer.trainable for layer in model._flatten_layers()}
    assert {layer.name: layer.trainable for layer in copy._flatten_layers()} == flags
    assert len(copy.get_layer("middle").get_layer("core").trainable_weights) == 3


def test_the_copy_of_a_compiled_model_is_compiled_and_both_can_be_trained():
    model = sequential()
    model.compile(keras.optimizers.SGD(0.25), "mse", metrics=["mae"])
    x, y = np.ones((8, 6), "float32"), np.ones((8, 3), "float32")
    model.fit(x, y, verbose=0)
    copy = collapse_model(model)
    assert copy.compiled
    assert copy.optimizer.get_config() == model.optimizer.get_config()
    results = [m.evaluate(x, y, return_dict=True, verbose=0) for m in (model, copy)]
    assert results[0] == pytest.approx(results[1], rel=1e-5)
    for either in (copy, model):  # training frees arrays on some backends
        either.fit(x, y, verbose=0)
        assert np.isfinite(either.evaluate(x, y, verbose=0)).all()
    assert not collapse_model(sequential()).compiled


def test_the_optimizer_of_the_copy_has_its_loss_scale_and_its_trainable_weights():
    """`clone_model` alone compiles the copy before its dtype policy and its flags are set."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = nested()
    finally:
        keras.config.set_dtype_policy(before)
    model.get_layer("middle").get_layer("core").trainable = False
    model.compile("sgd", "mse")
    copy = collapse_model(model)
    assert type(copy.optimizer) is type(model.optimizer) is keras.optimizers.LossScaleOptimizer
    inner = copy.optimizer.inner_optimizer
    assert len(inner._trainable_variables) == len(copy.trainable_variables) == 1


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
@pytest.mark.parametrize("build", [softmax_regression, nested])
def test_dtype_policies_are_kept(build, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = randomize(build())
    finally:
        keras.config.set_dtype_policy(before)
    copy = collapse_model(model)
    assert copy.dtype_policy.name == policy
    policies = [layer.dtype_policy.name for layer in all_layers(model)]
    assert [layer.dtype_policy.name for layer in all_layers(copy)] == policies
    inputs = inputs_of(model)
    for output, expected in zip(outputs_of(copy, inputs), outputs_of(model, inputs), strict=True):
        np.testing.assert_allclose(output, expected, rtol=0.05, atol=0.05 * np.abs(expected).max())


def test_adapted_preprocessing_is_copied():
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(0).normal(3, 2, size=(50, 6)).astype("float32"))
    model = keras.Sequential([keras.Input((6,)), normalization, FactoredDense(3)])
    copy, x = collapse_model(model), inputs_of(model)
    np.testing.assert_allclose(outputs_of(copy, x), outputs_of(model, x), rtol=1e-5, atol=1e-5)


@on_tensorflow  # the only backend with strings
def test_an_adapted_vocabulary_is_copied():
    lookup = layers.StringLookup()
    lookup.adapt(np.array(["one", "two", "three"]))
    word = keras.Input((2,), dtype="string")
    model = keras.Model(word, FactoredDense(3)(layers.Embedding(4, 6)(lookup(word))))
    x = keras.ops.convert_to_tensor([["one", "three"], ["two", "four"]], dtype="string")
    copy = collapse_model(model)
    np.testing.assert_allclose(outputs_of(copy, x), outputs_of(model, x), rtol=1e-5, atol=1e-5)


def test_an_optional_input_stays_optional():
    class AddIfGiven(layers.Layer):
        def call(self, x, y):
            return x if y is None else x + y

        def compute_output_shape(self, x_shape, y_shape):
            return x_shape

    x, y = keras.Input((6,), name="x"), keras.Input((6,), name="y", optional=True)
    copy = collapse_model(keras.Model([x, y], FactoredDense(3)(AddIfGiven()(x, y))))
    assert tuple(copy([np.ones((2, 6), "float32"), None]).shape) == (2, 3)


class WithInner:
    """The configuration of a user's class whose constructor takes a layer."""

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), "inner": inner}

    @classmethod
    def from_config(cls, config):
        return cls(**config | {"inner": keras.saving.deserialize_keras_object(config["inner"])})


@keras.saving.register_keras_serializable(package="tests")
class Residual(WithInner, layers.Layer):
    """A layer of a user with a layer as an argument, and one and a weight of its own."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner
        self.norm = layers.LayerNormalization()

    def build(self, input_shape):
        if not self.inner.built:
            self.inner.build(input_shape)
        self.norm.build(input_shape)
        self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")

    def call(self, x):
        return x + self.scale * self.inner(self.norm(x))


@keras.saving.register_keras_serializable(package="tests")
class Calling(WithInner, keras.Model):
    """A subclassed model of a user with a layer as an argument."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, x):
        return 2 * self.inner(x)


def test_layers_and_subclassed_models_of_users_are_copied_with_their_arguments(tmp_path):
    shared = FactoredDense(6, name="shared")
    x = keras.Input((6,))
    h = Residual(keras.Sequential([FactoredDense(6)], name="core"), name="r")(shared(x))
    model = keras.Model(x, Residual(Residual(shared))(Calling(FactoredDense(6))(h)))
    randomize(model)
    model.get_layer("r").norm.trainable = False
    copy, inputs = collapse_model(model), inputs_of(model)
    assert not any(isinstance(layer, FactoredDense) for layer in copy._flatten_layers())
    assert copy.count_params() == model.count_params() - 3 * 2 * 36
    flags = [layer.trainable for layer in model._flatten_layers()]
    assert [layer.trainable for layer in copy._flatten_layers()] == flags
    np.testing.assert_allclose(outputs_of(copy, inputs), outputs_of(model, inputs), rtol=1e-4)
    copy.save(tmp_path / "copy.keras")
    loaded = keras.saving.load_model(tmp_path / "copy.keras")
    np.testing.assert_array_equal(outputs_of(loaded, inputs), outputs_of(copy, inputs))


def test_regularizers_and_the_bias_constraint_are_kept():
    regularizers = {"kernel_regularizer": "l2", "bias_regularizer": "l1"}
    layer = FactoredDense(
        3, use_bias=True, activity_regularizer="l2", bias_constraint="non_neg", **regularizers
    )
    model = randomize(keras.Sequential([keras.Input((6,)), layer]))
    model.compile("sgd", "mse")
    copy = collapse_model(model)
    x, y = np.ones((4, 6), "float32"), np.ones((4, 3), "float32")
    assert copy.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))
    found, expected = copy.layers[0].get_config(), layer.get_config()
    assert {name: found[name] for name in expected} == expected


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.dense = FactoredDense(3)

    def call(self, x):
        return self.dense(x)


class Doubled(keras.Sequential):
    def call(self, x, training=None, mask=None):
        return 2 * super().call(x, training=training)


class DoubledFactors(FactoredDense):
    def call(self, x):
        return 2 * super().call(x)


def inside_another_model():
    x = keras.Input((6,))
    return keras.Model(x, Subclassed()(x))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (Subclassed, r"functional or Sequential model.* Received: <Subclassed .*>$"),
        (lambda: FactoredDense(3, name="d"), r"functional or Seq.* Received: <FactoredDense .*>$"),
        (lambda: keras.Sequential([FactoredDense(3)]), r"takes a built model.* not built$"),
        (inside_another_model, r"Received: one in the layer 'subclassed' of class Subclassed$"),
        (lambda: keras.Sequential([keras.Input((6,)), DoubledFactors(3)]), r"DoubledFactors$"),
        (lambda: Doubled([keras.Input((6,)), FactoredDense(3)], name="d"), r"'d' of class Doubled"),
    ],
)
def test_models_that_cannot_be_collapsed_are_errors(build, message):
    with pytest.raises(InputError, match=message):
        collapse_model(build())

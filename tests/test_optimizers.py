import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.errors import InputError
from kerashw.models import softmax_regression
from kerashw.optimizers import Adadelta
from tests.conftest import compiled

seeds = st.integers(0, 2**32 - 1)


def adadelta_by_the_paper(x, gradients, learning_rate, rho, epsilon):
    """Zeiler's Algorithm 1, line by line, in float64."""
    mean_square_gradient = mean_square_update = 0
    for g in gradients:
        mean_square_gradient = rho * mean_square_gradient + (1 - rho) * g**2
        update = (
            -np.sqrt(mean_square_update + epsilon) / np.sqrt(mean_square_gradient + epsilon) * g
        )
        mean_square_update = rho * mean_square_update + (1 - rho) * update**2
        x = x + learning_rate * update
    return x


def steps_of(optimizer, x, gradients):
    """The variable after the optimizer's steps, taken in one graph."""
    variable = keras.Variable(x, dtype=x.dtype)
    optimizer.build([variable])

    @tf.function
    def step(gradient):
        optimizer.apply([gradient], [variable])

    for gradient in gradients:
        step(tf.constant(gradient))
    return variable.numpy()


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(0.01, 2), st.floats(0, 0.999), st.floats(1e-8, 1e-2))
def test_float64_equals_the_paper(seed, learning_rate, rho, epsilon):
    rng = np.random.default_rng(seed)
    x, gradients = rng.normal(size=7), rng.normal(size=(5, 7)) * 10.0 ** rng.integers(-3, 3)
    ours = steps_of(Adadelta(learning_rate, rho, epsilon), x, gradients)
    paper = adadelta_by_the_paper(x, gradients, np.float32(learning_rate), rho, epsilon)
    np.testing.assert_allclose(ours, paper, rtol=1e-11, atol=1e-13)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_float32_equals_keras_update_to_rounding(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, 5)).astype("float32")
    gradients = (rng.normal(size=(8, 3, 5)) * 10.0 ** rng.integers(-4, 4)).astype("float32")
    ours = steps_of(Adadelta(), x, gradients)
    keras_own = steps_of(keras.optimizers.Adadelta(1.0, 0.95, 1e-6), x, gradients)
    np.testing.assert_allclose(ours, keras_own, rtol=2e-6, atol=2e-6)


def test_the_update_is_the_fused_kernel():
    variable, optimizer = keras.Variable([1.0]), Adadelta()
    optimizer.build([variable])
    step = tf.function(lambda: optimizer.apply([tf.constant([1.0])], [variable]))
    graph = step.get_concrete_function().graph
    assert "ResourceApplyAdadelta" in {op.type for op in graph.get_operations()}


def test_sparse_gradients_take_keras_update():
    x = np.ones((4, 2), "float32")
    sparse = tf.IndexedSlices(tf.constant([[0.5, -0.5]]), tf.constant([2]), tf.constant([4, 2]))
    variable, optimizer = keras.Variable(x), Adadelta()
    optimizer.apply([sparse], [variable])
    expected = steps_of(Adadelta(), x, [np.array([[0, 0], [0, 0], [0.5, -0.5], [0, 0]], "float32")])
    np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6)


def test_learning_rate_schedules_and_the_base_class_options_work():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1.0, 0.0])
    x, gradient = np.ones(2, "float32"), np.ones(2, "float32")
    once = steps_of(Adadelta(), x, [gradient])
    np.testing.assert_array_equal(
        steps_of(Adadelta(schedule), x, [gradient] * 3)[0:1] <= once, True
    )
    clipped = steps_of(Adadelta(clipvalue=0.5), x, [gradient])
    np.testing.assert_allclose(clipped, steps_of(Adadelta(), x, [gradient / 2]))


def test_defaults_are_the_papers_and_the_configuration_is_kept():
    optimizer = Adadelta()
    assert (float(optimizer.learning_rate), optimizer.rho, optimizer.epsilon) == (1.0, 0.95, 1e-6)
    changed = Adadelta(0.5, rho=0.9, epsilon=1e-3, clipnorm=1.0)
    assert Adadelta.from_config(changed.get_config()).get_config() == changed.get_config()


@pytest.mark.parametrize(
    "wrong", [{"rho": -0.1}, {"rho": 1}, {"epsilon": 0}, {"rho": float("nan")}]
)
def test_settings_out_of_range(wrong):
    with pytest.raises(InputError, match=r"below 1.*Received"):
        Adadelta(**wrong)


def test_a_saved_model_goes_on_training_as_if_it_had_not_been_saved(tmp_path):
    rng = np.random.default_rng(0)
    images, labels = rng.random((64, 28, 28, 1), "float32"), rng.integers(0, 10, 64)
    model = compiled(softmax_regression())
    model.fit(images, labels, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    script = f"""
import keras, kerashw.optimizers, numpy as np
data = np.load(r"{tmp_path / "data.npz"}")
model = keras.saving.load_model(r"{tmp_path / "model.keras"}")
assert type(model.optimizer) is kerashw.optimizers.Adadelta
model.fit(data["images"], data["labels"], shuffle=False, verbose=0)
np.save(r"{tmp_path / "kernel.npy"}", model.get_weights()[0])
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    model.fit(images, labels, shuffle=False, verbose=0)
    np.testing.assert_array_equal(np.load(tmp_path / "kernel.npy"), model.get_weights()[0])

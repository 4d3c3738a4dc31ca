"""Steps equal those of the paper and of Keras, in one kernel."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.errors import InputError
from kerashw.optimizers import Adadelta
from tests import numpy_optimizers

seeds = st.integers(0, 2**32 - 1)


def run_steps(optimizer, x, gradients):
    """Return a variable after steps of the optimizer in a graph."""
    variable = keras.Variable(x, dtype=x.dtype)
    optimizer.build([variable])

    @tf.function
    def step(gradient):
        optimizer.apply([gradient], [variable])

    for gradient in gradients:
        step(tf.constant(gradient))
    return variable.numpy()


@settings(max_examples=15)
@given(seeds, st.floats(0.01, 2), st.floats(0, 0.999), st.floats(1e-8, 1e-2))
def test_float64_steps_equal_those_of_the_paper(seed, learning_rate, rho, epsilon):
    rng = np.random.default_rng(seed)
    x, gradients = rng.normal(size=7), rng.normal(size=(5, 7)) * 10.0 ** rng.integers(-3, 3)
    ours = run_steps(Adadelta(learning_rate, rho, epsilon), x, gradients)
    arguments = {"learning_rate": np.float32(learning_rate), "rho": rho, "epsilon": epsilon}
    paper = numpy_optimizers.train(numpy_optimizers.adadelta, [x], gradients[:, None], **arguments)
    np.testing.assert_allclose(ours, paper[0], rtol=1e-11, atol=1e-13)


@settings(max_examples=15)
@given(seeds)
def test_float32_steps_equal_those_of_keras_to_rounding(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, 5)).astype("float32")
    gradients = (rng.normal(size=(8, 3, 5)) * 10.0 ** rng.integers(-4, 4)).astype("float32")
    ours = run_steps(Adadelta(), x, gradients)
    keras_own = run_steps(keras.optimizers.Adadelta(1.0, 0.95, 1e-6), x, gradients)
    np.testing.assert_allclose(ours, keras_own, rtol=2e-6, atol=2e-6)


def test_the_update_is_the_fused_kernel():
    variable, optimizer = keras.Variable([1.0]), Adadelta()
    optimizer.build([variable])
    step = tf.function(lambda: optimizer.apply([tf.constant([1.0])], [variable]))
    graph = step.get_concrete_function().graph
    assert "ResourceApplyAdadelta" in {op.type for op in graph.get_operations()}


def test_learning_rate_schedules_and_options_of_the_base_class_have_their_effect():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1.0, 0.0])
    x, gradient = np.ones(2, "float32"), np.ones(2, "float32")
    once = run_steps(Adadelta(), x, [gradient])
    np.testing.assert_array_equal(
        run_steps(Adadelta(schedule), x, [gradient] * 3)[0:1] <= once, True
    )
    clipped = run_steps(Adadelta(clipvalue=0.5), x, [gradient])
    np.testing.assert_allclose(clipped, run_steps(Adadelta(), x, [gradient / 2]))


def test_defaults_are_those_of_the_paper_and_the_configuration_is_kept():
    optimizer = Adadelta()
    assert (float(optimizer.learning_rate), optimizer.rho, optimizer.epsilon) == (1.0, 0.95, 1e-6)
    changed = Adadelta(0.5, rho=0.9, epsilon=1e-3, clipnorm=1.0)
    assert Adadelta.from_config(changed.get_config()).get_config() == changed.get_config()


def test_optimizers_are_numbered_as_those_of_keras():
    keras.backend.clear_session()
    names = [Adadelta().name for _ in range(3)]
    keras.backend.clear_session()
    assert names == [keras.optimizers.Adadelta(name=None).name for _ in range(3)]
    saved = Adadelta(name="adadelta").get_config()
    assert Adadelta.from_config(saved).name == "adadelta"


@pytest.mark.parametrize(
    "arguments", [{"rho": -0.1}, {"rho": 1}, {"epsilon": 0}, {"rho": float("nan")}]
)
def test_arguments_out_of_range_are_errors(arguments):
    with pytest.raises(InputError, match=r"below 1.*Received"):
        Adadelta(**arguments)

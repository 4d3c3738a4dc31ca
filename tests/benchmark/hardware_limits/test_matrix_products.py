import numpy as np
import pytest
import tensorflow as tf

from kerashw.benchmark.hardware_limits.epoch_arithmetic import LAYERS, epoch_cost
from kerashw.benchmark.hardware_limits.matrix_products import (
    CALLS,
    REPEATS,
    Product,
    _seconds,
    measure_products,
    step_products,
)
from kerashw.models import MODELS


def multiplications(product):
    """Return the number of multiplications: with operands of ones, the sum of the outputs."""
    ones = [tf.ones(shape, tf.float64) for shape in product.shapes]
    return int(tf.reduce_sum(product.function(*ones)))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("training", [True, False])
def test_the_products_have_all_operations_of_an_epoch(name, training):
    products = step_products(MODELS[name](), 3, training, "float32")
    counted = 2 * sum(map(multiplications, products))
    assert counted == epoch_cost(name, 3 * training, 3 * (not training)).operations


def test_the_products_of_a_convolution_are_its_output_and_gradients():
    model = MODELS["convnet"](dense_dropout=0, conv_dropout=0)
    kernel = model.get_layer("conv_2").kernel.value
    x = tf.random.stateless_normal((2, 26, 26, 32), (0, 1))
    dy = tf.random.stateless_normal((2, 24, 24, 64), (0, 2))
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = tf.nn.conv2d(x, kernel, 1, "VALID")
    wrt_input, wrt_kernel = tape.gradient(y, [x, kernel], dy)
    _, _, *products = [one.function for one in step_products(model, 2, True, "float32")]
    found = [products[0](x, kernel), products[1](x, dy), products[2](kernel, dy)]
    for one, expected in zip(found, (y, wrt_kernel, wrt_input), strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-3)


def test_no_repetition_is_optimized_away():
    # TensorFlow could move a product out of the loop, since it is the same in each iteration.
    calls = []

    def product(x, y):
        calls.append(1)
        return x @ y

    def counted(x, y):
        # To TensorFlow, this function has no side effects either.
        return tf.numpy_function(product, (x, y), tf.float32, stateful=False)

    assert _seconds(Product(counted, ((2, 3), (3, 4))), "float32") > 0
    assert len(calls) == REPEATS * (1 + CALLS)


def test_the_products_of_an_epoch_are_timed():
    assert measure_products("softmax", 128, "float32", 128, 500) > 0

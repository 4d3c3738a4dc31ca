"""What the products of matrices in an epoch cost alone, as the layers take them.

    python -m kerashw.benchmark.hardware_limits.matrix_products float32|bfloat16… OPTIONS

is a process of `kerashw.benchmark.process_rounds.take_rounds`.

The rate of large square matrices (`rates.py`) is one that other shapes do not reach: a batch of 128
is narrow, and a convolution's gradients run slower than the convolution. So here each product of a
training step and of the test, in its own shape, is done by itself, with all threads: of each dense
layer and convolution the output, the gradient by its weights and, but for the first layer's, the
gradient by its input. What an epoch takes longer than this is not in products. Of softmax
regression's, which take microseconds, a good part is the loop that repeats them.
"""

import dataclasses
import sys
import time
from collections.abc import Callable

import tensorflow as tf

from kerashw.benchmark.process_rounds import contend
from kerashw.layers import Dense
from kerashw.models import MODELS, TEST_BATCH_SIZE

REPEATS, CALLS = 10, 4


@dataclasses.dataclass(frozen=True)
class Product:
    """A product of matrices, or a convolution.

    Args:
        function: Function of two tensors.
        shapes: Their shapes.
    """

    function: Callable
    shapes: tuple


def step_products(model, batch_size, training, dtype):
    """Return the products of one step.

    Args:
        model: `keras.Model` of dense layers and convolutions, as `kerashw.models` builds them.
        batch_size: Integer.
        training: Boolean; otherwise those of the test alone.
        dtype: "float32" or "bfloat16", which decides how the layers take them.

    Returns:
        List of `Product`.
    """
    products = []
    for number, layer in enumerate(layer for layer in model.layers if layer.weights):
        x, y = ((batch_size, *tensor.shape[1:]) for tensor in (layer.input, layer.output))
        kernel = tuple(layer.kernel.shape)
        forward = _product(layer, tf.TensorSpec(x, dtype), training)
        by_kernel, by_input = _gradients(forward, x, kernel)
        products.append(Product(forward, (x, kernel)))
        if training:
            products.append(Product(by_kernel, (x, y)))
        if training and number:  # The first layer's input is the data.
            products.append(Product(by_input, (kernel, y)))
    return products


def _product(layer, x, training):
    """Return the function of an input and a kernel that a layer is, but for bias and activation."""
    if isinstance(layer, Dense):
        return (layer.faster_product(x) if training else None) or tf.matmul
    return lambda x, kernel: tf.nn.conv2d(x, kernel, strides=1, padding="VALID")


def _gradients(forward, x_shape, kernel_shape):
    """Return the functions of a product's gradients by its kernel and by its input."""

    def gradients(x, kernel, dy):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = forward(x, kernel)
        return tape.gradient(y, [x, kernel], dy)

    # Of its own operand each needs the shape alone; the other gradient, a graph does not compute.
    return (
        lambda x, dy: gradients(x, tf.zeros(kernel_shape, dy.dtype), dy)[1],
        lambda kernel, dy: gradients(tf.zeros(x_shape, dy.dtype), kernel, dy)[0],
    )


def measure_products(name, batch_size, dtype, train_examples=60_000, test_examples=10_000):
    """Time the products of an epoch.

    Args:
        name: "softmax", "mlp" or "convnet".
        batch_size: Integer, of training.
        dtype: "float32" or "bfloat16".
        train_examples: Integer.
        test_examples: Integer.

    Returns:
        Float, seconds.
    """
    model = MODELS[name]()
    seconds = 0
    for examples, size, training in (
        (train_examples, batch_size, True),
        (test_examples, TEST_BATCH_SIZE, False),
    ):
        products = step_products(model, size, training, dtype)
        seconds += examples / size * sum(_seconds(one, dtype) for one in products)
    return seconds


def _seconds(product, dtype):
    """Return the least seconds that one product took, of many in one call of a graph."""
    operands = [
        tf.cast(tf.random.stateless_normal(shape, (0, number)), dtype)
        for number, shape in enumerate(product.shapes)
    ]

    @tf.function(autograph=False)
    def repeat():
        def take(i, _):
            return i + 1, tf.reshape(product.function(*operands), [-1])[0]

        start = 0, tf.zeros((), dtype)
        # One after the other: two at a time would share the threads.
        return tf.while_loop(lambda i, _: i < REPEATS, take, start, parallel_iterations=1)[1]

    repeat()
    least = float("inf")
    for _ in range(CALLS):
        started = time.perf_counter()
        repeat().numpy()
        least = min(least, time.perf_counter() - started)
    return least / REPEATS


def _measure_in_turns(turn, options):
    for _ in range(options["rounds"]):
        with turn() as report:
            for dtype in sys.argv[1:-1]:
                report[dtype] = measure_products(options["model"], options["batch_size"], dtype)


if __name__ == "__main__":
    contend(_measure_in_turns)

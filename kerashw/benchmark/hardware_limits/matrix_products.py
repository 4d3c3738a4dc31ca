"""The time of the matrix products in one epoch, each measured alone.

    python -m kerashw.benchmark.hardware_limits.matrix_products float32|bfloat16… OPTIONS

is a worker process of `kerashw.benchmark.process_rounds.run_rounds`.

The rate of large square matrices (`measured_rates.py`) cannot be reached with other shapes: a batch
of 128 is narrow, and the gradients of a convolution are slower than the convolution. This module
therefore times each product of a training step and of the test in its own shape, with all threads.
For each dense layer and convolution these are the output, the gradient with respect to the kernel
and, except for the first layer, the gradient with respect to the input. The rest of an epoch's time
is not spent in products. The products of softmax regression take microseconds, so a good part of
their measured time is the loop that repeats them.
"""

import dataclasses
import sys
import time
from collections.abc import Callable

import tensorflow as tf

from kerashw.benchmark.process_rounds import run_worker
from kerashw.layers import Dense
from kerashw.models import MODELS, TEST_BATCH_SIZE

REPEATS = 10  # products per call of a graph
CALLS = 4


@dataclasses.dataclass(frozen=True)
class Product:
    """A matrix product or a convolution.

    Args:
        function: Function of two tensors.
        shapes: Pair of the shapes of these tensors.
    """

    function: Callable
    shapes: tuple


def step_products(model, batch_size, training, dtype):
    """Return the products of one step.

    Args:
        model: `keras.Model` of dense layers and convolutions, as built by `kerashw.models`.
        batch_size: Integer.
        training: Boolean; `False` for the products of a test step.
        dtype: "float32" or "bfloat16". The layers choose their products by it.

    Returns:
        List of `Product`.
    """
    products = []
    for number, layer in enumerate(layer for layer in model.layers if layer.weights):
        x, y = ((batch_size, *tensor.shape[1:]) for tensor in (layer.input, layer.output))
        kernel = tuple(layer.kernel.shape)
        forward = _forward_product(layer, tf.TensorSpec(x, dtype), training)
        wrt_kernel, wrt_input = _gradients(forward, x, kernel)
        products.append(Product(forward, (x, kernel)))
        if training:
            products.append(Product(wrt_kernel, (x, y)))
        if training and number:  # The input of the first layer is the data.
            products.append(Product(wrt_input, (kernel, y)))
    return products


def _forward_product(layer, x, training):
    """Return the layer without bias and activation, as a function of an input and a kernel."""
    if isinstance(layer, Dense):
        return (layer.faster_product(x) if training else None) or tf.matmul
    return lambda x, kernel: tf.nn.conv2d(x, kernel, strides=1, padding="VALID")


def _gradients(forward, x_shape, kernel_shape):
    """Return the gradients of a product with respect to its kernel and to its input."""

    def gradients(x, kernel, dy):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = forward(x, kernel)
        return tape.gradient(y, [x, kernel], dy)

    # The gradient with respect to an operand only needs the shape of that operand. The graph does
    # not compute the gradient that is not returned.
    return (
        lambda x, dy: gradients(x, tf.zeros(kernel_shape, dy.dtype), dy)[1],
        lambda kernel, dy: gradients(tf.zeros(x_shape, dy.dtype), kernel, dy)[0],
    )


def measure_products(name, batch_size, dtype, train_examples=60_000, test_examples=10_000):
    """Measure the time of all products of one epoch.

    Args:
        name: "softmax", "mlp" or "convnet".
        batch_size: Integer, the batch size of training.
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
    """Return the least time of one product in several calls that repeat it, in seconds."""
    operands = [
        tf.cast(tf.random.stateless_normal(shape, (0, number)), dtype)
        for number, shape in enumerate(product.shapes)
    ]

    @tf.function(autograph=False)
    def repeat():
        def step(i, _):
            return i + 1, tf.reshape(product.function(*operands), [-1])[0]

        start = 0, tf.zeros((), dtype)
        # One iteration at a time, because parallel iterations would share the threads.
        return tf.while_loop(lambda i, _: i < REPEATS, step, start, parallel_iterations=1)[1]

    repeat()
    least = float("inf")
    for _ in range(CALLS):
        started = time.perf_counter()
        repeat().numpy()
        least = min(least, time.perf_counter() - started)
    return least / REPEATS


def _run_rounds(timed_round, options):
    for _ in range(options["rounds"]):
        with timed_round() as report:
            for dtype in sys.argv[1:-1]:
                report[dtype] = measure_products(options["model"], options["batch_size"], dtype)


if __name__ == "__main__":
    run_worker(_run_rounds)

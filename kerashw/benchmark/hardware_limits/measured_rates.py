"""How fast this machine multiplies matrices and moves memory, as far as a program can find out.

    python -m kerashw.benchmark.hardware_limits.measured_rates OPTIONS

is a process of `kerashw.benchmark.process_rounds.take_rounds`.
"""

import time

import tensorflow as tf

from kerashw.benchmark.process_rounds import contend

FLOATS = ("float32", "bfloat16")
# The sizes of the matrices; which is the fastest depends on the caches. So many seconds each.
SIZES, SECONDS = (512, 1024, 2048), 0.3
# Larger than the caches that cores share.
MOVED_BYTES = 2**28


def measure_rates():
    """Measure the machine's rates.

    Returns:
        Dict of floats: `float32` and `bfloat16`, the operations a second of the fastest product of
        square matrices, a multiplication and an addition counting as two; `memory`, the bytes a
        second that adding one array to another, both too large for the caches, reads and writes.
    """
    rates = {dtype: max(_product_rate(n, dtype) for n in SIZES) for dtype in FLOATS}
    added, total = tf.zeros(MOVED_BYTES // 4), tf.Variable(tf.zeros(MOVED_BYTES // 4))

    @tf.function
    def add():
        # In place: a new array's first touch of each page would cost more than moving its bytes.
        return total.assign_add(added)[0]

    return rates | {"memory": 3 * MOVED_BYTES / _least_seconds(add)}


def _product_rate(n, dtype):
    matrix = tf.cast(tf.random.stateless_normal((n, n), (0, 0)), dtype)
    products = max(1, 2048**3 // n**3 // 4)

    @tf.function
    def multiply():
        result = matrix
        for _ in range(products):
            result = tf.matmul(result, matrix)
        return result[0, 0]

    return products * 2 * n**3 / _least_seconds(multiply)


def _least_seconds(function):
    function()
    least, ends = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < ends:
        started = time.perf_counter()
        function().numpy()
        least = min(least, time.perf_counter() - started)
    return least


def _measure_in_turns(turn, options):
    measure_rates()  # traces the functions, and starts the threads
    for _ in range(options["rounds"]):
        with turn() as report:
            report |= measure_rates()


if __name__ == "__main__":
    contend(_measure_in_turns)

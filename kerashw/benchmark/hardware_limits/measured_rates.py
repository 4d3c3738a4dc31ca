"""Measured rates of this machine: matrix products and memory bandwidth.

    python -m kerashw.benchmark.hardware_limits.measured_rates OPTIONS

is a worker process of `kerashw.benchmark.process_rounds.run_rounds`.
"""

import time

import tensorflow as tf

from kerashw.benchmark.process_rounds import run_worker

DTYPES = ("float32", "bfloat16")
# Sizes of the square matrices. The caches decide which of them is the fastest.
SIZES = (512, 1024, 2048)
SECONDS = 0.3  # per measurement
# The size of each array of the memory test: larger than the caches that cores share.
ARRAY_BYTES = 2**28


def measure_rates():
    """Measure the rates of this machine.

    Returns:
        Dict of floats. `float32` and `bfloat16` are operations per second in the fastest product of
        square matrices, where a multiplication and an addition count as two operations. `memory` is
        the bytes per second that are read and written while one array is added to another, both
        too large for the caches.
    """
    rates = {dtype: max(_product_rate(n, dtype) for n in SIZES) for dtype in DTYPES}
    added, total = tf.zeros(ARRAY_BYTES // 4), tf.Variable(tf.zeros(ARRAY_BYTES // 4))

    @tf.function
    def add():
        # In place, because the first access to each page of a new array takes longer than the sum.
        return total.assign_add(added)[0]

    return rates | {"memory": 3 * ARRAY_BYTES / _least_seconds(add)}


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


def _run_rounds(timed_round, options):
    measure_rates()  # traces the functions and starts the threads
    for _ in range(options["rounds"]):
        with timed_round() as report:
            report |= measure_rates()


if __name__ == "__main__":
    run_worker(_run_rounds)

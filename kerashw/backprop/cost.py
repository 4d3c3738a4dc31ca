"""What the dual network's gradient costs, beside tf.GradientTape's.

Source: Question 1 of the homework, its algorithm; the measure is this package's own.
"""

import statistics
import time
from typing import NamedTuple

import tensorflow as tf

from kerashw.backprop.homework import homework_inputs, homework_network

__all__ = ["GradientCost", "gradient_cost", "gradient_functions"]


class GradientCost(NamedTuple):
    """Median seconds for one gradient, each way, and the median of the ratios round by round."""

    dual_network: float
    tape: float
    ratio: float


def gradient_functions(graph, wrt):
    """The gradient by the dual networks and by tf.GradientTape, each as one tf.function.

    Args:
        graph: a `Graph` whose output is a scalar.
        wrt: names of the inputs to differentiate by.

    Returns:
        Two functions of the graph's inputs (keyword arguments, tf.Tensors), each giving a list of
        the gradients in the order of wrt: the first by the dual networks, the second by
        tf.GradientTape.

    >>> dual, tape = gradient_functions(homework_network(), ["A", "B"])
    >>> inputs = {name: tf.constant(value) for name, value in homework_inputs(K=4).items()}
    >>> all(bool(tf.reduce_all(abs(a - b) < 1e-9)) for a, b in zip(dual(**inputs), tape(**inputs)))
    True
    """

    @tf.function
    def dual(**inputs):
        values = graph.forward(**inputs)
        return [graph.derivative(values, name).dual()(1.0) for name in wrt]

    @tf.function
    def tape(**inputs):
        parameters = [inputs[name] for name in wrt]
        with tf.GradientTape() as recorded:
            recorded.watch(parameters)
            output = graph.forward(**inputs)[graph.output]
        return recorded.gradient(output, parameters)

    return dual, tape


def gradient_cost(K=512, batch=None, rounds=200, dtype="float32", wrt=("A", "B")) -> GradientCost:
    """Time both gradients of Question 1's network, turn by turn in this process.

    Args:
        K: size of the vectors.
        batch: number of vectors x, or None for a single one.
        rounds: how often each is timed, after five rounds that are not.
        dtype: floating dtype.
        wrt: names of the inputs to differentiate by.

    Returns:
        GradientCost.

    >>> gradient_cost(K=4, rounds=3).ratio > 0
    True
    """
    inputs = homework_inputs(K, batch, dtype=dtype)
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    functions = gradient_functions(homework_network(), list(wrt))
    seconds = []
    for _ in range(5 + rounds):
        turn = []
        for function in functions:
            start = time.perf_counter()
            _ = [gradient.numpy() for gradient in function(**inputs)]
            turn.append(time.perf_counter() - start)
        seconds.append(turn)
    dual, tape = zip(*seconds[5:], strict=True)
    ratio = statistics.median(d / t for d, t in zip(dual, tape, strict=True))
    return GradientCost(statistics.median(dual), statistics.median(tape), ratio)

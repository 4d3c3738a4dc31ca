"""The gradient of Question 1's network from its dual networks, compared with `tf.GradientTape`."""

import tensorflow as tf

from kerashw.backprop import homework_inputs, homework_network
from kerashw.benchmark.alternating_timing import Comparison, time_alternately

SIZE = 512


def gradient_functions(graph, wrt):
    """Return two compiled gradients of a graph: from its dual networks, and from a gradient tape.

    Args:
        graph: `kerashw.backprop.Graph` whose output is a scalar.
        wrt: List of the names of the inputs to differentiate with respect to.

    Returns:
        Two functions of the graph's inputs (keyword arguments, tensors). Each returns the list of
        gradients in the order of `wrt`.

    Example:
        >>> dual, tape = gradient_functions(homework_network(), ["A", "B"])
        >>> inputs = {name: tf.constant(value) for name, value in homework_inputs(K=4).items()}
        >>> [bool(tf.reduce_all(abs(a - b) < 1e-9)) for a, b in zip(dual(**inputs), tape(**inputs))]
        [True, True]
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


def measure(setup):
    """Compare both gradients; see `compare_gradients`."""
    setup.progress(f"gradients at K = {SIZE}")
    return compare_gradients()


def compare_gradients(K=SIZE, rounds=200):
    """Time both gradients with respect to A and B, for one x and for a batch of 128.

    Args:
        K: Integer, the size of the vectors.
        rounds: Integer, the number of times that each gradient is timed.

    Yields:
        `Comparison`.
    """
    for batch, description in ((None, "one x"), (128, "128 x")):
        inputs = homework_inputs(K, batch, dtype="float32")
        inputs = {name: tf.constant(value) for name, value in inputs.items()}

        def to_numpy(gradients, inputs=inputs):
            return lambda: [gradient.numpy() for gradient in gradients(**inputs)]

        dual, tape = gradient_functions(homework_network(), ["A", "B"])
        seconds = time_alternately(to_numpy(dual), to_numpy(tape), rounds, warm_up=5)
        pairs = zip(dual(**inputs), tape(**inputs), strict=True)
        difference = max(float(tf.norm(a - b) / tf.norm(b)) for a, b in pairs)
        quality = f"gradients equal to {difference:.0e}"
        yield Comparison(f"gradient, K = {K}, {description}", "tf.GradientTape", *seconds, quality)

"""A check of the derivative and dual networks against other ways to differentiate a graph."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerashw.errors import InputError

# Largest relative errors, by dtype; the second is for bfloat16 and float16.
TOLERANCES = {"float64": 1e-12, "float32": 1e-5}
LOW_PRECISION_TOLERANCE = 1e-2
FINITE_DIFFERENCES_TOLERANCE = 1e-6


class CheckRow(NamedTuple):
    """A comparison of two values: their names, the relative error and the largest allowed error."""

    compared: str
    against: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; False for NaN."""
        return self.error <= self.tolerance


class GradientCheck(NamedTuple):
    """The comparisons for the gradient with respect to `wrt`; `str` formats them as a table."""

    wrt: str
    rows: tuple[CheckRow, ...]

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return all(row.passed for row in self.rows)

    def __str__(self):
        lines = [f"{f'gradient wrt {self.wrt}':19}{'against':32}{'error':>9}{'at most':>9}"]
        for row in self.rows:
            verdict = "" if row.passed else "  wrong"
            numbers = f"{row.error:9.1e}{row.tolerance:9.0e}"
            lines.append(f"{row.compared:19}{row.against:32}{numbers}{verdict}")
        return "\n".join(lines)


def check_gradients(graph, wrt, *, entries=100, seed=0, **inputs) -> GradientCheck:
    """Compare a graph's derivative and dual networks with other ways to differentiate it.

    The dual network, applied to 1, is compared with the closed form (if the graph has one), with
    `tf.GradientTape` and with central finite differences, which are always in float64. The
    derivative network, applied to a random change, is compared with
    `tf.autodiff.ForwardAccumulator`. The two networks are compared with each other:
    ⟨∂G δ, 1⟩ = ⟨δ, (∂G)ᵀ 1⟩.

    Args:
        graph: `Graph` with a scalar output.
        wrt: String, the name of the input to differentiate with respect to.
        entries: Integer, the number of randomly chosen entries of `wrt` for finite differences.
        seed: Integer, the seed of the random change and of the choice of entries.
        **inputs: The inputs of the graph, as for `Graph.forward`.

    Returns:
        `GradientCheck`. Each error is the largest difference between two entries, divided by the
        largest entry.

    Raises:
        InputError: If an input is not as the graph requires, `wrt` is not a differentiable input,
            or the output is not a scalar.

    Example:
        >>> from kerashw.backprop import homework_inputs, homework_network
        >>> check = check_gradients(homework_network(), "A", **homework_inputs(K=4))
        >>> [row.against for row in check.rows][:3]
        ['closed form', 'tf.GradientTape', 'central finite differences']
        >>> check.passed
        True

    Reference:
        The homework, Question 1, claim 3; after HIPS/autograd's `check_grads`.
    """
    if wrt not in graph.inputs:
        raise InputError(f"wrt must be an input: {', '.join(graph.inputs)}. Received: {wrt!r}")
    values = graph.forward(**inputs)
    if values[graph.output].shape.rank != 0:
        shape = values[graph.output].shape
        raise InputError(f"The output of the graph must be a scalar. Received: shape {shape}")
    random = np.random.default_rng(seed)
    δ = tf.cast(random.normal(size=values[wrt].shape), values[wrt].dtype)
    indices = random.permutation(tf.size(values[wrt]).numpy())[:entries]
    derivative = graph.derivative(values, wrt)
    gradient = derivative.dual()(1.0)
    dual_rows = _dual_rows(graph, wrt, values, gradient, indices)
    derivative_rows = _derivative_rows(graph, wrt, values, derivative(δ), gradient, δ)
    return GradientCheck(wrt, (*dual_rows, *derivative_rows))


def relative_error(actual, expected, scale=None) -> float:
    """Return the largest difference between two entries, relative to the largest entry.

    Args:
        actual: Array of any shape.
        expected: Array. If its shape differs, the error is infinite.
        scale: Float, the divisor of the difference; by default, the largest absolute entry of both
            arrays.

    Returns:
        Float; 0 for equal arrays, NaN if an entry is NaN.

    Example:
        >>> relative_error([1.0, 4.0], [1.0, 5.0])
        0.2
        >>> relative_error([1.0], [[1.0]])
        inf
    """
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    if actual.shape != expected.shape:
        return float("inf")
    if np.array_equal(actual, expected):
        return 0.0
    if scale is None:
        scale = max(np.abs(actual).max(), np.abs(expected).max())
    return float(np.abs(actual - expected).max() / np.asarray(scale, np.float64))


def _dual_rows(graph, wrt, values, gradient, indices):
    """Compare the dual network's gradient with the closed form, the tape and differences."""
    inputs = {name: values[name] for name in graph.inputs}
    tolerance = _tolerance(gradient)
    closed = {} if graph.closed_form is None else graph.closed_form(values)
    if wrt in closed:
        error = relative_error(gradient, closed[wrt])
        yield CheckRow("dual network", "closed form", error, tolerance)
    error = relative_error(gradient, _tape_gradient(graph, wrt, inputs))
    yield CheckRow("dual network", "tf.GradientTape", error, tolerance)
    chosen = tf.gather(tf.reshape(gradient, [-1]), indices)
    error = relative_error(chosen, _central_differences(graph, wrt, inputs, indices))
    tolerance = max(tolerance, FINITE_DIFFERENCES_TOLERANCE)
    yield CheckRow("dual network", "central finite differences", error, tolerance)


def _derivative_rows(graph, wrt, values, change, gradient, δ):
    """Compare the derivative network's change with the accumulator and with the dual network."""
    inputs = {name: values[name] for name in graph.inputs}
    products = δ * gradient
    # The change is a sum of terms of either sign. Its rounding error is relative to their size.
    scale = tf.reduce_sum(tf.abs(products))
    for against, expected in (
        ("tf.autodiff.ForwardAccumulator", _accumulator_change(graph, wrt, inputs, δ)),
        ("⟨δ, dual network⟩", tf.reduce_sum(products)),
    ):
        error = relative_error(change, expected, scale)
        yield CheckRow("derivative network", against, error, _tolerance(gradient))


def _tolerance(tensor):
    return TOLERANCES.get(tensor.dtype.name, LOW_PRECISION_TOLERANCE)


def _tape_gradient(graph, wrt, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs[wrt])
        output = graph.forward(**inputs)[graph.output]
    return tape.gradient(output, inputs[wrt], unconnected_gradients="zero")


def _accumulator_change(graph, wrt, inputs, δ):
    with tf.autodiff.ForwardAccumulator(inputs[wrt], δ) as accumulator:
        output = graph.forward(**inputs)[graph.output]
    return accumulator.jvp(output, unconnected_gradients="zero")


def _central_differences(graph, wrt, inputs, indices):
    """Return (L(θ + h e) − L(θ − h e)) / 2h for the entries of θ at flat indices, in float64."""
    inputs = {n: tf.cast(v, tf.float64) if v.dtype.is_floating else v for n, v in inputs.items()}
    point = inputs[wrt].numpy()
    differences = []
    for index in indices:
        # This step balances the rounding error of L and the third derivative.
        h = np.cbrt(np.finfo(np.float64).eps) * max(1.0, abs(point.flat[index]))
        outputs = []
        for entry in (point.flat[index] + h, point.flat[index] - h):
            shifted = point.copy()
            shifted.flat[index] = entry
            outputs.append(graph.forward(**{**inputs, wrt: shifted})[graph.output].numpy())
        differences.append((outputs[0] - outputs[1]) / (2 * h))
    return np.array(differences)

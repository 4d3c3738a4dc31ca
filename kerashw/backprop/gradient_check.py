"""Checking gradients: the dual network against everything else that can tell a gradient.

Source: Question 1 of the homework; after HIPS/autograd's `check_grads`.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerashw.errors import InputError

__all__ = ["CheckRow", "GradientCheck", "check_gradients", "relative_error"]

_EXACT = {"float64": 1e-12, "float32": 1e-5}
_COARSE = 1e-2  # bfloat16 and float16
_DIFFERENCES = 1e-6


class CheckRow(NamedTuple):
    """What was compared with what, their relative error, and the error that is still right."""

    compared: str
    against: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; NaN is not."""
        return self.error <= self.tolerance


class GradientCheck(NamedTuple):
    """The rows of a check of the gradient by `wrt`; `str` makes a table of them."""

    wrt: str
    rows: tuple[CheckRow, ...]

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return all(row.passed for row in self.rows)

    def __str__(self):
        lines = [f"{f'gradient by {self.wrt}':19}{'against':32}{'error':>9}{'at most':>9}"]
        for row in self.rows:
            verdict = "" if row.passed else "  wrong"
            numbers = f"{row.error:9.1e}{row.tolerance:9.0e}"
            lines.append(f"{row.compared:19}{row.against:32}{numbers}{verdict}")
        return "\n".join(lines)


def check_gradients(graph, wrt, *, entries=100, seed=0, **inputs) -> GradientCheck:
    """Compare a graph's derivative and dual networks with other ways to differentiate it.

    The dual network, fed 1, with the closed form (if the graph has one), with tf.GradientTape and
    with central finite differences, these always in float64; the derivative network, fed a random
    change, with tf.autodiff.ForwardAccumulator; and the two with each other:
    ⟨∂G δ, 1⟩ = ⟨δ, (∂G)ᵀ 1⟩.

    Args:
        graph: a `Graph` whose output is a scalar.
        wrt: name of the input to differentiate by.
        entries: how many entries of `wrt`, taken at random, the finite differences try.
        seed: of the random change and of that choice.
        **inputs: the inputs of the graph, as for `Graph.forward`.

    Returns:
        GradientCheck: rows of relative errors, `passed`, and a table as its `str`. An error is the
        largest difference of two entries over the largest entry.

    Raises:
        InputError: an input is not what the graph asks for, wrt is not an input that can change, or
            the output is not a scalar.

    >>> from kerashw.backprop import homework_inputs, homework_network
    >>> check = check_gradients(homework_network(), "A", **homework_inputs(K=4))
    >>> [row.against for row in check.rows][:3]
    ['closed form', 'tf.GradientTape', 'central finite differences']
    >>> check.passed
    True

    Source: Question 1, claim 3.
    """
    if wrt not in graph.inputs:
        raise InputError(f"wrt must be an input: {', '.join(graph.inputs)}. Received: {wrt!r}")
    values = graph.forward(**inputs)
    if values[graph.output].shape.rank != 0:
        shape = values[graph.output].shape
        raise InputError(f"The output of the graph must be a scalar. Received: shape {shape}")
    inputs = {name: values[name] for name in graph.inputs}
    random = np.random.default_rng(seed)
    δ = tf.cast(random.normal(size=values[wrt].shape), values[wrt].dtype)
    places = random.permutation(tf.size(values[wrt]).numpy())[:entries]
    derivative = graph.derivative(values, wrt)
    gradient, change = derivative.dual()(1.0), derivative(δ)
    # A change is a sum of terms of either sign: what its rounding is relative to is their size.
    terms = tf.reduce_sum(tf.abs(δ * gradient))
    exact = _EXACT.get(values[wrt].dtype.name, _COARSE)

    def row(compared, against, got, expected, tolerance=exact, scale=None):
        error = relative_error(got, expected, scale)
        return CheckRow(f"{compared} network", against, error, tolerance)

    closed = {} if graph.closed_form is None else graph.closed_form(values)
    rows = [row("dual", "closed form", gradient, closed[wrt])] if wrt in closed else []
    differences = _central_differences(graph, wrt, inputs, places)
    tried = tf.gather(tf.reshape(gradient, [-1]), places)
    return GradientCheck(
        wrt,
        (
            *rows,
            row("dual", "tf.GradientTape", gradient, _tape_gradient(graph, wrt, inputs)),
            row("dual", "central finite differences", tried, differences, max(exact, _DIFFERENCES)),
            row(
                "derivative",
                "tf.autodiff.ForwardAccumulator",
                change,
                _accumulated_change(graph, wrt, inputs, δ),
                scale=terms,
            ),
            row(
                "derivative", "⟨δ, dual network⟩", change, tf.reduce_sum(δ * gradient), scale=terms
            ),
        ),
    )


def relative_error(got, expected, scale=None) -> float:
    """The largest difference of two entries, relative to the largest entry (or to a given scale).

    Args:
        got: array of any shape.
        expected: array; of another shape, the error is infinite.
        scale: what the difference is relative to, by default the largest entry of both.

    Returns:
        float; 0 if there is no difference, NaN if an entry is NaN.

    >>> relative_error([1.0, 4.0], [1.0, 5.0])
    0.2
    >>> relative_error([1.0], [[1.0]])
    inf
    """
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    if got.shape != expected.shape:
        return float("inf")
    if np.array_equal(got, expected):
        return 0.0
    if scale is None:
        scale = max(np.abs(got).max(), np.abs(expected).max())
    return float(np.abs(got - expected).max() / np.asarray(scale, np.float64))


def _tape_gradient(graph, wrt, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs[wrt])
        output = graph.forward(**inputs)[graph.output]
    return tape.gradient(output, inputs[wrt], unconnected_gradients="zero")


def _accumulated_change(graph, wrt, inputs, δ):
    with tf.autodiff.ForwardAccumulator(inputs[wrt], δ) as accumulator:
        output = graph.forward(**inputs)[graph.output]
    return accumulator.jvp(output, unconnected_gradients="zero")


def _central_differences(graph, wrt, inputs, places):
    """(L(θ + h e) − L(θ − h e)) / 2h for the entries of θ at these flat places, in float64."""
    inputs = {n: tf.cast(v, tf.float64) if v.dtype.is_floating else v for n, v in inputs.items()}
    at = inputs[wrt].numpy()
    differences = []
    for place in places:
        # The step that balances the rounding of L against the third derivative.
        h = np.cbrt(np.finfo(np.float64).eps) * max(1.0, abs(at.flat[place]))
        ends = []
        for end in (at.flat[place] + h, at.flat[place] - h):
            moved = at.copy()
            moved.flat[place] = end
            ends.append(graph.forward(**{**inputs, wrt: moved})[graph.output].numpy())
        differences.append((ends[0] - ends[1]) / (2 * h))
    return np.array(differences)

"""Question 1's network G, and what its claims are judged by.

    y = A x     u = σ(y)     v = B x     s = u ⊙ v     z = A s     w = A z     L = ‖w‖²

Source: Question 1 of the homework; the claims are numbered as in the table of claims.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerashw.backprop.closed_form_gradients import closed_form, printed_form
from kerashw.backprop.gradient_check import GradientCheck, check_gradients, relative_error
from kerashw.backprop.graph import Graph, Node
from kerashw.errors import InputError

__all__ = [
    "FormComparison",
    "check_algorithm",
    "compare_forms",
    "homework_inputs",
    "homework_network",
    "local_derivative_errors",
]


def homework_network() -> Graph:
    """Question 1's G: A enters three times (y, z, w), B once.

    Returns:
        Graph with the inputs x (K,) or (N, K), A (K, K) and B (K, K), and the output L (), summed
        over the batch.

    >>> print(homework_network())
    y = A x
    u = σ(y)
    v = B x
    s = u ⊙ v
    z = A s
    w = A z
    L = ‖w‖²

    Source: Question 1, the definition of G.
    """
    return Graph(
        inputs=("x", "A", "B"),
        nodes=(
            Node("y", "product", ("A", "x")),
            Node("u", "sigmoid", ("y",)),
            Node("v", "product", ("B", "x")),
            Node("s", "multiply", ("u", "v")),
            Node("z", "product", ("A", "s")),
            Node("w", "product", ("A", "z")),
            Node("L", "squared_norm", ("w",)),
        ),
        closed_form=lambda values: closed_form(values["x"], values["A"], values["B"]),
    )


def homework_inputs(K, batch=None, seed=0, dtype="float64"):
    """Random inputs of G, of a scale that keeps L near K for every K.

    Args:
        K: size of the vectors.
        batch: number of vectors x, or None for a single one.
        seed: of the random numbers.
        dtype: floating dtype.

    Returns:
        dict with x (K,) or (batch, K), A (K, K) and B (K, K), NumPy arrays.

    Raises:
        InputError: K is not a positive integer.

    >>> {name: value.shape for name, value in homework_inputs(3, batch=2).items()}
    {'x': (2, 3), 'A': (3, 3), 'B': (3, 3)}
    """
    if not isinstance(K, int) or K < 1:
        raise InputError(f"K must be a positive integer. Received: {K!r}")
    random = np.random.default_rng(seed)
    x = random.normal(size=K if batch is None else (batch, K))
    A, B = random.normal(size=(2, K, K)) / np.sqrt(K)
    return {"x": x.astype(dtype), "A": A.astype(dtype), "B": B.astype(dtype)}


def local_derivative_errors(K, seed=0) -> dict[str, float]:
    """How far the homework's local derivatives are from those of the derivative networks.

    Args:
        K: size of the vectors.
        seed: of the random inputs, float64.

    Returns:
        dict from each formula of claim 1 to its relative error, against the derivative network and
        against tf.GradientTape, the larger; for the two that say 0, the largest change of v when A
        is changed at random (of u, when B is), also by the network.

    >>> list(local_derivative_errors(K=3))
    ['∂L/∂w = 2w', '∂v/∂A = 0', '∂u/∂B = 0', '∂σ(y)/∂y = σ(y)(1 − σ(y))']
    >>> max(local_derivative_errors(K=3).values()) < 1e-12
    True

    Source: Question 1, claim 1.
    """
    graph, inputs = homework_network(), homework_inputs(K, seed=seed)
    values = graph.forward(**inputs)
    change = np.random.default_rng(seed + 1).normal(size=(K, K))

    def largest_change(wrt, of):
        moved = graph.forward(**{**inputs, wrt: inputs[wrt] + change})[of] - values[of]
        linear = graph.derivative(values, wrt=wrt, of=of)(change)
        return float(tf.reduce_max(tf.abs([moved, linear])))

    def largest_error(formula, wrt, of, function):
        with tf.GradientTape() as tape:
            tape.watch(values[wrt])
            value = function(values[wrt])
        by_tape = tape.gradient(value, values[wrt])
        by_network = graph.derivative(values, wrt=wrt, of=of).dual()(tf.ones_like(value))
        return max(relative_error(formula, by_tape), relative_error(formula, by_network))

    y, w = values["y"], values["w"]
    σ = 1 / (1 + tf.exp(-y))
    return {
        "∂L/∂w = 2w": largest_error(2 * w, "w", "L", lambda w: tf.reduce_sum(w**2)),
        "∂v/∂A = 0": largest_change("A", "v"),
        "∂u/∂B = 0": largest_change("B", "u"),
        "∂σ(y)/∂y = σ(y)(1 − σ(y))": largest_error(σ * (1 - σ), "y", "u", tf.sigmoid),
    }


class FormComparison(NamedTuple):
    """One reading of a printed formula against the closed form.

    `error` is relative, and infinite if the shapes differ.
    """

    wrt: str
    reading: str
    shape: tuple[int, ...]
    expected_shape: tuple[int, ...]
    error: float


def compare_forms(K, seed=0) -> list[FormComparison]:
    """The printed formulas against the closed form, in every reading.

    Args:
        K: size of the vectors.
        seed: of the random inputs, float64.

    Returns:
        list of FormComparison: ∂L/∂A and ∂L/∂B with the bracket mended and 1 a number, with 1 a row
        of K ones, and ∂L/∂A with the last bracket dropped instead. For K = 1 the mended ones are
        right; for K > 1 none is: the first have the shape of a vector, all lack the transposes.

    >>> [comparison.error < 1e-12 for comparison in compare_forms(K=1)]
    [True, True, True, True, False]
    >>> [comparison.error < 1e-12 for comparison in compare_forms(K=2)]
    [False, False, False, False, False]

    Source: Question 1, claim 2.
    """
    inputs = homework_inputs(K, seed=seed)
    right = closed_form(**inputs)
    readings = {
        "bracket mended, 1 a number": ("AB", np.ones((1, 1)), "mended"),
        "bracket mended, 1 a row of K ones": ("AB", np.ones((1, K)), "mended"),
        "last bracket dropped, 1 a row of K ones": ("A", np.ones((1, K)), "dropped"),
    }
    comparisons = []
    for reading, (names, one, bracket) in readings.items():
        printed = printed_form(**inputs, one=one, bracket=bracket)
        for wrt in names:
            got, expected = printed[wrt].numpy(), right[wrt].numpy()
            error = relative_error(got, expected)
            comparisons.append(FormComparison(wrt, reading, got.shape, expected.shape, error))
    return comparisons


def check_algorithm(K, batch=None, seed=0) -> dict[str, GradientCheck]:
    """What the homework's algorithm gives for ∂L/∂A and ∂L/∂B, checked in every way.

    Args:
        K: size of the vectors.
        batch: number of vectors x, or None for a single one.
        seed: of the random inputs, float64, and of the check.

    Returns:
        dict from "A" and "B" to a GradientCheck.

    >>> all(check.passed for check in check_algorithm(K=3).values())
    True

    Source: Question 1, claim 3.
    """
    graph, inputs = homework_network(), homework_inputs(K, batch, seed)
    return {wrt: check_gradients(graph, wrt, seed=seed, **inputs) for wrt in "AB"}

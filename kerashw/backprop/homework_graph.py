"""Question 1's network G, and the measurements for its claims.

    y = A x     u = σ(y)     v = B x     s = u ⊙ v     z = A s     w = A z     L = ‖w‖²

The claims are numbered as in the README.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerashw.backprop.closed_form_gradients import closed_form, printed_form
from kerashw.backprop.gradient_check import GradientCheck, check_gradients, relative_error
from kerashw.backprop.graph import Graph, Node
from kerashw.errors import InputError


def homework_network() -> Graph:
    """Build Question 1's G, in which A is used three times (y, z, w) and B once.

    Returns:
        `Graph` with the inputs x (K,) or (N, K), A (K, K) and B (K, K), and the output L (), summed
        over the batch.

    Example:
        >>> print(homework_network())
        y = A x
        u = σ(y)
        v = B x
        s = u ⊙ v
        z = A s
        w = A z
        L = ‖w‖²

    Reference:
        The homework, Question 1, the definition of G.
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
    """Generate random inputs of G, scaled so that L is near K for every K.

    Args:
        K: Positive integer, the size of the vectors.
        batch: Integer, the number of vectors x; None for a single one without a batch axis.
        seed: Integer.
        dtype: Floating dtype.

    Returns:
        Dict of NumPy arrays: x (K,) or (batch, K), A (K, K) and B (K, K).

    Raises:
        InputError: If `K` is not a positive integer.

    Example:
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
    """Compare the homework's local derivatives with those of the derivative networks.

    Args:
        K: Positive integer, the size of the vectors.
        seed: Integer, the seed of the random inputs, in float64.

    Returns:
        Dict, formula of claim 1 → float. For a formula with a value, this is the larger of its
        relative errors against the derivative network and against `tf.GradientTape`. For a formula
        that says 0, it is the largest change of v after a random change of A (of u, after a change
        of B), as computed by G and by the derivative network.

    Example:
        >>> list(local_derivative_errors(K=3))
        ['∂L/∂w = 2w', '∂v/∂A = 0', '∂u/∂B = 0', '∂σ(y)/∂y = σ(y)(1 − σ(y))']
        >>> max(local_derivative_errors(K=3).values()) < 1e-12
        True

    Reference:
        The homework, Question 1, claim 1.
    """
    graph, inputs = homework_network(), homework_inputs(K, seed=seed)
    values = graph.forward(**inputs)
    change = np.random.default_rng(seed + 1).normal(size=(K, K))

    def largest_change(wrt, of):
        actual = graph.forward(**{**inputs, wrt: inputs[wrt] + change})[of] - values[of]
        linear = graph.derivative(values, wrt=wrt, of=of)(change)
        return float(tf.reduce_max(tf.abs([actual, linear])))

    def largest_error(formula, wrt, of, function):
        with tf.GradientTape() as tape:
            tape.watch(values[wrt])
            value = function(values[wrt])
        expected = tape.gradient(value, values[wrt])
        dual = graph.derivative(values, wrt=wrt, of=of).dual()(tf.ones_like(value))
        return max(relative_error(formula, expected), relative_error(formula, dual))

    y, w = values["y"], values["w"]
    σ = 1 / (1 + tf.exp(-y))
    return {
        "∂L/∂w = 2w": largest_error(2 * w, "w", "L", lambda w: tf.reduce_sum(w**2)),
        "∂v/∂A = 0": largest_change("A", "v"),
        "∂u/∂B = 0": largest_change("B", "u"),
        "∂σ(y)/∂y = σ(y)(1 − σ(y))": largest_error(σ * (1 - σ), "y", "u", tf.sigmoid),
    }


class FormComparison(NamedTuple):
    """The result of comparing one reading of a printed formula with the closed form.

    `error` is relative. It is infinite if the shapes differ.
    """

    wrt: str
    reading: str
    shape: tuple[int, ...]
    expected_shape: tuple[int, ...]
    error: float


def compare_forms(K, seed=0) -> list[FormComparison]:
    """Compare every reading of the printed formulas with the closed form.

    For K = 1 the readings with the mended bracket are correct. For K > 1 no reading is: those with
    1 as a number have the shape of a vector, and all of them lack the transposes.

    Args:
        K: Positive integer, the size of the vectors.
        seed: Integer, the seed of the random inputs, in float64.

    Returns:
        List of `FormComparison`s: ∂L/∂A and ∂L/∂B with the bracket mended and 1 as a number; the
        same with 1 as a row of K ones; and ∂L/∂A with the last bracket dropped.

    Example:
        >>> [comparison.error < 1e-12 for comparison in compare_forms(K=1)]
        [True, True, True, True, False]
        >>> [comparison.error < 1e-12 for comparison in compare_forms(K=2)]
        [False, False, False, False, False]

    Reference:
        The homework, Question 1, claim 2.
    """
    inputs = homework_inputs(K, seed=seed)
    closed = closed_form(**inputs)
    readings = {
        "bracket mended, 1 a number": ("AB", np.ones((1, 1)), "mended"),
        "bracket mended, 1 a row of K ones": ("AB", np.ones((1, K)), "mended"),
        "last bracket dropped, 1 a row of K ones": ("A", np.ones((1, K)), "dropped"),
    }
    comparisons = []
    for reading, (names, one, bracket) in readings.items():
        printed = printed_form(**inputs, one=one, bracket=bracket)
        for wrt in names:
            actual, expected = printed[wrt].numpy(), closed[wrt].numpy()
            error = relative_error(actual, expected)
            comparisons.append(FormComparison(wrt, reading, actual.shape, expected.shape, error))
    return comparisons


def check_algorithm(K, batch=None, seed=0) -> dict[str, GradientCheck]:
    """Run `check_gradients` on the homework's algorithm for ∂L/∂A and ∂L/∂B.

    Args:
        K: Positive integer, the size of the vectors.
        batch: Integer, the number of vectors x; None for a single one without a batch axis.
        seed: Integer, the seed of the random inputs, in float64, and of the check.

    Returns:
        Dict, "A" or "B" → `GradientCheck`.

    Example:
        >>> all(check.passed for check in check_algorithm(K=3).values())
        True

    Reference:
        The homework, Question 1, claim 3.
    """
    graph, inputs = homework_network(), homework_inputs(K, batch, seed)
    return {wrt: check_gradients(graph, wrt, seed=seed, **inputs) for wrt in "AB"}

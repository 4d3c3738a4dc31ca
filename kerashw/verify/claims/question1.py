"""Question 1, backpropagation through a network: claims 1 to 3."""

import functools

import numpy as np
import tensorflow as tf

from kerashw.backprop import (
    check_algorithm,
    closed_form,
    compare_forms,
    homework_inputs,
    homework_network,
    local_derivative_errors,
    relative_error,
)
from kerashw.plots.network_diagram import backpropagation_diagram
from kerashw.verify.claim import Evidence, Verdict, brief_error, claim, judged

SIZES = (1, 2, 3, 8, 32)
SEEDS = range(5)
BATCHES = (None, 5)
# Relative, in float64: the rounding of a few hundred operations.
EXACT = 1e-12
# Central differences are no better than this where an entry of A is as small as 0.005.
DIFFERENCES = 1e-5
CASES = f"K = {', '.join(map(str, SIZES))}; {len(SEEDS)} seeds; float64"


@claim(1, "The local derivatives: ∂L/∂w = 2w, ∂v/∂A = 0, ∂u/∂B = 0, σ′ = σ(1 − σ)")
def local_derivatives(lab):
    """Compare the four formulas with the derivative networks and with TensorFlow.

    >>> local_derivatives(None).verdict.value
    'holds'
    """
    cases = [local_derivative_errors(K, seed) for K in SIZES for seed in SEEDS]
    errors = {formula: _worst(case[formula] for case in cases) for formula in cases[0]}
    worst = _worst(errors.values())
    return Evidence(
        how=f"{CASES}; against the derivative networks and tf.GradientTape",
        measured=f"largest relative error {brief_error(worst)}",
        verdict=judged(worst <= EXACT),
        numbers={"largest_relative_errors": errors},
    )


@claim(2, "The printed final formulas for ∂L/∂A and ∂L/∂B", expected=(Verdict.CORRECTED,))
def printed_formulas(lab):
    """Judge the printed formulas in every reading, at K = 1 and above, and the corrected ones."""
    at_one = _worst(c.error for c in _compared([1]) if "mended" in c.reading)
    beyond = [c for c in _compared(SIZES[1:]) if "mended" in c.reading]
    shapes = sum(c.shape != c.expected_shape for c in beyond)
    errors = [c.error for c in beyond if c.shape == c.expected_shape]
    least = min(errors, default=np.inf)
    corrected = _worst(
        _error_of_closed_form(K, batch, seed) for K in SIZES for batch in BATCHES for seed in SEEDS
    )
    right_at_one, right_beyond = at_one <= EXACT, not shapes and _worst(errors) <= EXACT
    verdict = judged(right_at_one and right_beyond)
    if right_at_one and not right_beyond and corrected <= EXACT:
        verdict = Verdict.CORRECTED
    return Evidence(
        how=f"{CASES}; the printed 1 as a number and as a row of K ones; against tf.GradientTape",
        measured=f"relative error with the bracket mended, K = 1: {brief_error(at_one)}; K > 1: "
        f"{shapes} of {len(beyond)} have the shape (K, 1), the others {least:.2f} and more; "
        f"corrected, every K: {brief_error(corrected)}",
        verdict=verdict,
        note="The bracket that is one too many closes after the three summands; that is right for "
        "K = 1. For K > 1 the transposes and outer products are missing: "
        "∂L/∂A = g_w zᵀ + g_z sᵀ + g_y xᵀ and ∂L/∂B = g_v xᵀ.",
        numbers={
            "printed_error_at_K_1": at_one,
            "printed_least_error_at_larger_K": least,
            "printed_wrong_shapes_at_larger_K": shapes,
            "corrected_largest_error": corrected,
        },
    )


@claim(3, "The dual of the derivative network, fed 1, gives ∂L/∂A and ∂L/∂B")
def dual_networks(lab):
    """Check the homework's algorithm against everything else that can tell a gradient."""
    checks = [
        check
        for K in SIZES
        for batch in BATCHES
        for seed in SEEDS
        for check in check_algorithm(K, batch, seed).values()
    ]
    errors = {}
    for row in (row for check in checks for row in check.rows):
        errors.setdefault(f"{row.compared}, {row.against}", []).append(row.error)
    errors = {compared: _worst(values) for compared, values in errors.items()}
    differences = errors["dual network, central finite differences"]
    exact = _worst(error for name, error in errors.items() if "differences" not in name)
    return Evidence(
        how=f"{CASES}; one x and a batch of {BATCHES[-1]}; against the closed form, "
        "tf.GradientTape, ForwardAccumulator and finite differences",
        measured=f"largest relative error {brief_error(exact)}; against finite differences, which "
        f"are themselves no better, {brief_error(differences)}",
        verdict=judged(exact <= EXACT and differences <= DIFFERENCES),
        numbers={"largest_relative_errors": errors, "gradients_checked": len(checks)},
        pictures={f"claim-3-{wrt}": functools.partial(_diagram, wrt) for wrt in "AB"},
    )


def _compared(sizes):
    return [comparison for K in sizes for seed in SEEDS for comparison in compare_forms(K, seed)]


def _error_of_closed_form(K, batch, seed):
    """The closed form against tf.GradientTape through G written down with TensorFlow alone."""
    inputs = {n: tf.constant(v) for n, v in homework_inputs(K, batch, seed).items()}
    x, A, B = inputs.values()
    with tf.GradientTape() as tape:
        tape.watch((A, B))
        u, v = tf.sigmoid(tf.linalg.matvec(A, x)), tf.linalg.matvec(B, x)
        z = tf.linalg.matvec(A, u * v)
        L = tf.reduce_sum(tf.linalg.matvec(A, z) ** 2)
    gradients = zip("AB", tape.gradient(L, (A, B)), strict=True)
    formulas = closed_form(**inputs)
    return _worst(relative_error(formulas[wrt], gradient) for wrt, gradient in gradients)


def _diagram(wrt):
    graph = homework_network()
    return backpropagation_diagram(graph, graph.forward(**homework_inputs(K=2)), wrt)


def _worst(errors):
    """The largest of the errors; NaN if one is, which is within no bound."""
    return float(np.max(list(errors)))

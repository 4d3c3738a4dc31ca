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
from kerashw.verify.claim import Evidence, Verdict, claim, format_error

SIZES = (1, 2, 3, 8, 32)
SEEDS = range(5)
BATCHES = (None, 5)
# The relative error of a few hundred operations in float64.
EXACT = 1e-12
# Central differences are less exact where an entry of A is small, such as 0.005.
DIFFERENCES = 1e-5
CASES = f"K = {', '.join(map(str, SIZES))}; {len(SEEDS)} seeds; float64"


@claim(1, "The local derivatives: ∂L/∂w = 2w, ∂v/∂A = 0, ∂u/∂B = 0, σ′ = σ(1 − σ)")
def local_derivatives(trained_models):
    """Compare the four formulas with the derivative networks and with TensorFlow.

    >>> local_derivatives(None).verdict.value
    'holds'
    """
    cases = [local_derivative_errors(K, seed) for K in SIZES for seed in SEEDS]
    errors = {formula: _largest(case[formula] for case in cases) for formula in cases[0]}
    largest = _largest(errors.values())
    return Evidence(
        method=f"{CASES}; against the derivative networks and tf.GradientTape",
        measured=f"largest relative error {format_error(largest)}",
        verdict=Verdict.from_bool(largest <= EXACT),
        numbers={"largest_relative_errors": errors},
    )


@claim(2, "The printed final formulas for ∂L/∂A and ∂L/∂B", expected=(Verdict.CORRECTED,))
def printed_formulas(trained_models):
    """Test every reading of the printed formulas, for K = 1 and for K > 1, and the corrected ones.

    The claim holds with a correction if the printed formulas are right for K = 1 only, and the
    corrected ones for every K.
    """
    error_at_one = _largest(form.error for form in _mended_forms([1]))
    larger = _mended_forms(SIZES[1:])
    wrong_shapes = sum(form.shape != form.expected_shape for form in larger)
    errors = [form.error for form in larger if form.shape == form.expected_shape]
    least = min(errors, default=np.inf)
    corrected = _largest(
        _closed_form_error(K, batch, seed) for K in SIZES for batch in BATCHES for seed in SEEDS
    )
    right_at_one = error_at_one <= EXACT
    right_beyond = not wrong_shapes and _largest(errors) <= EXACT
    verdict = Verdict.from_bool(right_at_one and right_beyond)
    if right_at_one and not right_beyond and corrected <= EXACT:
        verdict = Verdict.CORRECTED
    return Evidence(
        method=f"{CASES}; the printed 1 as a number and as a row of K ones; against "
        "tf.GradientTape",
        measured=f"relative error with the bracket mended, K = 1: {format_error(error_at_one)}; "
        f"K > 1: {wrong_shapes} of {len(larger)} have the shape (K, 1), the others an error of at "
        f"least {least:.2f}; corrected, every K: {format_error(corrected)}",
        verdict=verdict,
        note="One closing bracket is too many. With the bracket closed after the three summands, "
        "the formulas are right for K = 1. For K > 1 they lack the transposes and outer products: "
        "∂L/∂A = g_w zᵀ + g_z sᵀ + g_y xᵀ and ∂L/∂B = g_v xᵀ.",
        numbers={
            "printed_error_at_K_1": error_at_one,
            "printed_least_error_at_larger_K": least,
            "printed_wrong_shapes_at_larger_K": wrong_shapes,
            "corrected_largest_error": corrected,
        },
    )


@claim(3, "The dual of the derivative network, fed 1, gives ∂L/∂A and ∂L/∂B")
def dual_networks(trained_models):
    """Check the homework's algorithm against all other ways to compute a gradient."""
    checks = [
        check
        for K in SIZES
        for batch in BATCHES
        for seed in SEEDS
        for check in check_algorithm(K, batch, seed).values()
    ]
    errors_of = {}
    for row in (row for check in checks for row in check.rows):
        errors_of.setdefault(f"{row.compared}, {row.against}", []).append(row.error)
    errors = {comparison: _largest(values) for comparison, values in errors_of.items()}
    differences = errors["dual network, central finite differences"]
    exact = _largest(error for name, error in errors.items() if "differences" not in name)
    return Evidence(
        method=f"{CASES}; one x and a batch of {BATCHES[-1]}; against the closed form, "
        "tf.GradientTape, ForwardAccumulator and finite differences",
        measured=f"largest relative error {format_error(exact)}; against finite differences, "
        f"which are less exact, {format_error(differences)}",
        verdict=Verdict.from_bool(exact <= EXACT and differences <= DIFFERENCES),
        numbers={"largest_relative_errors": errors, "gradients_checked": len(checks)},
        pictures={f"claim-3-{wrt}": functools.partial(_diagram, wrt) for wrt in "AB"},
    )


def _mended_forms(sizes):
    """Return the comparisons of the printed formulas with the bracket mended."""
    forms = [form for K in sizes for seed in SEEDS for form in compare_forms(K, seed)]
    return [form for form in forms if "mended" in form.reading]


def _closed_form_error(K, batch, seed):
    """Compare the closed form with tf.GradientTape through G written in TensorFlow alone."""
    inputs = {n: tf.constant(v) for n, v in homework_inputs(K, batch, seed).items()}
    x, A, B = inputs.values()
    with tf.GradientTape() as tape:
        tape.watch((A, B))
        u, v = tf.sigmoid(tf.linalg.matvec(A, x)), tf.linalg.matvec(B, x)
        z = tf.linalg.matvec(A, u * v)
        L = tf.reduce_sum(tf.linalg.matvec(A, z) ** 2)
    gradients = zip("AB", tape.gradient(L, (A, B)), strict=True)
    formulas = closed_form(**inputs)
    return _largest(relative_error(formulas[wrt], gradient) for wrt, gradient in gradients)


def _diagram(wrt):
    graph = homework_network()
    return backpropagation_diagram(graph, graph.forward(**homework_inputs(K=2)), wrt)


def _largest(errors):
    """Return the largest error, or NaN if one is NaN. A comparison with NaN is never true."""
    return float(np.max(list(errors)))

"""The signature `step` of the model `backprop`: Question 1's network, its dual, and its gradients.

The values, the dual networks and the gradients come from `kerashw.backprop`, traced by TensorFlow.
All numbers are float64.
"""

import numpy as np
import tensorflow as tf

from kerashw.backprop import homework_network

INPUTS = (
    tf.TensorSpec((None, None), tf.float64, "x"),
    tf.TensorSpec((None, None, None), tf.float64, "A"),
    tf.TensorSpec((None, None, None), tf.float64, "B"),
)
EXAMPLE = {"x": np.ones((1, 2)), "A": np.ones((1, 2, 2)), "B": np.ones((1, 2, 2))}
# This step balances the rounding error of L and its third derivative.
STEP = float(np.cbrt(np.finfo(np.float64).eps))
VECTORS = ("y", "u", "v", "s", "z", "w")
OUTPUTS = (
    *VECTORS,
    "L",
    *(f"g_{name}" for name in VECTORS),
    "slope",
    "entries_A",
    "sums_A",
    *(f"{kind}_{name}" for kind in ("gradient", "difference") for name in "xAB"),
    "relative_error",
)


def step(x, A, B):
    """Compute Question 1's network and its dual networks, fed 1, for N rows of inputs.

    Args:
        x: `tf.Tensor` float64 (N, K).
        A: `tf.Tensor` float64 (N, K, K).
        B: `tf.Tensor` float64 (N, K, K).

    Returns:
        Dict of float64 `tf.Tensor`s:

        - `y`, `u`, `v`, `s`, `z`, `w` (N, K) and `L` (N,): the values of the network;
        - `g_y`, `g_u`, `g_v`, `g_s`, `g_z`, `g_w` (N, K): the signals of the dual networks;
        - `slope` (N, K): σ′(y), the linear map from g_u to g_y;
        - `entries_A` (N, 3, K, K): what A receives through w, z and y; `sums_A`, of the same
          shape, has the sums of the first one, two and three of them;
        - `gradient_x` (N, K), `gradient_A` and `gradient_B` (N, K, K): what the dual networks
          return;
        - `difference_x`, `difference_A` and `difference_B`, of the same shapes: central finite
          differences of L;
        - `relative_error` (N,): the largest difference between an entry of a gradient and its
          finite difference, divided by the largest entry, or by 1 if that is larger.

    Raises:
        tf.errors.InvalidArgumentError: If the shapes are not as above.

    Reference:
        The homework, Question 1, the network G and its derivative and dual networks.
    """
    shape = tf.concat([tf.shape(x), tf.shape(x)[1:]], axis=0)
    fits = tf.reduce_all([tf.shape(matrices) == shape for matrices in (A, B)])
    message = "A and B must have the shape (N, K, K) for x (N, K). Received: x, A, B of the shapes"
    check = tf.debugging.Assert(fits, [message, *map(tf.shape, (x, A, B))])
    with tf.control_dependencies([check]):
        rows = tuple(map(tf.identity, (x, A, B)))
    return tf.map_fn(
        lambda row: _row(*row), rows, fn_output_signature=dict.fromkeys(OUTPUTS, tf.float64)
    )


def _row(x, A, B):
    """Return the outputs of `step` for a single x, A and B."""
    inputs = {"x": x, "A": A, "B": B}
    net = homework_network()
    values = net.forward(**inputs)
    duals = {name: net.derivative(values, wrt=name).dual() for name in inputs}
    signals = {name: dual.signals(1.0) for name, dual in duals.items()}
    gradients = {name: signals[name][name] for name in inputs}
    differences = {name: _finite_differences(net, name, inputs) for name in inputs}
    entries = _entries(duals["A"], signals["A"])
    slope = net.derivative(values, wrt="y", of="u").dual()(tf.ones_like(x))
    return (
        {name: values[name] for name in (*VECTORS, "L")}
        | {f"g_{name}": signals["x"][name] for name in VECTORS}
        | {"slope": slope, "entries_A": entries, "sums_A": tf.cumsum(entries)}
        | {f"gradient_{name}": gradients[name] for name in inputs}
        | {f"difference_{name}": differences[name] for name in inputs}
        | {"relative_error": _relative_error(gradients, differences)}
    )


def _entries(dual, signals):
    """Return what meets in the sum before the target of a dual network, in the order of arrival."""
    [total] = [arrow.source for arrow in dual.arrows if arrow.target == dual.target.name]
    return tf.stack(
        [arrow.map(signals[arrow.source]) for arrow in dual.arrows if arrow.target == total]
    )


def _finite_differences(net, name, inputs):
    """Return (L(θ + h e) − L(θ − h e)) / 2h for every entry of an input θ."""
    point = inputs[name]
    flat = tf.reshape(point, [-1])
    steps = STEP * tf.maximum(tf.abs(flat), 1)

    def difference(change):
        change = tf.reshape(change, tf.shape(point))
        ends = [
            net.forward(**{**inputs, name: shifted})[net.output]
            for shifted in (point + change, point - change)
        ]
        return ends[0] - ends[1]

    return tf.reshape(tf.map_fn(difference, tf.linalg.diag(steps)) / (2 * steps), tf.shape(point))


def _relative_error(gradients, differences):
    actual, expected = (
        tf.concat([tf.reshape(each[name], [-1]) for name in each], axis=0)
        for each in (gradients, differences)
    )
    return tf.reduce_max(tf.abs(actual - expected)) / tf.maximum(tf.reduce_max(tf.abs(actual)), 1)

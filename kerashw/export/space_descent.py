"""The signature `descent` of the model `spaces`: gradient descent in Question 2's two spaces.

The gradients are those of the dual networks of `kerashw.backprop`. The computing is in float64.
"""

import numpy as np
import tensorflow as tf

from kerashw.backprop import Graph, Node

STEPS = 100
# A step to weights beyond this bound is not taken, because JSON has no infinite numbers.
LARGEST_WEIGHT = 1e15
INPUTS = (
    tf.TensorSpec((None, None, 2), tf.float64, "points"),
    tf.TensorSpec((None, None), tf.int32, "labels"),
    tf.TensorSpec((None,), tf.float64, "learning_rate"),
    tf.TensorSpec((None, None, None), tf.float64, "A"),
    tf.TensorSpec((None, None, None), tf.float64, "B"),
    tf.TensorSpec((None, None, 3), tf.float64, "C"),
)
EXAMPLE = {
    "points": np.eye(2)[np.newaxis],
    "labels": np.array([[0, 1]], np.int32),
    "learning_rate": np.ones(1),
    "A": np.eye(2)[np.newaxis],
    "B": np.zeros((1, 2, 2)),
    "C": np.zeros((1, 2, 3)),
}
OUTPUTS = {
    **dict.fromkeys(("W1", "loss1", "W2", "loss2", "A", "B", "C"), tf.float32),
    "difference": tf.float64,
}
LOSS = "softmax_cross_entropy"
H1 = Graph(
    ("x", "W", "labels"),
    [Node("a", "product", ("W", "x")), Node("L", LOSS, ("a", "labels"))],
)
H2 = Graph(
    ("x", "A", "B", "C", "labels"),
    [
        Node("M", "add", ("A", "B")),
        Node("c", "product", ("C", "x")),
        Node("a", "product", ("M", "c")),
        Node("L", LOSS, ("a", "labels")),
    ],
)


def descent(points, labels, learning_rate, A, B, C):
    """Fit softmax(W x) and softmax((A + B) C x) by gradient descent from the same function.

    Both start at W = (A + B) C and take 100 steps on the mean negative log-likelihood of n points
    of the plane. x is a point and a constant 1. Each of the N rows is a problem of its own.

    Args:
        points: `tf.Tensor` float64 (N, n, 2).
        labels: `tf.Tensor` int32 (N, n), classes from 0 to K − 1.
        learning_rate: `tf.Tensor` float64 (N,).
        A: `tf.Tensor` float64 (N, K, K).
        B: `tf.Tensor` float64 (N, K, K).
        C: `tf.Tensor` float64 (N, K, 3).

    Returns:
        Dict of `tf.Tensor`s, float32 except for the last:

        - `W1` (N, 101, K, 3) and `loss1` (N, 101): W and the loss at the start and after each step
          of gradient descent in W;
        - `W2` and `loss2`, of the same shapes: W = (A + B) C and the loss of gradient descent in A,
          B and C;
        - `A`, `B` (N, K, K) and `C` (N, K, 3): the factors at its end;
        - `difference` float64 (N,): the largest difference between the probabilities of
          softmax((A + B) C x) and of softmax(W x) with the last W of `W2`.

        A step that leads to a weight beyond 1e15 is not taken.

    Raises:
        tf.errors.InvalidArgumentError: If the shapes or labels are not as above.

    Reference:
        The homework, Question 2, the spaces H1 and H2.
    """
    square = tf.gather(tf.shape(C), [0, 1, 1])
    fits = [
        tf.reduce_all(tf.shape(labels) == tf.shape(points)[:2]),
        tf.shape(points)[1] > 0,
        *(tf.reduce_all(tf.shape(matrices) == square) for matrices in (A, B)),
    ]
    message = (
        "the shapes must be points (N, n, 2) with n > 0, labels (N, n), A and B (N, K, K), "
        "C (N, K, 3). Received: points, labels, A, B, C of the shapes"
    )
    shapes = map(tf.shape, (points, labels, A, B, C))
    check = tf.debugging.Assert(tf.reduce_all(fits), [message, *shapes])
    with tf.control_dependencies([check]):
        rows = tuple(map(tf.identity, (points, labels, learning_rate, A, B, C)))
    return tf.map_fn(lambda row: _row(*row), rows, fn_output_signature=OUTPUTS)


def _row(points, labels, learning_rate, A, B, C):
    """Return the outputs of `descent` for one problem."""
    x = tf.concat([points, tf.ones_like(points[:, :1])], axis=1)
    rate = learning_rate / tf.cast(tf.shape(x)[0], tf.float64)  # the networks sum over the points
    W1 = _descend(H1, {"W": (A + B) @ C}, rate, x, labels)["W"]
    factors = _descend(H2, {"A": A, "B": B, "C": C}, rate, x, labels)
    W2 = (factors["A"] + factors["B"]) @ factors["C"]
    A, B, C = (factors[name][-1] for name in "ABC")
    logits = tf.matmul(tf.matmul(x, C, transpose_b=True), A + B, transpose_b=True)
    collapsed = tf.matmul(x, W2[-1], transpose_b=True)
    difference = tf.reduce_max(tf.abs(tf.nn.softmax(logits) - tf.nn.softmax(collapsed)))
    outputs = {"W1": W1, "W2": W2, "A": A, "B": B, "C": C}
    outputs |= {"loss1": _losses(W1, x, labels), "loss2": _losses(W2, x, labels)}
    outputs = {name: tf.cast(value, tf.float32) for name, value in outputs.items()}
    return outputs | {"difference": difference}


def _descend(net, start, rate, x, labels):
    """Return the weights at the start and after each step, with a first axis for the steps."""

    def take_step(weights, _):
        values = net.forward(x=x, labels=labels, **weights)
        moved = {
            name: weights[name] - rate * net.derivative(values, wrt=name).dual()(1.0)
            for name in weights
        }
        valid = [tf.reduce_all(tf.abs(value) < LARGEST_WEIGHT) for value in moved.values()]
        return {
            name: tf.where(tf.reduce_all(valid), value, weights[name])
            for name, value in moved.items()
        }

    path = tf.scan(take_step, tf.range(STEPS), start)
    return {name: tf.concat([start[name][tf.newaxis], path[name]], axis=0) for name in start}


def _losses(W, x, labels):
    """Return the mean negative log-likelihood of softmax(W x) for each W of a path."""
    logits = tf.einsum("tkm,nm->tnk", W, x)
    labels = tf.tile(labels[tf.newaxis], [tf.shape(W)[0], 1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(losses, axis=1)

"""The gradients of Question 1's network as formulas: right for every K, and as they are printed.

Source: Question 1 of the homework, its final formulas for ∂L/∂A and ∂L/∂B (claim 2).
"""

import tensorflow as tf

from kerashw.errors import InputError

__all__ = ["closed_form", "printed_form"]


def closed_form(x, A, B):
    """The gradients of L as formulas, right for every K.

        g_w = 2w          g_z = Aᵀ g_w     g_s = Aᵀ g_z
        g_u = v ⊙ g_s     g_v = u ⊙ g_s    g_y = u ⊙ (1 − u) ⊙ g_u
        ∂L/∂A = g_w zᵀ + g_z sᵀ + g_y xᵀ   ∂L/∂B = g_v xᵀ   ∂L/∂x = Aᵀ g_y + Bᵀ g_v

    Written down on its own, with none of the primitives, so that it can judge them.

    Args:
        x: array (K,), or a batch (N, K) over which L is summed.
        A: array (K, K).
        B: array (K, K).

    Returns:
        dict with the gradients by "A" (K, K), by "B" (K, K) and by "x" (x's shape), tf.Tensors.

    >>> gradients = closed_form([0.0, 1.0], [[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]])
    >>> [[round(float(g), 4) for g in row] for row in gradients["B"]]
    [[0.0, 0.0], [0.0, 2.1378]]

    Source: Question 1, claim 2, corrected.
    """
    x, A, B = (tf.convert_to_tensor(value) for value in (x, A, B))
    rows = x if x.shape.rank == 2 else x[tf.newaxis, :]
    u, v = tf.sigmoid(rows @ tf.transpose(A)), rows @ tf.transpose(B)
    s = u * v
    z = s @ tf.transpose(A)
    w = z @ tf.transpose(A)
    g_w = 2 * w
    g_z = g_w @ A
    g_s = g_z @ A
    g_v, g_y = u * g_s, u * (1 - u) * v * g_s

    def summed(g, rows):
        return tf.einsum("ni,nj->ij", g, rows)

    return {
        "A": summed(g_w, z) + summed(g_z, s) + summed(g_y, rows),
        "B": summed(g_v, rows),
        "x": tf.reshape(g_y @ A + g_v @ B, tf.shape(x)),
    }


def printed_form(x, A, B, one=((1.0,),), bracket="mended"):
    """The gradients as the homework prints them, its dot read as the product of matrices.

        ∂L/∂A = 2*A.A.(σ(A.x)⊙B.x) ⊙ (A.A.(B.x⊙(σ(A.x)(1−σ(A.x)))) ⊙ x.1)
                                      + A.(σ(A.x)⊙B.x).1 + A.(σ(A.x)⊙B.x).1)
        ∂L/∂B = 2*A.A.(σ(A.x)⊙B.x) ⊙ (A.A.(σ(A.x)⊙x.1))

    The first has one bracket too many at its end. Mended, the bracket that opens after the first ⊙
    closes there, after the three summands; the other reading drops the last bracket.

    Args:
        x: array (K,).
        A: array (K, K).
        B: array (K, K).
        one: what the printed 1 is, as a matrix (1, m): (1, 1) for the number, (1, K) for a row of
            ones, the reading that gives gradients the right shape.
        bracket: "mended" or "dropped".

    Returns:
        dict with "A" and "B", tf.Tensors (K, m).

    Raises:
        InputError: bracket is neither.

    >>> right, printed = closed_form([2.0], [[0.5]], [[3.0]]), printed_form([2.0], [[0.5]], [[3.0]])
    >>> [bool(abs(right[name] - printed[name]) < 1e-5) for name in "AB"]
    [True, True]

    Source: Question 1, claim 2, as printed.
    """
    if bracket not in ("mended", "dropped"):
        raise InputError(f"bracket must be mended or dropped. Received: {bracket!r}")
    x, A, B = (tf.convert_to_tensor(value) for value in (x, A, B))
    x, one = x[:, tf.newaxis], tf.cast(one, x.dtype)
    Ax, Bx = A @ x, B @ x
    σ = tf.sigmoid(Ax)
    first = 2 * (A @ (A @ (σ * Bx)))
    through_y = (A @ (A @ (Bx * (σ * (1 - σ))))) * (x @ one)
    through_z = through_w = A @ (σ * Bx) @ one
    if bracket == "mended":
        by_A = first * (through_y + through_z + through_w)
    else:
        by_A = first * through_y + through_z + through_w
    return {"A": by_A, "B": first * (A @ (A @ (σ * (x @ one))))}

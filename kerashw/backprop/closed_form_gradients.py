"""The gradients of Question 1's network as formulas: corrected, and as the homework prints them."""

import tensorflow as tf

from kerashw.errors import InputError


def closed_form(x, A, B):
    """Compute the gradients of L from formulas that are correct for every K.

        g_w = 2w          g_z = Aᵀ g_w     g_s = Aᵀ g_z
        g_u = v ⊙ g_s     g_v = u ⊙ g_s    g_y = u ⊙ (1 − u) ⊙ g_u
        ∂L/∂A = g_w zᵀ + g_z sᵀ + g_y xᵀ   ∂L/∂B = g_v xᵀ   ∂L/∂x = Aᵀ g_y + Bᵀ g_v

    The function uses none of the primitives, so the derivative networks can be checked against it.

    Args:
        x: Float array (K,), or a batch (N, K) over which L is summed.
        A: Float array (K, K).
        B: Float array (K, K).

    Returns:
        Dict of `tf.Tensor`s, the gradients with respect to "A" (K, K), "B" (K, K) and "x" (the
        shape of x).

    Example:
        >>> gradients = closed_form([0.0, 1.0], [[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]])
        >>> [[round(float(g), 4) for g in row] for row in gradients["B"]]
        [[0.0, 0.0], [0.0, 2.1378]]

    Reference:
        The homework, Question 1, its final formulas for ∂L/∂A and ∂L/∂B (claim 2), corrected.
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

    def summed_outer(g, values):
        return tf.einsum("ni,nj->ij", g, values)

    return {
        "A": summed_outer(g_w, z) + summed_outer(g_z, s) + summed_outer(g_y, rows),
        "B": summed_outer(g_v, rows),
        "x": tf.reshape(g_y @ A + g_v @ B, tf.shape(x)),
    }


def printed_form(x, A, B, one=((1.0,),), bracket="mended"):
    """Compute the gradients as the homework prints them, with its dot as the matrix product.

        ∂L/∂A = 2*A.A.(σ(A.x)⊙B.x) ⊙ (A.A.(B.x⊙(σ(A.x)(1−σ(A.x)))) ⊙ x.1)
                                      + A.(σ(A.x)⊙B.x).1 + A.(σ(A.x)⊙B.x).1)
        ∂L/∂B = 2*A.A.(σ(A.x)⊙B.x) ⊙ (A.A.(σ(A.x)⊙x.1))

    The formula for ∂L/∂A has one closing bracket too many, so there are two readings. In the mended
    one, the bracket that opens after the first ⊙ closes at the end, after the three summands. In
    the other, the last bracket is dropped.

    Args:
        x: Float array (K,).
        A: Float array (K, K).
        B: Float array (K, K).
        one: Float array (1, m), the printed 1 as a matrix: (1, 1) for the number; (1, K) for a row
            of ones, which makes the shapes of the gradients right.
        bracket: "mended" or "dropped".

    Returns:
        Dict of `tf.Tensor`s (K, m), "A" and "B".

    Raises:
        InputError: If `bracket` is neither "mended" nor "dropped".

    Example:
        >>> numbers = [2.0], [[0.5]], [[3.0]]
        >>> corrected, printed = closed_form(*numbers), printed_form(*numbers)
        >>> [bool(abs(corrected[name] - printed[name]) < 1e-5) for name in "AB"]
        [True, True]

    Reference:
        The homework, Question 1, its final formulas for ∂L/∂A and ∂L/∂B (claim 2), as printed.
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
        gradient_A = first * (through_y + through_z + through_w)
    else:
        gradient_A = first * through_y + through_z + through_w
    return {"A": gradient_A, "B": first * (A @ (A @ (σ * (x @ one))))}

"""The hypothesis spaces H1 and H2 in NumPy: evaluation, the maps between them, gradient steps."""

import numpy as np

from kerashw.errors import InputError


def collapse(A, B, C):
    """Map a member of H2 to H1: W = (A + B) C.

    Args:
        A: Array (K, K).
        B: Array (K, K).
        C: Array (K, m).

    Returns:
        W, a NumPy array (K, m), in the NumPy result dtype of A, B and C.

    Raises:
        InputError: If a shape is invalid.

    Example:
        >>> collapse([[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]], [[3.0], [4.0]]).tolist()
        [[10.0], [4.0]]

    Reference:
        The homework, Question 2, H2 ⊆ H1.
    """
    A, B, C = _to_factors(A, B, C)
    return (A + B) @ C


def expand(W):
    """Map a member of H1 to H2: A = I, B = 0, C = W.

    Args:
        W: Array (K, m).

    Returns:
        NumPy arrays A (K, K), B (K, K) and C (K, m) in the dtype of W. If W is finite,
        `collapse(A, B, C)` equals W exactly.

    Raises:
        InputError: If W is not a matrix.

    Example:
        >>> A, B, C = expand([[3.0], [4.0]])
        >>> A.tolist(), B.tolist(), C.tolist()
        ([[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]], [[3.0], [4.0]])

    Reference:
        The homework, Question 2, H1 ⊆ H2.
    """
    W = _to_matrix("W", "(K, m)", W)
    K = len(W)
    return np.eye(K, dtype=W.dtype), np.zeros((K, K), W.dtype), W.copy()


def h1(W, x):
    """Evaluate the member softmax(W x) of H1.

    Args:
        W: Array (K, m).
        x: Array (..., m), one vector or a batch of vectors.

    Returns:
        The probabilities, a NumPy array (..., K).

    Raises:
        InputError: If a shape is invalid.

    Example:
        >>> h1([[2.0], [2.0]], [5.0]).tolist()
        [0.5, 0.5]

    Reference:
        The homework, Question 2.
    """
    W = _to_matrix("W", "(K, m)", W)
    return _softmax(_to_vectors(x, W) @ W.T)


def h2(A, B, C, x):
    """Evaluate the member softmax((A + B) C x) of H2, without computing (A + B) C.

    Args:
        A: Array (K, K).
        B: Array (K, K).
        C: Array (K, m).
        x: Array (..., m), as for `h1`.

    Returns:
        The probabilities, a NumPy array (..., K).

    Raises:
        InputError: If a shape is invalid.

    Example:
        >>> h2(*expand([[2.0], [2.0]]), [5.0]).tolist()
        [0.5, 0.5]

    Reference:
        The homework, Question 2.
    """
    A, B, C = _to_factors(A, B, C)
    return _softmax((_to_vectors(x, C) @ C.T) @ (A + B).T)


def induced_step(A, B, C, gradient, learning_rate):
    """Compute the change of W = (A + B) C in one step of gradient descent on A, B and C.

    With M = A + B, G = ∂L/∂W and the learning rate η, the chain rule gives
    ∂L/∂A = ∂L/∂B = G Cᵀ and ∂L/∂C = Mᵀ G. One step on all three factors changes W by

        ΔW = -η (M Mᵀ G + 2 G Cᵀ C) + 2 η² G Wᵀ G,

    while gradient descent in H1 changes it by -η G. So the spaces are equal, but the training paths
    differ from the first step on: in H2, the gradient is multiplied by the current factors.

    Args:
        A: Array (K, K).
        B: Array (K, K).
        C: Array (K, m).
        gradient: Array (K, m), ∂L/∂W at W = (A + B) C.
        learning_rate: Number, η.

    Returns:
        ΔW, a NumPy array (K, m).

    Raises:
        InputError: If a shape is invalid.

    Example:
        >>> induced_step([[1.0]], [[0.0]], [[2.0]], gradient=[[1.0]], learning_rate=0.5).tolist()
        [[-3.5]]

    Reference:
        The homework, Question 2.
    """
    A, B, C = _to_factors(A, B, C)
    G = _to_matrix("gradient", "(K, m)", gradient)
    if G.shape != C.shape:
        raise InputError(
            "`gradient` must have the shape (K, m) of C. "
            f"Received: gradient {G.shape} with C {C.shape}"
        )
    M = A + B
    direction = M @ (M.T @ G) + 2 * (G @ C.T) @ C
    return -learning_rate * direction + 2 * learning_rate**2 * (G @ (M @ C).T) @ G


def _to_matrix(name, shape, value):
    value = np.asarray(value)
    if value.ndim != 2:
        raise InputError(f"`{name}` must be a matrix {shape}. Received: shape {value.shape}")
    return value


def _to_factors(A, B, C):
    A, B, C = (
        _to_matrix("A", "(K, K)", A),
        _to_matrix("B", "(K, K)", B),
        _to_matrix("C", "(K, m)", C),
    )
    K = len(C)
    if A.shape != (K, K) or B.shape != (K, K):
        raise InputError(
            "The factors must have the shapes A (K, K), B (K, K) and C (K, m). "
            f"Received: A {A.shape}, B {B.shape}, C {C.shape}"
        )
    return A, B, C


def _to_vectors(x, W):
    x = np.asarray(x)
    if x.ndim == 0 or x.shape[-1] != W.shape[1]:
        raise InputError(
            f"`x` must have the shape (..., m) with m = {W.shape[1]}. Received: shape {x.shape}"
        )
    return x


def _softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)

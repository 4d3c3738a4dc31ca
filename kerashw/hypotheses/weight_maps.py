"""The two hypothesis spaces and the two maps between them, on NumPy alone."""

import numpy as np

from kerashw.errors import InputError


def collapse(A, B, C):
    """Multiply the three factors of H2 out: W = (A + B) C.

    Args:
        A: Array (K, K).
        B: Array (K, K).
        C: Array (K, m).

    Returns:
        W, a NumPy array (K, m), in the dtype that NumPy gives A, B and C together.

    Raises:
        InputError: If a shape is not as above.

    Example:
        >>> collapse([[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]], [[3.0], [4.0]]).tolist()
        [[10.0], [4.0]]

    Reference:
        The homework, Question 2, H2 ⊆ H1.
    """
    A, B, C = _factors(A, B, C)
    return (A + B) @ C


def expand(W):
    """Write a member of H1 as a member of H2: A = I, B = 0, C = W.

    Args:
        W: Array (K, m).

    Returns:
        NumPy arrays A (K, K), B (K, K) and C (K, m) in the dtype of W, with
        `collapse(A, B, C)` equal to W exactly, if W is finite.

    Raises:
        InputError: If W is not a matrix.

    Example:
        >>> A, B, C = expand([[3.0], [4.0]])
        >>> A.tolist(), B.tolist(), C.tolist()
        ([[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]], [[3.0], [4.0]])

    Reference:
        The homework, Question 2, H1 ⊆ H2.
    """
    W = _matrix("W", "(K, m)", W)
    K = len(W)
    return np.eye(K, dtype=W.dtype), np.zeros((K, K), W.dtype), W.copy()


def h1(W, x):
    """Evaluate the member softmax(W x) of H1.

    Args:
        W: Array (K, m).
        x: Array (..., m), one vector or any batch of them.

    Returns:
        The probabilities, a NumPy array (..., K).

    Raises:
        InputError: If a shape is not as above.

    Example:
        >>> h1([[2.0], [2.0]], [5.0]).tolist()
        [0.5, 0.5]

    Reference:
        The homework, Question 2.
    """
    W = _matrix("W", "(K, m)", W)
    return _softmax(_vectors(x, W) @ W.T)


def h2(A, B, C, x):
    """Evaluate the member softmax((A + B) C x) of H2, without forming (A + B) C.

    Args:
        A: Array (K, K).
        B: Array (K, K).
        C: Array (K, m).
        x: Array (..., m), one vector or any batch of them.

    Returns:
        The probabilities, a NumPy array (..., K).

    Raises:
        InputError: If a shape is not as above.

    Example:
        >>> h2(*expand([[2.0], [2.0]]), [5.0]).tolist()
        [0.5, 0.5]

    Reference:
        The homework, Question 2.
    """
    A, B, C = _factors(A, B, C)
    return _softmax((_vectors(x, C) @ C.T) @ (A + B).T)


def induced_step(A, B, C, gradient, learning_rate):
    """Give the change of W = (A + B) C by one step of gradient descent on A, B and C.

    With M = A + B, G = ∂L/∂W and the learning rate η, the chain rule gives
    ∂L/∂A = ∂L/∂B = G Cᵀ and ∂L/∂C = Mᵀ G. After one step of all three, W has changed by

        ΔW = -η (M Mᵀ G + 2 G Cᵀ C) + 2 η² G Wᵀ G,

    where gradient descent in H1 changes it by -η G. The spaces are equal; but the slope is
    multiplied by the present factors on either side, so the two walks part at the first step.

    Args:
        A: Array (K, K).
        B: Array (K, K).
        C: Array (K, m).
        gradient: ∂L/∂W at W = (A + B) C, an array (K, m).
        learning_rate: The η of the step, a number.

    Returns:
        ΔW, a NumPy array (K, m).

    Raises:
        InputError: If a shape is not as above.

    Example:
        >>> induced_step([[1.0]], [[0.0]], [[2.0]], gradient=[[1.0]], learning_rate=0.5).tolist()
        [[-3.5]]

    Reference:
        The homework, Question 2.
    """
    A, B, C = _factors(A, B, C)
    G = _matrix("gradient", "(K, m)", gradient)
    if G.shape != C.shape:
        raise InputError(
            "`gradient` must have the shape (K, m) of C. "
            f"Received: gradient {G.shape} with C {C.shape}"
        )
    M = A + B
    slope = M @ (M.T @ G) + 2 * (G @ C.T) @ C
    return -learning_rate * slope + 2 * learning_rate**2 * (G @ (M @ C).T) @ G


def _matrix(name, shape, value):
    value = np.asarray(value)
    if value.ndim != 2:
        raise InputError(f"`{name}` must be a matrix {shape}. Received: shape {value.shape}")
    return value


def _factors(A, B, C):
    A, B, C = _matrix("A", "(K, K)", A), _matrix("B", "(K, K)", B), _matrix("C", "(K, m)", C)
    K = len(C)
    if A.shape != (K, K) or B.shape != (K, K):
        raise InputError(
            "The factors must have the shapes A (K, K), B (K, K) and C (K, m). "
            f"Received: A {A.shape}, B {B.shape}, C {C.shape}"
        )
    return A, B, C


def _vectors(x, W):
    x = np.asarray(x)
    if x.ndim == 0 or x.shape[-1] != W.shape[1]:
        raise InputError(
            f"`x` must have the shape (..., m) with m = {W.shape[1]}. Received: shape {x.shape}"
        )
    return x


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)

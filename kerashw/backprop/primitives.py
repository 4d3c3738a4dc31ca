"""The primitives: operations, their derivatives as linear maps, and the duals of those maps.

An entry of `PRIMITIVES` has the form

    "name": Primitive(shapes, formula, function,
        Rule(label, derivative,          one rule for each argument,
             label, dual),               with the dual below the derivative

- shapes: one letter for each axis, `*` for an optional batch axis. `MK,*K->*M` means: a matrix
  (M, K) and a vector (K,) or batch (N, K) result in a vector (M,) or batch (N, M).
- formula: the formula for printing, with `{0}` and `{1}` for the names of the arguments.
- function: the operation on tensors.
- derivative: a function of the arguments, the result y, and a change δ of this argument. It returns
  the change of y, and is linear in δ.
- dual: a function of the arguments, the result y, and a signal r of y's shape. It returns a signal
  of the argument's shape, so that ⟨derivative(δ), r⟩ = ⟨δ, dual(r)⟩ for all δ and r.
- label: the text beside the arrow in diagrams.

The rule of an argument without a derivative (integer labels) is None. No other module depends on
the names of the primitives. A new primitive is a new entry, and the tests run on all entries.

Reference: the homework, Question 1, derivative and dual networks.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Rule(NamedTuple):
    """The derivative of an operation with respect to one argument, and its dual, with labels."""

    label: str
    derivative: Callable
    dual_label: str
    dual: Callable


class Primitive:
    """An operation, with one rule for each of its arguments.

    Args:
        shapes: String, the pattern of the shapes, such as `MK,*K->*M`.
        formula: String, a format of the arguments' names.
        function: Callable, tensors → tensor.
        *rules: `Rule` for each argument, or None for labels.
    """

    def __init__(self, shapes: str, formula: str, function: Callable, *rules: Rule | None):
        self.shapes = shapes
        self.formula = formula
        self.function = function
        self.rules = rules


def matvec(A, x):
    """Return A x for a vector (K,) or for each row of a batch (N, K)."""
    return tf.linalg.matvec(A, x) if x.shape.rank == 1 else tf.matmul(x, A, transpose_b=True)


def transposed_matvec(A, r):
    """Return Aᵀ r for a vector (M,) or for each row of a batch (N, M)."""
    return tf.linalg.matvec(A, r, transpose_a=True) if r.shape.rank == 1 else tf.matmul(r, A)


def outer(r, x):
    """Return r xᵀ, summed over the batch in a single matrix product."""
    if x.shape.rank == 1:
        r, x = r[tf.newaxis, :], x[tf.newaxis, :]
    return tf.matmul(r, x, transpose_a=True)


def sum_over_batch(r):
    """Return the sum over the batch axis, if there is one."""
    return r if r.shape.rank == 1 else tf.reduce_sum(r, axis=0)


def dot(a, b):
    """Return ⟨a, b⟩ over all axes."""
    return tf.reduce_sum(a * b)


def where_positive(x, δ):
    """Return δ where x is positive, and 0 elsewhere."""
    return tf.where(x > 0, δ, tf.zeros_like(δ))


def cross_entropy(z, c):
    """Return −log softmax(z)[c], summed over the batch."""
    return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=c, logits=z))


def cross_entropy_gradient(z, c):
    """Return p − e: softmax(z) minus the one-hot labels."""
    return tf.nn.softmax(z) - tf.one_hot(c, tf.shape(z)[-1], dtype=z.dtype)


# fmt: off
PRIMITIVES = {
    "product": Primitive("MK,*K->*M", "{0} {1}", matvec,
        Rule("· {1}",          lambda A, x, y, δ: matvec(δ, x),
             "· {1}ᵀ",         lambda A, x, y, r: outer(r, x)),
        Rule("{0} ·",          lambda A, x, y, δ: matvec(A, δ),
             "{0}ᵀ ·",         lambda A, x, y, r: transposed_matvec(A, r))),
    "bias_add": Primitive("*K,K->*K", "{0} + {1}", lambda x, b: x + b,
        Rule("",               lambda x, b, y, δ: δ,
             "",               lambda x, b, y, r: r),
        Rule("1 ·",            lambda x, b, y, δ: tf.broadcast_to(δ, tf.shape(y)),
             "1ᵀ ·",           lambda x, b, y, r: sum_over_batch(r))),
    "add": Primitive("*K,*K->*K", "{0} + {1}", lambda a, b: a + b,
        Rule("",               lambda a, b, y, δ: δ,
             "",               lambda a, b, y, r: r),
        Rule("",               lambda a, b, y, δ: δ,
             "",               lambda a, b, y, r: r)),
    "multiply": Primitive("*K,*K->*K", "{0} ⊙ {1}", lambda a, b: a * b,
        Rule("{1} ⊙",          lambda a, b, y, δ: b * δ,
             "{1} ⊙",          lambda a, b, y, r: b * r),
        Rule("{0} ⊙",          lambda a, b, y, δ: a * δ,
             "{0} ⊙",          lambda a, b, y, r: a * r)),
    "sigmoid": Primitive("*K->*K", "σ({0})", tf.sigmoid,
        Rule("σ′({0}) ⊙",      lambda x, y, δ: y * (1 - y) * δ,
             "σ′({0}) ⊙",      lambda x, y, r: y * (1 - y) * r)),
    "relu": Primitive("*K->*K", "ReLU({0})", tf.nn.relu,
        Rule("[{0} > 0] ⊙",    lambda x, y, δ: where_positive(x, δ),
             "[{0} > 0] ⊙",    lambda x, y, r: where_positive(x, r))),
    "sum": Primitive("*K->", "1ᵀ {0}", tf.reduce_sum,
        Rule("1ᵀ ·",           lambda x, y, δ: tf.reduce_sum(δ),
             "1 ·",            lambda x, y, r: r * tf.ones_like(x))),
    "squared_norm": Primitive("*K->", "‖{0}‖²", lambda x: dot(x, x),
        Rule("2{0}ᵀ ·",        lambda x, y, δ: 2 * dot(x, δ),
             "2{0} ·",         lambda x, y, r: 2 * r * x)),
    "softmax_cross_entropy": Primitive("*C,*->", "H(softmax({0}), {1})", cross_entropy,
        Rule("(p − e)ᵀ ·",     lambda z, c, y, δ: dot(cross_entropy_gradient(z, c), δ),
             "(p − e) ·",      lambda z, c, y, r: r * cross_entropy_gradient(z, c)),
        None),
}
# fmt: on


def shapes_match(pattern, shapes):
    """Return whether the shapes of the arguments match a primitive's pattern.

    Args:
        pattern: String, the `shapes` of a primitive, such as `MK,*K->*M`.
        shapes: List of `tf.TensorShape`s of known rank, one for each argument. An unknown size
            matches any letter.

    Returns:
        Boolean.

    Example:
        >>> shapes_match("MK,*K->*M", [tf.TensorShape([2, 3]), tf.TensorShape([7, 3])])
        True
        >>> shapes_match("MK,*K->*M", [tf.TensorShape([2, 3]), tf.TensorShape([2])])
        False
    """
    sizes = {}
    for axes, shape in zip(pattern.partition("->")[0].split(","), shapes, strict=True):
        letters = axes.removeprefix("*")
        batch = len(shape) - len(letters)
        if batch not in ((0, 1) if axes.startswith("*") else (0,)):
            return False
        if axes.startswith("*") and sizes.setdefault("batch axes", batch) != batch:
            return False
        for letter, size in zip("*" * batch + letters, shape, strict=True):
            if size is not None and sizes.setdefault(letter, size) != size:
                return False
    return True

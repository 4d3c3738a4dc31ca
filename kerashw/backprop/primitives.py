"""The primitives: one table of operations, their derivatives (linear maps), and those maps' duals.

A row of `PRIMITIVES` reads

    "name": Primitive(shapes, written, value,
        Rule(drawn, derivative,          one rule for each argument,
             drawn, dual),               the dual under its derivative

- shapes: one letter an axis, `*` a batch axis or none: `MK,*K->*M` says that a matrix (M, K) and a
  vector (K,), or a batch of vectors (N, K), give a vector (M,), or a batch (N, M).
- written: the formula, with `{0}` and `{1}` for the names of the arguments.
- value: the operation itself, on tensors.
- derivative: takes the arguments, the operation's value y, and a change δ of this one argument;
  gives the change of y. It is linear in δ.
- dual: takes the same, and a signal r of y's shape; gives a signal of the argument's shape, so that
  ⟨derivative(δ), r⟩ = ⟨δ, dual(r)⟩ for all δ and r. It is the transpose.
- drawn: what a picture writes on the arrow.

An argument that has no derivative (integer labels) has no rule: `None`. Nothing else knows the
primitives by name, so a new primitive is a new row; the tests find it there and try it.

Source: Question 1 of the homework (derivative and dual networks).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

__all__ = ["PRIMITIVES", "Primitive", "Rule", "shapes_fit"]


class Rule(NamedTuple):
    """The derivative of an operation in one of its arguments, and its dual, each as it is drawn."""

    drawn: str
    derivative: Callable
    dual_drawn: str
    dual: Callable


@dataclass(frozen=True, init=False)
class Primitive:
    """One row of the table: an operation with one rule for each of its arguments."""

    shapes: str
    written: str
    value: Callable
    rules: tuple[Rule | None, ...]

    def __init__(self, shapes, written, value, *rules):
        object.__setattr__(self, "shapes", shapes)
        object.__setattr__(self, "written", written)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "rules", rules)


def times(A, x):
    """A x of one vector (K,), or of each row of a batch (N, K)."""
    return tf.linalg.matvec(A, x) if x.shape.rank == 1 else tf.matmul(x, A, transpose_b=True)


def dual_times(A, r):
    """Aᵀ r of one vector (M,), or of each row of a batch (N, M)."""
    return tf.linalg.matvec(A, r, transpose_a=True) if r.shape.rank == 1 else tf.matmul(r, A)


def outer(r, x):
    """R xᵀ, summed over the batch: that sum is one matrix product."""
    if x.shape.rank == 1:
        r, x = r[tf.newaxis, :], x[tf.newaxis, :]
    return tf.matmul(r, x, transpose_a=True)


def over_batch(r):
    """The sum over the batch axis, if there is one."""
    return r if r.shape.rank == 1 else tf.reduce_sum(r, axis=0)


def dot(a, b):
    """⟨a, b⟩, over all axes."""
    return tf.reduce_sum(a * b)


def where_positive(x, δ):
    """The entries of δ where x is positive, 0 elsewhere."""
    return tf.where(x > 0, δ, tf.zeros_like(δ))


def cross_entropy(z, c):
    """−log softmax(z)[c], summed over the batch."""
    return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=c, logits=z))


def excess(z, c):
    """The slope of cross_entropy, p − e: softmax(z) less the one-hot labels."""
    return tf.nn.softmax(z) - tf.one_hot(c, tf.shape(z)[-1], dtype=z.dtype)


# fmt: off
PRIMITIVES = {
    "product": Primitive("MK,*K->*M", "{0} {1}", times,
        Rule("· {1}",          lambda A, x, y, δ: times(δ, x),
             "· {1}ᵀ",         lambda A, x, y, r: outer(r, x)),
        Rule("{0} ·",          lambda A, x, y, δ: times(A, δ),
             "{0}ᵀ ·",         lambda A, x, y, r: dual_times(A, r))),
    "bias_add": Primitive("*K,K->*K", "{0} + {1}", lambda x, b: x + b,
        Rule("",               lambda x, b, y, δ: δ,
             "",               lambda x, b, y, r: r),
        Rule("1 ·",            lambda x, b, y, δ: tf.broadcast_to(δ, tf.shape(y)),
             "1ᵀ ·",           lambda x, b, y, r: over_batch(r))),
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
        Rule("(p − e)ᵀ ·",     lambda z, c, y, δ: dot(excess(z, c), δ),
             "(p − e) ·",      lambda z, c, y, r: r * excess(z, c)),
        None),
}
# fmt: on


def shapes_fit(pattern, shapes):
    """Whether the shapes of the arguments fit a row's pattern; a size not known yet fits any.

    Args:
        pattern: the `shapes` of a row, such as `MK,*K->*M`.
        shapes: one `tf.TensorShape` for each argument, of known rank.

    Returns:
        bool.

    >>> shapes_fit("MK,*K->*M", [tf.TensorShape([2, 3]), tf.TensorShape([7, 3])])
    True
    >>> shapes_fit("MK,*K->*M", [tf.TensorShape([2, 3]), tf.TensorShape([2])])
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

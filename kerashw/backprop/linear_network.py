"""Linear networks: the derivative network of a graph, and its dual.

Nodes carry signals and arrows are linear maps. A signal meets others only in a sum node and is
handed to several arrows only by a fan-out node, so that the dual network can be had by rule alone:
turn every arrow round, transpose every map, exchange fan-out and sum.

Source: Question 1 of the homework; today the two are called JVP and VJP (or pullback).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import tensorflow as tf

from kerashw.errors import InputError

__all__ = ["Arrow", "LinearMap", "LinearNetwork", "LinearNode"]

_TURNED = {"value": "value", "sum": "fan-out", "fan-out": "sum"}


@dataclass(frozen=True)
class LinearMap:
    """A linear map as a function, with its transpose; `drawn` is what a picture calls it."""

    function: Callable
    drawn: str
    transpose: Callable
    transpose_drawn: str

    def __call__(self, δ):
        """The map's value at δ."""
        return self.function(δ)

    def dual(self):
        """The transpose, whose transpose is this map."""
        return LinearMap(self.transpose, self.transpose_drawn, self.function, self.drawn)


def _same(δ):
    return δ


IDENTITY = LinearMap(_same, "", _same, "")


@dataclass(frozen=True)
class LinearNode:
    """A place where a signal of the given shape is: of kind value, sum or fan-out.

    `of` is the node of the graph that it belongs to: itself, if it is a value.
    """

    name: str
    kind: str
    of: str
    shape: tf.TensorShape

    def dual(self):
        """The node in the dual network: fan-out and sum exchanged."""
        return replace(self, kind=_TURNED[self.kind])


@dataclass(frozen=True)
class Arrow:
    """A linear map from the signal of one node to that of another."""

    source: str
    target: str
    map: LinearMap

    def dual(self):
        """The arrow turned round, its map transposed."""
        return Arrow(self.target, self.source, self.map.dual())


@dataclass(frozen=True)
class LinearNetwork:
    """A linear map made of nodes and arrows; call it with a change to get the change it causes.

    `Graph.derivative` makes them. Nodes stand in an order in which each comes after those that it
    hears from; the first is the source, the last the target.

    Args:
        nodes: tuple of `LinearNode`.
        arrows: tuple of `Arrow`.
        dtype: the floating `tf.DType` of the signals.
        is_dual: whether this is the dual of a derivative network, and not one itself.

    >>> from kerashw.backprop import homework_network
    >>> net = homework_network()
    >>> values = net.forward(x=[1.0, 0.0], A=[[0.0, 1.0], [1.0, 0.0]], B=[[2.0, 0.0], [0.0, 2.0]])
    >>> derivative = net.derivative(values, wrt="B")
    >>> float(derivative([[1.0, 0.0], [0.0, 0.0]]))
    1.0
    >>> derivative.dual()(1.0).numpy().tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    >>> derivative.dual().dual() == derivative
    True

    Source: Question 1, the derivative networks ∂G[x, A] and ∂G[x, B] and their duals.
    """

    nodes: tuple[LinearNode, ...]
    arrows: tuple[Arrow, ...]
    dtype: tf.DType
    is_dual: bool = False

    @property
    def source(self) -> LinearNode:
        """The node that is fed."""
        return self.nodes[0]

    @property
    def target(self) -> LinearNode:
        """The node whose signal comes out."""
        return self.nodes[-1]

    def dual(self):
        """The dual network: arrows turned, maps transposed, fan-out and sum exchanged.

        Returns:
            LinearNetwork from the target's shape to the source's. The dual of a derivative network
            of a scalar, fed 1, gives the gradient; the dual of a dual is the first again.
        """
        return LinearNetwork(
            nodes=tuple(node.dual() for node in reversed(self.nodes)),
            arrows=tuple(arrow.dual() for arrow in reversed(self.arrows)),
            dtype=self.dtype,
            is_dual=not self.is_dual,
        )

    def __call__(self, delta):
        """The signal at the target when the source is fed.

        Args:
            delta: array or tensor of the source's shape.

        Returns:
            tf.Tensor of the target's shape, of the network's dtype.

        Raises:
            InputError: delta has another shape, or another dtype.
        """
        return self.signals(delta)[self.target.name]

    def signals(self, delta):
        """The signals at all nodes when the source is fed.

        In the dual of ∂G[x, A], fed 1, these are the homework's g_w, g_z, g_s, g_u and g_y.

        Args:
            delta: array or tensor of the source's shape.

        Returns:
            dict from the name of each node to a tf.Tensor.

        Raises:
            InputError: delta has another shape, or another dtype.
        """
        heard = {node.name: [] for node in self.nodes}
        for arrow in self.arrows:
            heard[arrow.target].append(arrow)
        signals = {self.source.name: self._checked(delta)}
        for node in self.nodes[1:]:
            coming = [arrow.map(signals[arrow.source]) for arrow in heard[node.name]]
            signals[node.name] = tf.add_n(coming) if node.kind == "sum" else coming[0]
        return signals

    def _checked(self, delta):
        try:
            delta = tf.convert_to_tensor(delta, dtype=self.dtype)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"A signal for {self.source.name} must be an array of {self.dtype.name}. "
                f"Received: {getattr(delta, 'dtype', type(delta).__name__)}"
            ) from error
        if not delta.shape.is_compatible_with(self.source.shape):
            raise InputError(
                f"A signal for {self.source.name} must have its shape {self.source.shape}. "
                f"Received: shape {delta.shape}"
            )
        return delta

    def __str__(self):
        """One line an arrow, in the order in which signals pass."""
        return "\n".join(
            f"{arrow.source} → {arrow.target}"
            + (f"   {arrow.map.drawn}" if arrow.map.drawn else "")
            for arrow in self.arrows
        )

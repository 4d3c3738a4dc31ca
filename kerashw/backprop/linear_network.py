"""Linear networks: the derivative network of a graph, and its dual.

Nodes hold signals, and arrows are linear maps. Several signals meet only in a sum node, and one
signal goes to several arrows only from a fan-out node. The dual network therefore follows from the
derivative network by three rules: reverse every arrow, transpose every map, and exchange fan-outs
and sums. The two are also known as the Jacobian-vector product (JVP) and the vector-Jacobian
product (VJP).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import tensorflow as tf

from kerashw.errors import InputError

DUAL_KINDS = {"value": "value", "sum": "fan-out", "fan-out": "sum"}


@dataclass(frozen=True)
class LinearMap:
    """A linear function and its transpose, each with a label for diagrams.

    Args:
        function: Callable, tensor → tensor.
        label: String.
        transpose: Callable, tensor → tensor.
        transpose_label: String.
    """

    function: Callable
    label: str
    transpose: Callable
    transpose_label: str

    def __call__(self, δ):
        """Apply the map to δ."""
        return self.function(δ)

    def dual(self):
        """Return the transposed map; its transpose is this map."""
        return LinearMap(self.transpose, self.transpose_label, self.function, self.label)


def _identity(δ):
    return δ


IDENTITY = LinearMap(_identity, "", _identity, "")


@dataclass(frozen=True)
class LinearNode:
    """A node that holds one signal.

    Args:
        name: String.
        kind: "value", "sum" or "fan-out".
        of: String, the node of the graph that this node belongs to; for a value, its own name.
        shape: `tf.TensorShape` of the signal.
    """

    name: str
    kind: str
    of: str
    shape: tf.TensorShape

    def dual(self):
        """Return the node of the dual network: fan-out and sum are exchanged."""
        return replace(self, kind=DUAL_KINDS[self.kind])


@dataclass(frozen=True)
class Arrow:
    """A linear map from the signal of the node `source` to that of the node `target`."""

    source: str
    target: str
    map: LinearMap

    def dual(self):
        """Return the reversed arrow with the transposed map."""
        return Arrow(self.target, self.source, self.map.dual())


@dataclass(frozen=True)
class LinearNetwork:
    """A linear map as a network of nodes and arrows; a call applies the map to a change.

    `Graph.derivative` creates these networks. The nodes are in topological order: the first is the
    source, the last is the target.

    Args:
        nodes: Tuple of `LinearNode`s.
        arrows: Tuple of `Arrow`s.
        dtype: Floating `tf.DType` of the signals.
        is_dual: Boolean, whether this is the dual of a derivative network.

    Example:
        >>> from kerashw.backprop import homework_network
        >>> net = homework_network()
        >>> A, B = [[0.0, 1.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 2.0]]
        >>> values = net.forward(x=[1.0, 0.0], A=A, B=B)
        >>> derivative = net.derivative(values, wrt="B")
        >>> float(derivative([[1.0, 0.0], [0.0, 0.0]]))
        1.0
        >>> derivative.dual()(1.0).numpy().tolist()
        [[1.0, 0.0], [0.0, 0.0]]
        >>> derivative.dual().dual() == derivative
        True

    Reference:
        The homework, Question 1, the derivative networks ∂G[x, A] and ∂G[x, B] and their duals.
    """

    nodes: tuple[LinearNode, ...]
    arrows: tuple[Arrow, ...]
    dtype: tf.DType
    is_dual: bool = False

    @property
    def source(self) -> LinearNode:
        """The node that holds the argument of a call."""
        return self.nodes[0]

    @property
    def target(self) -> LinearNode:
        """The node that holds the result of a call."""
        return self.nodes[-1]

    def dual(self):
        """Return the dual network: arrows reversed, maps transposed, fan-outs and sums exchanged.

        Returns:
            `LinearNetwork` from the target's shape to the source's. If the output is a scalar, the
            dual of the derivative network, applied to 1, is the gradient. The dual of the dual is
            equal to the original network.
        """
        return LinearNetwork(
            nodes=tuple(node.dual() for node in reversed(self.nodes)),
            arrows=tuple(arrow.dual() for arrow in reversed(self.arrows)),
            dtype=self.dtype,
            is_dual=not self.is_dual,
        )

    def __call__(self, delta):
        """Apply the network.

        Args:
            delta: Array or tensor of the source's shape.

        Returns:
            `tf.Tensor` of the target's shape, in the network's dtype.

        Raises:
            InputError: If `delta` has another shape or dtype.
        """
        return self.signals(delta)[self.target.name]

    def signals(self, delta):
        """Compute the signals at all nodes.

        For the dual of ∂G[x, A], applied to 1, these are the homework's g_w, g_z, g_s, g_u and g_y.

        Args:
            delta: Array or tensor of the source's shape.

        Returns:
            Dict, name of a node → `tf.Tensor`.

        Raises:
            InputError: If `delta` has another shape or dtype.
        """
        incoming = {node.name: [] for node in self.nodes}
        for arrow in self.arrows:
            incoming[arrow.target].append(arrow)
        signals = {self.source.name: self._convert(delta)}
        for node in self.nodes[1:]:
            terms = [arrow.map(signals[arrow.source]) for arrow in incoming[node.name]]
            signals[node.name] = tf.add_n(terms) if node.kind == "sum" else terms[0]
        return signals

    def _convert(self, delta):
        try:
            delta = tf.convert_to_tensor(delta, dtype=self.dtype)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"A signal for {self.source.name} must be an array of {self.dtype.name}. "
                f"Received: {getattr(delta, 'dtype', type(delta).__name__)}"
            ) from error
        if not delta.shape.is_compatible_with(self.source.shape):
            raise InputError(
                f"A signal for {self.source.name} must have the shape {self.source.shape}. "
                f"Received: shape {delta.shape}"
            )
        return delta

    def __str__(self):
        """Return one line for each arrow, in the order of computation."""
        return "\n".join(
            f"{arrow.source} → {arrow.target}"
            + (f"   {arrow.map.label}" if arrow.map.label else "")
            for arrow in self.arrows
        )

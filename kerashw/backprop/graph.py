"""Graphs: networks of named nodes over the primitives.

Source: Question 1 of the homework, the network G.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from kerashw.backprop.derivative_network import derivative_network
from kerashw.backprop.linear_network import LinearNetwork
from kerashw.backprop.primitives import PRIMITIVES, shapes_fit
from kerashw.errors import InputError

__all__ = ["Graph", "Node"]


class Node(NamedTuple):
    """A named value: a primitive's operation on the values of other nodes.

    >>> str(Node("y", "product", ("A", "x")))
    'y = A x'
    """

    name: str
    operation: str
    arguments: tuple[str, ...]

    @property
    def rules(self):
        """The primitive's rules, one for each argument."""
        return PRIMITIVES[self.operation].rules

    def __str__(self):
        return f"{self.name} = {PRIMITIVES[self.operation].written.format(*self.arguments)}"


class Graph:
    """A network of named nodes over the primitives; its last node is its output.

    Args:
        inputs: names of the inputs, data and parameters alike.
        nodes: the `Node`s, each after those that it needs.
        closed_form: if the gradients are known as formulas, a function from all values (the dict
            that `forward` gives) to a dict from names of inputs to gradients, for
            `check_gradients`.

    Raises:
        InputError: a name is used twice or is not an identifier, an operation is not in the table,
            or a node needs something that does not stand before it.

    >>> graph = Graph(["A", "x"], [Node("y", "product", ("A", "x")), Node("L", "sum", ("y",))])
    >>> print(graph)
    y = A x
    L = 1ᵀ y
    >>> values = graph.forward(A=[[1.0, 2.0], [3.0, 4.0]], x=[1.0, 1.0])
    >>> float(values["L"])
    10.0
    >>> graph.derivative(values, wrt="x").dual()(1.0).numpy().tolist()
    [4.0, 6.0]

    Source: Question 1, the network G.
    """

    def __init__(self, inputs, nodes, closed_form: Callable | None = None):
        self.inputs = tuple(inputs)
        self.nodes = tuple(Node(name, operation, tuple(args)) for name, operation, args in nodes)
        self.closed_form = closed_form
        self.names = (*self.inputs, *(node.name for node in self.nodes))
        self._check()
        self.output = self.names[-1]
        self.labels = frozenset(
            argument
            for node in self.nodes
            for argument, rule in zip(node.arguments, node.rules, strict=True)
            if rule is None
        )

    def forward(self, **inputs) -> dict[str, tf.Tensor]:
        """The values of all nodes.

        Args:
            **inputs: an array or tensor for each input, of the shapes that the primitives ask for:
                a single x (K,) or a batch (N, K). All are of one floating dtype, but for labels,
                which are integers.

        Returns:
            dict from the names of the inputs and of the nodes to tf.Tensors, in order.

        Raises:
            InputError: an input is missing or unknown, or of a wrong dtype or shape.
        """
        if set(inputs) != set(self.inputs):
            raise InputError(
                f"The inputs must be {', '.join(self.inputs)}. "
                f"Received: {', '.join(inputs) or 'none'}"
            )
        values = {name: self._tensor(name, inputs[name]) for name in self.inputs}
        dtypes = {name: v.dtype.name for name, v in values.items() if name not in self.labels}
        if len(set(dtypes.values())) > 1:
            raise InputError(f"The inputs must be of one floating dtype. Received: {dtypes}")
        for node in self.nodes:
            values[node.name] = _value(node, [values[argument] for argument in node.arguments])
        return values

    def derivative(self, values, wrt, of=None) -> LinearNetwork:
        """The derivative network: a change of one node in, the change of another out.

        Args:
            values: what `forward` gave; the derivatives are taken there.
            wrt: name of the node that changes: an input, or any other (then what stands before it
                is held fixed).
            of: name of the node whose change is asked for, by default the output.

        Returns:
            LinearNetwork from the shape of `wrt` to the shape of `of`. Where `of` does not depend
            on `wrt` it is one arrow, the map 0.

        Raises:
            InputError: there is no such node, it has no derivative (labels), or values are missing.

        Source: Question 1, the derivative networks ∂G[x, A] and ∂G[x, B].
        """
        of = self.output if of is None else of
        if missing := [name for name in self.names if name not in values]:
            raise InputError(
                "values must be the dict that forward gave. "
                f"Received: one without {', '.join(missing)}"
            )
        for question, name in (("wrt", wrt), ("of", of)):
            if name not in self.names or name in self.labels:
                choice = ", ".join(name for name in self.names if name not in self.labels)
                raise InputError(f"{question} must be one of {choice}. Received: {name!r}")
        return derivative_network(self.nodes, values, wrt, of)

    def __str__(self):
        """The formulas, one line a node."""
        return "\n".join(map(str, self.nodes))

    def _tensor(self, name, value):
        try:
            tensor = tf.convert_to_tensor(value)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{name} must be an array of numbers. Received: {type(value).__name__}"
            ) from error
        kind, fits = "a floating", tensor.dtype.is_floating
        if name in self.labels:
            kind, fits = "an integer", tensor.dtype.is_integer
        if not fits:
            raise InputError(f"{name} must be of {kind} dtype. Received: {tensor.dtype.name}")
        if tensor.shape.rank is None:
            raise InputError(f"{name} must have a known number of axes. Received: {tensor.shape}")
        return tensor

    def _check(self):
        if not self.nodes:
            raise InputError("A graph must have one node or more. Received: none")
        for name in self.names:
            if not str(name).isidentifier() or self.names.count(name) > 1:
                raise InputError(f"Names must be identifiers, each used once. Received: {name!r}")
        for place, node in enumerate(self.nodes, start=len(self.inputs)):
            if node.operation not in PRIMITIVES:
                raise InputError(
                    f"The operation of {node.name} must be one of {', '.join(PRIMITIVES)}. "
                    f"Received: {node.operation!r}"
                )
            before, count = self.names[:place], len(node.rules)
            if len(node.arguments) != count or not set(node.arguments) <= set(before):
                raise InputError(
                    f"The arguments of {node.name} must be {count} of {', '.join(before)}. "
                    f"Received: {', '.join(map(str, node.arguments)) or 'none'}"
                )


def _value(node, arguments):
    primitive = PRIMITIVES[node.operation]
    shapes = [argument.shape for argument in arguments]
    if not shapes_fit(primitive.shapes, shapes):
        received = ", ".join(f"{a} {s}" for a, s in zip(node.arguments, shapes, strict=True))
        raise InputError(
            f"The shapes in {node} must fit {primitive.shapes} (a letter an axis, * a batch axis "
            f"or none). Received: {received}"
        )
    try:
        return primitive.value(*arguments)
    except tf.errors.InvalidArgumentError as error:
        raise InputError(f"{node} must be computable. Received: {error.message}") from error

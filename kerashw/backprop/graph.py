"""A graph: a network of named nodes over the primitives."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from kerashw.backprop.derivative_network import derivative_network
from kerashw.backprop.linear_network import LinearNetwork
from kerashw.backprop.primitives import PRIMITIVES, shapes_match
from kerashw.errors import InputError


class Node(NamedTuple):
    """A named value: the result of a primitive, applied to the values of other nodes.

    Args:
        name: String.
        operation: String, the name of the primitive in `PRIMITIVES`.
        arguments: Tuple of strings, the names of inputs and earlier nodes.

    Example:
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
        return f"{self.name} = {PRIMITIVES[self.operation].formula.format(*self.arguments)}"


class Graph:
    """A network of named nodes over the primitives; its last node is its output.

    Args:
        inputs: Sequence of strings, the names of the inputs: data and parameters.
        nodes: Sequence of `Node`s in topological order.
        closed_form: Callable for `check_gradients`, if the gradients have known formulas: from all
            values (the dict that `forward` returns) to a dict, name of an input → gradient.

    Raises:
        InputError: If a name is used twice or is not an identifier, an operation is not in
            `PRIMITIVES`, or an argument is neither an input nor an earlier node.

    Example:
        >>> graph = Graph(["A", "x"], [Node("y", "product", ("A", "x")), Node("L", "sum", ("y",))])
        >>> print(graph)
        y = A x
        L = 1ᵀ y
        >>> values = graph.forward(A=[[1.0, 2.0], [3.0, 4.0]], x=[1.0, 1.0])
        >>> float(values["L"])
        10.0
        >>> graph.derivative(values, wrt="x").dual()(1.0).numpy().tolist()
        [4.0, 6.0]

    Reference:
        The homework, Question 1, the network G.
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
        """Compute the values of all nodes.

        Args:
            **inputs: Array or tensor for each input, of the shape that the primitives require: a
                single x is (K,), a batch is (N, K). Labels are integers; all other inputs have one
                common floating dtype.

        Returns:
            Dict, name of an input or node → `tf.Tensor`, in topological order.

        Raises:
            InputError: If an input is missing, unknown, or of a wrong dtype or shape.
        """
        if set(inputs) != set(self.inputs):
            raise InputError(
                f"The inputs must be {', '.join(self.inputs)}. "
                f"Received: {', '.join(inputs) or 'none'}"
            )
        values = {name: self._convert(name, inputs[name]) for name in self.inputs}
        dtypes = {name: v.dtype.name for name, v in values.items() if name not in self.labels}
        if len(set(dtypes.values())) > 1:
            raise InputError(f"The inputs must be of one floating dtype. Received: {dtypes}")
        for node in self.nodes:
            values[node.name] = _compute(node, [values[argument] for argument in node.arguments])
        return values

    def derivative(self, values, wrt, of=None) -> LinearNetwork:
        """Build the derivative network, which maps a change of one node to that of another.

        Args:
            values: Dict that `forward` returned, the point of differentiation.
            wrt: String, the name of the node that changes: an input, or any other node. All nodes
                that do not depend on it are constant.
            of: String, the name of the node whose change is computed; by default, the output.

        Returns:
            `LinearNetwork` from the shape of `wrt` to the shape of `of`. If `of` does not depend on
            `wrt`, it is a single arrow, the zero map.

        Raises:
            InputError: If a node does not exist or has no derivative (labels), or if values are
                missing.

        Reference:
            The homework, Question 1, the derivative networks ∂G[x, A] and ∂G[x, B].
        """
        of = self.output if of is None else of
        if missing := [name for name in self.names if name not in values]:
            raise InputError(
                "values must be the dict that forward returned. "
                f"Received: one without {', '.join(missing)}"
            )
        for argument, name in (("wrt", wrt), ("of", of)):
            if name not in self.names or name in self.labels:
                choices = ", ".join(name for name in self.names if name not in self.labels)
                raise InputError(f"{argument} must be one of {choices}. Received: {name!r}")
        return derivative_network(self.nodes, values, wrt, of)

    def __str__(self):
        """Return the formulas, one line for each node."""
        return "\n".join(map(str, self.nodes))

    def _convert(self, name, value):
        try:
            tensor = tf.convert_to_tensor(value)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{name} must be an array of numbers. Received: {type(value).__name__}"
            ) from error
        kind, valid = "a floating", tensor.dtype.is_floating
        if name in self.labels:
            kind, valid = "an integer", tensor.dtype.is_integer
        if not valid:
            raise InputError(f"{name} must be of {kind} dtype. Received: {tensor.dtype.name}")
        if tensor.shape.rank is None:
            raise InputError(f"{name} must have a known number of axes. Received: {tensor.shape}")
        return tensor

    def _check(self):
        if not self.nodes:
            raise InputError("A graph must have at least one node. Received: none")
        for name in self.names:
            if not str(name).isidentifier() or self.names.count(name) > 1:
                raise InputError(f"Names must be unique identifiers. Received: {name!r}")
        for position, node in enumerate(self.nodes, start=len(self.inputs)):
            if node.operation not in PRIMITIVES:
                raise InputError(
                    f"The operation of {node.name} must be one of {', '.join(PRIMITIVES)}. "
                    f"Received: {node.operation!r}"
                )
            earlier, count = self.names[:position], len(node.rules)
            if len(node.arguments) != count or not set(node.arguments) <= set(earlier):
                raise InputError(
                    f"The arguments of {node.name} must be {count} of {', '.join(earlier)}. "
                    f"Received: {', '.join(map(str, node.arguments)) or 'none'}"
                )


def _compute(node, arguments):
    primitive = PRIMITIVES[node.operation]
    shapes = [argument.shape for argument in arguments]
    if not shapes_match(primitive.shapes, shapes):
        received = ", ".join(f"{a} {s}" for a, s in zip(node.arguments, shapes, strict=True))
        raise InputError(
            f"The shapes in {node} must match {primitive.shapes} (one letter for each axis, * for "
            f"an optional batch axis). Received: {received}"
        )
    try:
        return primitive.function(*arguments)
    except tf.errors.InvalidArgumentError as error:
        raise InputError(f"{node} must be computable. Received: {error.message}") from error

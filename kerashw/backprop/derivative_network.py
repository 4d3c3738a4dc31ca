"""The construction of the derivative network between two nodes of a graph."""

from functools import partial

import tensorflow as tf

from kerashw.backprop.linear_network import IDENTITY, Arrow, LinearMap, LinearNetwork, LinearNode


def derivative_network(nodes, values, wrt, of):
    """Build the derivative network from `wrt` to `of`, with explicit sums and fan-outs.

    The network contains every node on a path from `wrt` to `of`. Each argument on such a path is
    one arrow: the derivative of the node with respect to that argument. Without a path, the network
    is a single arrow, the zero map.

    Args:
        nodes: The nodes of the graph in topological order, each with `name`, `arguments` and
            `rules`.
        values: Dict, name of an input or node → `tf.Tensor`, the point of differentiation.
        wrt: String, the name of the node that changes.
        of: String, the name of the node whose change is computed.

    Returns:
        `LinearNetwork` from the shape of `wrt` to the shape of `of`.

    Reference:
        The homework, Question 1, the construction of ∂G[x, A] and ∂G[x, B].
    """
    kept = _on_paths(nodes, wrt, of)
    arrows = [
        Arrow(argument, node.name, _linear_map(node, rule, values))
        for node in nodes
        for argument, rule in zip(node.arguments, node.rules, strict=True)
        if rule is not None and argument in kept and node.name in kept
    ]
    order = [wrt, *(node.name for node in nodes if node.name in kept and node.name != wrt)]
    if not kept:
        order, arrows = [wrt, of], [Arrow(wrt, of, _zero_map(values[wrt], values[of]))]
    return _with_sums_and_fan_outs(order, arrows, values)


def _on_paths(nodes, wrt, of):
    """Return the names on the paths from `wrt` to `of`; the set is empty without a path."""
    after, before = {wrt}, {of}
    for node in nodes:
        if any(rule and a in after for a, rule in zip(node.arguments, node.rules, strict=True)):
            after.add(node.name)
    for node in reversed(nodes):
        if node.name in before:
            before.update(a for a, rule in zip(node.arguments, node.rules, strict=True) if rule)
    return after & before


def _linear_map(node, rule, values):
    """Return the derivative of a node with respect to one argument at the given values."""
    at = [*(values[argument] for argument in node.arguments), values[node.name]]
    return LinearMap(
        function=partial(rule.derivative, *at),
        label=rule.label.format(*node.arguments),
        transpose=partial(rule.dual, *at),
        transpose_label=rule.dual_label.format(*node.arguments),
    )


def _zero_map(source, target):
    return LinearMap(lambda δ: tf.zeros_like(target), "0", lambda r: tf.zeros_like(source), "0")


def _with_sums_and_fan_outs(order, arrows, values):
    """Insert a sum where several arrows end at a node, and a fan-out where several start."""
    sums = {name for name in order if sum(arrow.target == name for arrow in arrows) > 1}
    fan_outs = {name for name in order if sum(arrow.source == name for arrow in arrows) > 1}
    nodes, connected = [], []
    for name in order:
        for arrow in (arrow for arrow in arrows if arrow.target == name):
            source = f"{arrow.source}.out" if arrow.source in fan_outs else arrow.source
            connected.append(Arrow(source, f"{name}.in" if name in sums else name, arrow.map))
        shape = values[name].shape
        if name in sums:
            nodes.append(LinearNode(f"{name}.in", "sum", name, shape))
            connected.append(Arrow(f"{name}.in", name, IDENTITY))
        nodes.append(LinearNode(name, "value", name, shape))
        if name in fan_outs:
            nodes.append(LinearNode(f"{name}.out", "fan-out", name, shape))
            connected.append(Arrow(name, f"{name}.out", IDENTITY))
    return LinearNetwork(tuple(nodes), tuple(connected), dtype=values[order[0]].dtype)

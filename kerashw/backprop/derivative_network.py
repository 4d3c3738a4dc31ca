"""From a graph and its values to the derivative network between two of its nodes.

Source: Question 1 of the homework, the construction of ∂G[x, A] and ∂G[x, B].
"""

from functools import partial

import tensorflow as tf

from kerashw.backprop.linear_network import IDENTITY, Arrow, LinearMap, LinearNetwork, LinearNode

__all__ = ["derivative_network"]


def derivative_network(nodes, values, wrt, of):
    """The derivative network from node wrt to node of, with explicit sums and fan-outs.

    Every node on a way from wrt to of is kept, and every argument on such a way gives one arrow:
    the derivative of the node in that argument. If there is no way, one arrow is left: the map 0.

    Args:
        nodes: the nodes of the graph, in order, each with `name`, `arguments` and `rules`.
        values: dict from all names to tf.Tensors, where the derivatives are taken.
        wrt: name of the node that changes.
        of: name of the node whose change is asked for.

    Returns:
        LinearNetwork from the shape of wrt to the shape of of.
    """
    kept = _between(nodes, wrt, of)
    arrows = [
        Arrow(argument, node.name, _linear_map(node, rule, values))
        for node in nodes
        for argument, rule in zip(node.arguments, node.rules, strict=True)
        if rule is not None and argument in kept and node.name in kept
    ]
    order = [wrt, *(node.name for node in nodes if node.name in kept and node.name != wrt)]
    if not kept:
        order, arrows = [wrt, of], [Arrow(wrt, of, _zero(values[wrt], values[of]))]
    return _with_sums_and_fan_outs(order, arrows, values)


def _between(nodes, wrt, of):
    """The names on the ways from wrt to of; none if there is no way."""
    after, before = {wrt}, {of}
    for node in nodes:
        if any(rule and a in after for a, rule in zip(node.arguments, node.rules, strict=True)):
            after.add(node.name)
    for node in reversed(nodes):
        if node.name in before:
            before.update(a for a, rule in zip(node.arguments, node.rules, strict=True) if rule)
    return after & before


def _linear_map(node, rule, values):
    """The derivative of a node in one argument, at the given values, with its dual."""
    at = [*(values[argument] for argument in node.arguments), values[node.name]]
    return LinearMap(
        function=partial(rule.derivative, *at),
        drawn=rule.drawn.format(*node.arguments),
        transpose=partial(rule.dual, *at),
        transpose_drawn=rule.dual_drawn.format(*node.arguments),
    )


def _zero(source, target):
    return LinearMap(lambda δ: tf.zeros_like(target), "0", lambda r: tf.zeros_like(source), "0")


def _with_sums_and_fan_outs(order, arrows, values):
    """Put a sum where a node hears several arrows, and a fan-out where it feeds several."""
    sums = {name for name in order if sum(arrow.target == name for arrow in arrows) > 1}
    fans = {name for name in order if sum(arrow.source == name for arrow in arrows) > 1}
    nodes, wired = [], []
    for name in order:
        for arrow in (arrow for arrow in arrows if arrow.target == name):
            source = f"{arrow.source}.out" if arrow.source in fans else arrow.source
            wired.append(Arrow(source, f"{name}.in" if name in sums else name, arrow.map))
        shape = values[name].shape
        if name in sums:
            nodes.append(LinearNode(f"{name}.in", "sum", name, shape))
            wired.append(Arrow(f"{name}.in", name, IDENTITY))
        nodes.append(LinearNode(name, "value", name, shape))
        if name in fans:
            nodes.append(LinearNode(f"{name}.out", "fan-out", name, shape))
            wired.append(Arrow(name, f"{name}.out", IDENTITY))
    return LinearNetwork(tuple(nodes), tuple(wired), dtype=values[order[0]].dtype)

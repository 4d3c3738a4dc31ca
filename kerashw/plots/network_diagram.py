"""Diagrams of a graph, its derivative network and its dual, drawn from the networks themselves.

The nodes have the same positions in all three. Between the derivative network and its dual, only
the directions of the arrows differ, and sums and fan-outs are exchanged.
"""

import matplotlib
from matplotlib.figure import Figure

from kerashw.errors import InputError
from kerashw.plots.network_figure import FONT_SIZE, NetworkDiagram, draw_side_by_side
from kerashw.plots.network_layout import Edge, layout
from kerashw.plots.style import STYLE

LEGEND = (
    "●  fan-out: one signal to several arrows     ⊕  sum of several signals     "
    "beside an arrow: its linear map"
)


@matplotlib.rc_context(STYLE)
def network_diagram(graph, highlight=None) -> Figure:
    """Draw a graph, with blue inputs and a green output.

    Args:
        graph: `kerashw.backprop.Graph`.
        highlight: String, the name of an input whose arrows are orange and numbered.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        InputError: If `highlight` is not an input that the output depends on.

    Example:
        >>> from kerashw.backprop import homework_network
        >>> figure = network_diagram(homework_network(), highlight="A")
        >>> "y = A x" in [text.get_text() for text in figure.axes[0].texts]
        True

    Reference:
        The homework, Question 1, the diagram of G.
    """
    if highlight is not None:
        _check_input(graph, "highlight", highlight)
    return draw_side_by_side([_graph_diagram(graph, highlight)])


@matplotlib.rc_context(STYLE)
def backpropagation_diagram(graph, values, wrt) -> Figure:
    """Draw a graph, its derivative network with respect to an input, and the dual, side by side.

    Args:
        graph: `kerashw.backprop.Graph` with a scalar output.
        values: Dict that `graph.forward` returned.
        wrt: String, the name of the input; its arrows are orange in all three diagrams.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        InputError: If `wrt` is not an input that the output depends on, or the output is not a
            scalar.

    Example:
        >>> from kerashw.backprop import homework_inputs, homework_network
        >>> net = homework_network()
        >>> figure = backpropagation_diagram(net, net.forward(**homework_inputs(K=2)), wrt="A")
        >>> len(figure.axes)
        3

    Reference:
        The homework, Question 1, the diagrams of G, ∂G[x, A] and its dual.
    """
    derivative = graph.derivative(values, wrt)
    _check_input(graph, "wrt", wrt)
    if derivative.target.shape.rank != 0:
        shape = derivative.target.shape
        raise InputError(f"The output of the graph must be a scalar. Received: shape {shape}")
    networks = [_linear_diagram(graph, net, wrt) for net in (derivative, derivative.dual())]
    figure = draw_side_by_side([_graph_diagram(graph, wrt), *networks])
    figure.text(0.5, 0.14 / figure.get_figheight(), LEGEND, ha="center", size=FONT_SIZE - 2)
    return figure


def _check_input(graph, argument, name):
    inputs = [used for used in layout(graph) if used in graph.inputs]
    if name not in inputs:
        choices = ", ".join(inputs)
        raise InputError(f"{argument} must be an input: {choices}. Received: {name!r}")


def _graph_diagram(graph, highlight):
    diagram = NetworkDiagram(("G", "the network:\nvalues pass down"), graph, highlight)
    formulas = {node.name: str(node) for node in graph.nodes}
    for name in diagram.positions:
        diagram.add_box(name, formulas.get(name, name))
    entries = 0
    for node in (node for node in graph.nodes if node.name in diagram.positions):
        for argument in node.arguments:
            entries += argument == highlight
            label = f"entry {entries}" if argument == highlight else ""
            diagram.edges.append(Edge(argument, node.name, argument, node.name, label))
    return diagram


def _linear_diagram(graph, net, wrt):
    """Return the diagram of a derivative network or of its dual."""
    output, first = graph.output, graph.inputs[0]
    name = f"∂G[{wrt}]" if wrt == first else f"∂G[{first}, {wrt}]"
    title = (name, f"its derivative: a change of {wrt} in,\nthe change of {output} out")
    texts = {node.of: f"Δ{node.of}" for node in net.nodes}
    if net.is_dual:
        title = (f"({name})ᵀ", f"its dual: 1 in,\nthe gradient ∂{output}/∂{wrt} out")
        texts = {of: "$g_{" + of.replace("_", r"\_") + "}$" for of in texts}
        texts |= {output: "1", wrt: f"∂{output}/∂{wrt}"}
    diagram = NetworkDiagram(title, graph, wrt, upwards=net.is_dual)
    for node in net.nodes:
        if node.kind == "value":
            diagram.add_box(node.name, texts[node.name])
        else:
            diagram.add_junction(node.name, node.of, node.kind)
    of = {node.name: node.of for node in net.nodes}
    for arrow in net.arrows:
        start, end = (arrow.target, arrow.source) if net.is_dual else (arrow.source, arrow.target)
        diagram.edges.append(Edge(of[start], of[end], start, end, arrow.map.label))
    return diagram

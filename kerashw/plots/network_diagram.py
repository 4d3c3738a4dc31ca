"""Pictures of networks, drawn from the graphs themselves.

A network and its derivative network stand in the same places, and so does the dual: what differs is
which way the arrows point, and that sums and fan-outs are exchanged. Lengths are in inches.
"""

from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from kerashw.errors import InputError
from kerashw.plots.network_layout import Edge, Shape, layout, routes
from kerashw.plots.style import BLUE, FILLS, GREEN, INK, ORANGE

__all__ = ["backpropagation_diagram", "network_diagram"]

_SIZE = 16
_ROW, _COLUMN, _HALF, _HEAD, _FOOT, _GAP = 1.28, 1.9, 0.22, 1.3, 0.8, 0.35
_RADIUS = {"fan-out": 0.08, "sum": 0.13}


def network_diagram(graph, highlight=None) -> Figure:
    """Draw a graph: inputs blue, the output green.

    Args:
        graph: a `Graph`.
        highlight: name of an input whose arrows are to stand out, each numbered as an entry.

    Returns:
        matplotlib.figure.Figure.

    Raises:
        InputError: the output does not need what is to stand out.

    >>> from kerashw.backprop import homework_network
    >>> figure = network_diagram(homework_network(), highlight="A")
    >>> "y = A x" in [text.get_text() for text in figure.axes[0].texts]
    True

    Source: Question 1, the picture of G.
    """
    if highlight is not None:
        _check_needed(graph, "highlight", highlight)
    return _figure([_graph_panel(graph, highlight)])


def backpropagation_diagram(graph, values, wrt) -> Figure:
    """Draw a graph, its derivative network by one input and the dual of that, side by side.

    Args:
        graph: a `Graph` whose output is a scalar.
        values: what `graph.forward` gave.
        wrt: name of the input; its arrows stand out in all three.

    Returns:
        matplotlib.figure.Figure.

    Raises:
        InputError: there is no such input, the output does not need it, or is not a scalar.

    >>> from kerashw.backprop import homework_inputs, homework_network
    >>> net = homework_network()
    >>> figure = backpropagation_diagram(net, net.forward(**homework_inputs(K=2)), wrt="A")
    >>> len(figure.axes)
    3

    Source: Question 1, the pictures of G, ∂G[x, A] and its dual.
    """
    derivative = graph.derivative(values, wrt)
    _check_needed(graph, "wrt", wrt)
    if derivative.target.shape.rank != 0:
        shape = derivative.target.shape
        raise InputError(f"The output of the graph must be a scalar. Received: shape {shape}")
    networks = [_linear_panel(graph, net, wrt) for net in (derivative, derivative.dual())]
    figure = _figure([_graph_panel(graph, wrt), *networks])
    note = "     ".join(
        (
            "●  fan-out: one signal to several arrows",
            "⊕  sum of several signals",
            "beside an arrow: its linear map",
        )
    )
    figure.text(0.5, 0.14 / figure.get_figheight(), note, ha="center", size=_SIZE - 2, color=INK)
    return figure


def _check_needed(graph, argument, name):
    needed = [needed for needed in layout(graph) if needed in graph.inputs]
    if name not in needed:
        choice = ", ".join(needed)
        raise InputError(f"{argument} must be an input: {choice}. Received: {name!r}")


class _Panel:
    """One network before it is drawn: a title, shapes by name, and the edges between them."""

    def __init__(self, title, graph, highlight, upwards=False):
        self.title, self.highlight, self.upwards = title, highlight, upwards
        self.places = layout(graph)
        widest = max(_text_width(str(node)) for node in graph.nodes)
        self.column = max(_COLUMN, widest / 2 + 1.1)
        self.shapes, self.texts, self.kinds, self.edges = {}, {}, {}, []

    def box(self, name, text):
        x, y = self._centre(name)
        self.shapes[name] = Shape(x, y, max(0.44, _text_width(text) / 2 + 0.14), _HALF)
        self.texts[name] = text

    def junction(self, name, of, kind):
        x, y = self._centre(of)
        y += _HALF + 0.34 if name.endswith(".in") else -_HALF - 0.34
        self.shapes[name] = Shape(x, y, _RADIUS[kind], _RADIUS[kind])
        self.kinds[name] = kind

    def _centre(self, name):
        place = self.places[name]
        return place.column * self.column, -place.row * _ROW

    def routes(self):
        return routes(self.edges, self.places, self.shapes, self.column / 2)

    def extent(self):
        """The left and the right end, with room for the title and for the texts beside arrows."""
        left = min(shape.x - shape.width for shape in self.shapes.values())
        right = max(shape.x + shape.width for shape in self.shapes.values())
        for edge, route in zip(self.edges, self.routes(), strict=True):
            if route.align[0] == "left":
                right = max(right, route.text_at[0] + _text_width(edge.text))
        title = max(map(_text_width, self.title[1].split("\n")))
        lack = max(0, title - (right - left)) / 2
        return left - lack - 0.05, right + lack + 0.05


def _graph_panel(graph, highlight):
    panel = _Panel(("G", "the network:\nvalues pass down"), graph, highlight)
    texts = dict.fromkeys(graph.inputs, "") | {node.name: str(node) for node in graph.nodes}
    for name in panel.places:
        panel.box(name, texts[name] or name)
    entries = 0
    for node in (node for node in graph.nodes if node.name in panel.places):
        for argument in node.arguments:
            entries += argument == highlight
            text = f"entry {entries}" if argument == highlight else ""
            panel.edges.append(Edge(argument, node.name, argument, node.name, text))
    return panel


def _linear_panel(graph, net, wrt):
    output, first = graph.output, graph.inputs[0]
    name = f"∂G[{wrt}]" if wrt == first else f"∂G[{first}, {wrt}]"
    title = (name, f"its derivative: a change of {wrt} in,\nthe change of {output} out")
    texts = {node.of: f"Δ{node.of}" for node in net.nodes}
    if net.is_dual:
        title = (f"({name})ᵀ", f"its dual: 1 in,\nthe gradient ∂{output}/∂{wrt} out")
        texts = {of: "$g_{" + of.replace("_", r"\_") + "}$" for of in texts}
        texts |= {output: "1", wrt: f"∂{output}/∂{wrt}"}
    panel = _Panel(title, graph, wrt, upwards=net.is_dual)
    of = {node.name: node.of for node in net.nodes}
    for node in net.nodes:
        if node.kind == "value":
            panel.box(node.name, texts[node.name])
        else:
            panel.junction(node.name, node.of, node.kind)
    for arrow in net.arrows:
        start, end = (arrow.target, arrow.source) if net.is_dual else (arrow.source, arrow.target)
        panel.edges.append(Edge(of[start], of[end], start, end, arrow.map.drawn))
    return panel


def _figure(panels):
    extents = [panel.extent() for panel in panels]
    depth = max(place.row for panel in panels for place in panel.places.values()) * _ROW
    height = _HEAD + depth + _FOOT
    width = sum(right - left + _GAP for left, right in extents) + _GAP
    figure, at = Figure(figsize=(width, height), facecolor="white"), _GAP
    for panel, (left, right) in zip(panels, extents, strict=True):
        axes = figure.add_axes((at / width, 0, (right - left) / width, 1))
        axes.set(xlim=(left, right), ylim=(-depth - _FOOT, _HEAD))
        axes.set_axis_off()
        _draw(axes, panel)
        at += right - left + _GAP
    return figure


def _draw(axes, panel):
    middle = sum(axes.get_xlim()) / 2
    title, subtitle = panel.title
    axes.text(middle, _HEAD - 0.15, title, size=_SIZE + 5, weight="bold", ha="center", va="top")
    axes.text(middle, _HEAD - 0.52, subtitle, size=_SIZE - 3, ha="center", va="top")
    for edge, route in zip(panel.edges, panel.routes(), strict=True):
        color = ORANGE if edge.over == panel.highlight else INK
        path = _rounded(route.corners[::-1] if panel.upwards else route.corners)
        width = 2.4 if color == ORANGE else 1.5
        style = {"arrowstyle": "-|>", "mutation_scale": 16, "shrinkA": 0, "shrinkB": 0}
        axes.add_patch(FancyArrowPatch(path=path, color=color, lw=width, zorder=1, **style))
        ha, va = route.align
        axes.text(*route.text_at, edge.text, size=_SIZE - 2, color=color, ha=ha, va=va)
    for name, kind in panel.kinds.items():
        _draw_junction(axes, panel.shapes[name], kind)
    for name, text in panel.texts.items():
        _draw_box(axes, panel.shapes[name], text, _color(panel, name))


def _color(panel, name):
    if name == panel.highlight:
        return ORANGE
    if name not in {edge.over for edge in panel.edges}:
        return GREEN
    return INK if name in {edge.under for edge in panel.edges} else BLUE


def _draw_junction(axes, shape, kind):
    x, y, radius, _ = shape
    fill = "white" if kind == "sum" else INK
    axes.add_patch(Circle((x, y), radius, fc=fill, ec=INK, lw=1.6, zorder=2))
    if kind == "sum":
        for dx, dy in ((0.55 * radius, 0), (0, 0.55 * radius)):
            axes.plot([x - dx, x + dx], [y - dy, y + dy], color=INK, lw=1.6, zorder=3)


def _draw_box(axes, shape, text, color):
    corner = shape.x - shape.width, shape.y - shape.height
    style = {
        "boxstyle": "round,pad=0,rounding_size=0.1",
        "fc": FILLS[color],
        "ec": color,
        "lw": 1.8,
    }
    axes.add_patch(FancyBboxPatch(corner, 2 * shape.width, 2 * shape.height, zorder=2, **style))
    axes.text(shape.x, shape.y, text, size=_SIZE, color=INK, ha="center", va="center", zorder=3)


def _text_width(text):
    return TextPath((0, 0), text, size=_SIZE).get_extents().width / 72 if text else 0.0


def _rounded(corners, radius=0.12):
    """The line through the corners, each turn rounded."""
    vertices, codes = [corners[0]], [Path.MOVETO]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        vertices += [_towards(corner, before, radius), corner, _towards(corner, after, radius)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*vertices, corners[-1]], [*codes, Path.LINETO])


def _towards(corner, other, radius):
    """The point at this distance from the corner on the way to the other, or half way if nearer."""
    (x, y), (to_x, to_y) = corner, other
    length = abs(to_x - x) + abs(to_y - y)
    part = min(radius / length, 0.5) if length else 0.0
    return x + part * (to_x - x), y + part * (to_y - y)

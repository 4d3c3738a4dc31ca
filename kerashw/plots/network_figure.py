"""Network diagrams as shapes and edges, drawn side by side in one figure. Lengths are in inches."""

from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from kerashw.plots.network_layout import Shape, layout, route_edges
from kerashw.plots.style import BLUE, GREEN, INK, ORANGE, draw_box, new_figure

FONT_SIZE = 16  # points
ROW, COLUMN, BOX_HALF_HEIGHT = 1.28, 1.9, 0.22
HEADER, FOOTER, GAP = 1.3, 0.8, 0.35
RADIUS = {"fan-out": 0.08, "sum": 0.13}


class NetworkDiagram:
    """The title, shapes and edges of one network, before they are drawn.

    Args:
        title: Pair of strings, the title and the subtitle.
        graph: `kerashw.backprop.Graph`.
        highlight: String, the name of an input with orange arrows, or None.
        upwards: Boolean, whether the arrows point up.
    """

    def __init__(self, title, graph, highlight, upwards=False):
        self.title, self.highlight, self.upwards = title, highlight, upwards
        self.positions = layout(graph)
        widest = max(_text_width(str(node)) for node in graph.nodes)
        self.column_width = max(COLUMN, widest / 2 + 1.1)
        self.shapes, self.texts, self.junctions, self.edges = {}, {}, {}, []

    def add_box(self, name, text):
        """Add the box of a node."""
        x, y = self._center(name)
        half_width = max(0.44, _text_width(text) / 2 + 0.14)
        self.shapes[name] = Shape(x, y, half_width, BOX_HALF_HEIGHT)
        self.texts[name] = text

    def add_junction(self, name, of, kind):
        """Add a sum above the box of the node `of`, or a fan-out below it."""
        x, y = self._center(of)
        y += BOX_HALF_HEIGHT + 0.34 if name.endswith(".in") else -BOX_HALF_HEIGHT - 0.34
        self.shapes[name] = Shape(x, y, RADIUS[kind], RADIUS[kind])
        self.junctions[name] = kind

    def routes(self):
        """Return the routes of all edges."""
        return route_edges(self.edges, self.positions, self.shapes, self.column_width / 2)

    def extent(self):
        """Return the left and right end, including the title and the labels of arrows."""
        left = min(shape.x - shape.half_width for shape in self.shapes.values())
        right = max(shape.x + shape.half_width for shape in self.shapes.values())
        for edge, route in zip(self.edges, self.routes(), strict=True):
            if route.label_alignment[0] == "left":
                right = max(right, route.label_position[0] + _text_width(edge.label))
        title = max(map(_text_width, self.title[1].split("\n")))
        missing = max(0, title - (right - left)) / 2
        return left - missing - 0.05, right + missing + 0.05

    def color(self, name):
        """Return the colour of a node's box."""
        if name == self.highlight:
            return ORANGE
        if name not in {edge.upper for edge in self.edges}:
            return GREEN
        return INK if name in {edge.lower for edge in self.edges} else BLUE

    def _center(self, name):
        position = self.positions[name]
        return position.column * self.column_width, -position.row * ROW


def draw_side_by_side(diagrams):
    """Draw diagrams side by side.

    Args:
        diagrams: List of `NetworkDiagram`s.

    Returns:
        `matplotlib.figure.Figure` with one subplot for each diagram.
    """
    extents = [diagram.extent() for diagram in diagrams]
    rows = max(position.row for diagram in diagrams for position in diagram.positions.values())
    depth = rows * ROW
    height = HEADER + depth + FOOTER
    width = sum(right - left + GAP for left, right in extents) + GAP
    figure, x = new_figure(width, height), GAP
    for diagram, (left, right) in zip(diagrams, extents, strict=True):
        axes = figure.add_axes((x / width, 0, (right - left) / width, 1))
        axes.set(xlim=(left, right), ylim=(-depth - FOOTER, HEADER))
        axes.set_axis_off()
        _draw_diagram(axes, diagram)
        x += right - left + GAP
    return figure


def _draw_diagram(axes, diagram):
    center = {"x": sum(axes.get_xlim()) / 2, "ha": "center", "va": "top"}
    title, subtitle = diagram.title
    axes.text(y=HEADER - 0.15, s=title, size=FONT_SIZE + 5, weight="bold", **center)
    axes.text(y=HEADER - 0.52, s=subtitle, size=FONT_SIZE - 3, **center)
    for edge, route in zip(diagram.edges, diagram.routes(), strict=True):
        color = ORANGE if edge.upper == diagram.highlight else INK
        _draw_edge(axes, edge.label, route, color, diagram.upwards)
    for name, kind in diagram.junctions.items():
        _draw_junction(axes, diagram.shapes[name], kind)
    for name, text in diagram.texts.items():
        x, y, half_width, half_height = diagram.shapes[name]
        size = (2 * half_width, 2 * half_height)
        draw_box(axes, (x, y), size, diagram.color(name), zorder=2)
        axes.text(x, y, text, size=FONT_SIZE, ha="center", va="center", zorder=3)


def _draw_edge(axes, label, route, color, upwards):
    path = _rounded_path(route.corners[::-1] if upwards else route.corners)
    style = {"arrowstyle": "-|>", "mutation_scale": 16, "shrinkA": 0, "shrinkB": 0, "zorder": 1}
    width = 2.4 if color == ORANGE else 1.5
    axes.add_patch(FancyArrowPatch(path=path, color=color, lw=width, **style))
    ha, va = route.label_alignment
    axes.text(*route.label_position, label, size=FONT_SIZE - 2, color=color, ha=ha, va=va)


def _draw_junction(axes, shape, kind):
    x, y, radius, _ = shape
    color = "white" if kind == "sum" else INK
    axes.add_patch(Circle((x, y), radius, fc=color, ec=INK, lw=1.6, zorder=2))
    if kind == "sum":
        for dx, dy in ((0.55 * radius, 0), (0, 0.55 * radius)):
            axes.plot([x - dx, x + dx], [y - dy, y + dy], color=INK, lw=1.6, zorder=3)


def _text_width(text):
    return TextPath((0, 0), text, size=FONT_SIZE).get_extents().width / 72 if text else 0.0


def _rounded_path(corners, radius=0.12):
    """Return the path through the corners, with rounded corners."""
    vertices, codes = [corners[0]], [Path.MOVETO]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        vertices += [_towards(corner, before, radius), corner, _towards(corner, after, radius)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*vertices, corners[-1]], [*codes, Path.LINETO])


def _towards(corner, other, distance):
    """Return the point at this distance towards the other, at most the midpoint."""
    (x, y), (to_x, to_y) = corner, other
    length = abs(to_x - x) + abs(to_y - y)
    share = min(distance / length, 0.5) if length else 0.0
    return x + share * (to_x - x), y + share * (to_y - y)

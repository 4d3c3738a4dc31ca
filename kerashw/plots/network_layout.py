"""The layout of a graph in a diagram: positions of nodes and routes of edges, without drawing.

The row of a node is its topological depth: each node is one row above the first node that uses it,
so the output is in the last row. Column 0 is the longest path to the output. The other nodes are
beside it, first arguments to the left. An edge from one row to the next in the same column is
straight. All other edges have corners and end at the side of a node.
"""

import math
from collections import Counter, defaultdict
from typing import NamedTuple

# The distance between parallel edges, in inches.
LANE = 0.36


class Position(NamedTuple):
    """A column, 0 for the longest path and negative to the left, and a row, 0 at the top."""

    column: int
    row: int


class Shape(NamedTuple):
    """The centre of a box or junction, and half of its width and of its height, in inches."""

    x: float
    y: float
    half_width: float
    half_height: float


class Edge(NamedTuple):
    """A line from the shape `start` down to the shape `end`.

    `upper` and `lower` are the nodes of the graph that the shapes belong to.
    """

    upper: str
    lower: str
    start: str
    end: str
    label: str


class Route(NamedTuple):
    """The corners of a line from top to bottom, and the position and alignment of its label."""

    corners: list[tuple[float, float]]
    label_position: tuple[float, float]
    label_alignment: tuple[str, str]


def layout(graph) -> dict[str, Position]:
    """Return a position for each input and node of a graph.

    All positions are different. If possible, no node is in the way of another node's edges.

    Args:
        graph: `kerashw.backprop.Graph`.

    Returns:
        Dict, name → `Position`, without inputs and nodes that the output does not depend on.

    Example:
        >>> from kerashw.backprop import homework_network
        >>> positions = layout(homework_network())
        >>> [name for name, position in positions.items() if position.column == 0]
        ['x', 'y', 'u', 's', 'z', 'w', 'L']
        >>> positions["A"], positions["v"], positions["B"]
        (Position(column=-1, row=0), Position(column=1, row=2), Position(column=1, row=1))
    """
    heights = _heights(graph)
    rows = {name: max(heights.values()) - height for name, height in heights.items()}
    columns = dict.fromkeys(_longest_path(graph), 0)
    occupied = {(0, row) for row in range(max(rows.values()) + 1)}
    # A node is placed beside its users, so these come first. Inputs come last, from the top.
    nodes = [node.name for node in reversed(graph.nodes) if node.name in rows]
    inputs = sorted((name for name in graph.inputs if name in rows), key=lambda name: rows[name])
    for name in nodes + inputs:
        if name not in columns:
            users = [node for node in graph.nodes if name in node.arguments and node.name in rows]
            ends = [(columns[node.name], rows[node.name]) for node in users]
            nearest = min(users, key=lambda node: rows[node.name])
            side = -1 if nearest.arguments[0] == name else 1
            columns[name] = _free_column(columns[nearest.name], side, rows[name], ends, occupied)
            occupied |= _vertical_cells(columns[name], rows[name], ends)
            occupied |= _horizontal_cells(columns[name], ends)
    return {name: Position(columns[name], rows[name]) for name in graph.names if name in rows}


def route_edges(edges, positions, shapes, channel) -> list[Route]:
    """Return a route for each edge.

    Args:
        edges: List of `Edge`s.
        positions: Dict, name of a node of the graph → `Position`.
        shapes: Dict, name of a start or end of an edge → `Shape`.
        channel: Float, the distance from column 0 to the channel between two columns, in inches.
            Edges that start at the side of a node in column 0 go down there.

    Returns:
        List of `Route`s, in the order of the edges.
    """
    lanes, found = _lanes(edges, positions), []
    parallel: Counter[tuple] = Counter()
    for edge in edges:
        start, end = shapes[edge.start], shapes[edge.end]
        if _is_straight(edge, positions):
            parallel[edge[:4]] += 1
            count = sum(other[:4] == edge[:4] for other in edges)
            found.append(_straight(start, end, number=parallel[edge[:4]], count=count))
        elif edge in lanes:
            found.append(_in_lane(start, end, lanes[edge], junction=edge.start != edge.upper))
        else:
            side = -1 if positions[edge.lower].column < positions[edge.upper].column else 1
            found.append(_in_channel(start, end, start.x + side * channel, side))
    return found


def _free_column(nearest, side, row, ends, occupied):
    """Return the first free column on this side, if possible one with a free way to the ends."""
    columns = (nearest + side * k for k in range(len(occupied) + 1))
    free = [c for c in columns if occupied.isdisjoint(_vertical_cells(c, row, ends))]
    return next((c for c in free if occupied.isdisjoint(_horizontal_cells(c, ends))), free[0])


def _vertical_cells(column, row, ends):
    """Return the cells of a node and its edges in its own column."""
    # An edge to another column has a corner in the row of its end.
    last = max(end_row + (end_column != column) for end_column, end_row in ends)
    return {(column, used) for used in range(row, last)}


def _horizontal_cells(column, ends):
    """Return the cells that the edges of a node cross between its column and their ends."""
    return {
        (crossed, row)
        for end, row in ends
        for crossed in range(min(column, end) + 1, max(column, end))
    }


def _heights(graph):
    """Return the length of the longest path from each name to the output."""
    heights = {graph.output: 0}
    for node in reversed(graph.nodes):
        if node.name in heights:
            for argument in node.arguments:
                heights[argument] = max(heights.get(argument, 0), heights[node.name] + 1)
    return heights


def _longest_path(graph):
    """Return the longest path to the output; of equal ones, through the last argument."""
    # The last argument of a product is data, the first one a matrix.
    paths = {name: (name,) for name in graph.inputs}
    for node in graph.nodes:
        longest = max(reversed(node.arguments), key=lambda argument: len(paths[argument]))
        paths[node.name] = (*paths[longest], node.name)
    return paths[graph.output]


def _is_straight(edge, positions):
    upper, lower = positions[edge.upper], positions[edge.lower]
    return edge.upper == edge.lower or (upper.column, upper.row + 1) == lower


def _lanes(edges, positions):
    """Return the offset of each edge of a side node from the middle of its column."""
    by_start = defaultdict(list)
    for edge in edges:
        upper, lower = positions[edge.upper], positions[edge.lower]
        if upper.column not in (0, lower.column):
            side = 1 if lower.column > upper.column else -1
            by_start[edge.start].append((side, -side * lower.row, edge))
    lanes = {}
    for outgoing in by_start.values():
        half = len(outgoing) // 2
        offsets = [k * LANE for k in range(-half, half + 1) if k or len(outgoing) % 2]
        lanes |= {edge: at for (*_, edge), at in zip(sorted(outgoing), offsets, strict=True)}
    return lanes


def _straight(start, end, number, count):
    """Return the route straight down; parallel edges are numbered from 1 to `count`."""
    x = start.x + LANE / 2 * (2 * number - 1 - count)
    top, bottom = start.y - start.half_height, end.y + end.half_height
    left = number < count
    label_position = (x - 0.1 if left else x + 0.1, (top + bottom) / 2)
    return Route([(x, top), (x, bottom)], label_position, ("right" if left else "left", "center"))


def _in_lane(start, end, offset, junction):
    """Return the route down near the middle of the start's column, then sideways to the end."""
    lane, side = start.x + offset, 1 if end.x > start.x else -1
    corners = [(lane, start.y - start.half_height)]
    if junction and offset:
        corners = [(start.x + math.copysign(start.half_width, offset), start.y), (lane, start.y)]
    last = (end.x - side * end.half_width, end.y)
    corners += [(lane, end.y), last]
    return Route(corners, (last[0] - 0.6 * side, end.y + 0.06), ("center", "bottom"))


def _in_channel(start, end, x, side):
    """Return the route sideways from the start, down between the columns, sideways to the end."""
    end_side = -1 if end.x > x else 1
    last = (end.x + end_side * end.half_width, end.y)
    corners = [(start.x + side * start.half_width, start.y), (x, start.y), (x, end.y), last]
    return Route(corners, (x + 0.1, start.y - 0.3), ("left", "center"))

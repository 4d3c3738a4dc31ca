"""Where the nodes of a graph stand in a picture, and which way its arrows take; no drawing.

Rows go by topological depth: every node stands one row above the first node that needs it, so the
output is in the last row. The longest way to the output is column 0; the others stand beside it,
first arguments to the left. An arrow from one row to the next in its column is straight; others
turn corners and enter from the side.
"""

import math
from collections import Counter, defaultdict
from typing import NamedTuple

__all__ = ["Edge", "Place", "Route", "Shape", "layout", "routes"]

LANE = 0.36


class Place(NamedTuple):
    """A column, 0 for the longest way and negative to the left of it, and a row, 0 at the top."""

    column: int
    row: int


class Shape(NamedTuple):
    """A box or a junction: its centre, half its width and half its height."""

    x: float
    y: float
    width: float
    height: float


class Edge(NamedTuple):
    """A line between two shapes; `over` and `under` are the nodes of the graph they belong to."""

    over: str
    under: str
    start: str
    end: str
    text: str


class Route(NamedTuple):
    """The corners of a line, from above to below, and where its text stands, with its alignment."""

    corners: list[tuple[float, float]]
    text_at: tuple[float, float]
    align: tuple[str, str]


def layout(graph) -> dict[str, Place]:
    """A place for every input and node of a graph.

    No two nodes share a place, and what the arrows of a side node pass is kept free if possible.

    Args:
        graph: a `Graph`.

    Returns:
        dict from names to `Place`; inputs that no node needs have none.

    >>> from kerashw.backprop import homework_network
    >>> places = layout(homework_network())
    >>> [name for name, place in places.items() if place.column == 0]
    ['x', 'y', 'u', 's', 'z', 'w', 'L']
    >>> places["A"], places["v"], places["B"]
    (Place(column=-1, row=0), Place(column=1, row=2), Place(column=1, row=1))
    """
    height = _heights(graph)
    rows = {name: max(height.values()) - h for name, h in height.items()}
    columns = dict.fromkeys(_spine(graph), 0)
    taken = {(0, row) for row in range(max(rows.values()) + 1)}
    # A node stands beside its users, so those first; inputs last, from the top.
    nodes = [node.name for node in reversed(graph.nodes) if node.name in rows]
    inputs = sorted((name for name in graph.inputs if name in rows), key=lambda name: rows[name])
    for name in nodes + inputs:
        if name not in columns:
            users = [node for node in graph.nodes if name in node.arguments and node.name in rows]
            ends = [(columns[node.name], rows[node.name]) for node in users]
            nearest = min(users, key=lambda node: rows[node.name])
            side = -1 if nearest.arguments[0] == name else 1
            columns[name] = _free_column(columns[nearest.name], side, rows[name], ends, taken)
            taken |= _lane(columns[name], rows[name], ends) | _crossed(columns[name], ends)
    return {name: Place(columns[name], rows[name]) for name in graph.names if name in rows}


def _free_column(nearest, side, row, ends, taken):
    """The first column on this side whose lane is free, if possible with free ways to the ends."""
    columns = (nearest + side * k for k in range(len(taken) + 1))
    free = [column for column in columns if taken.isdisjoint(_lane(column, row, ends))]
    return next((c for c in free if taken.isdisjoint(_crossed(c, ends))), free[0])


def _lane(column, row, ends):
    """What a node takes in its own column: down to its last end, and that row too for a corner."""
    last = max(end_row + (end_column != column) for end_column, end_row in ends)
    return {(column, passed) for passed in range(row, last)}


def _crossed(column, ends):
    """What its arrows cross between its own column and those of its ends."""
    return {
        (between, row)
        for end, row in ends
        for between in range(min(column, end) + 1, max(column, end))
    }


def _heights(graph):
    """The length of the longest way to the output, for inputs from their first user."""
    height = {graph.output: 0}
    for node in reversed(graph.nodes):
        if node.name in height:
            for argument in node.arguments:
                height[argument] = max(height.get(argument, 0), height[node.name] + 1)
    return height


def _spine(graph):
    """The longest way to the output; of equals, by the last argument: data rather than a matrix."""
    way = {name: (name,) for name in graph.inputs}
    for node in graph.nodes:
        longest = max(reversed(node.arguments), key=lambda argument: len(way[argument]))
        way[node.name] = (*way[longest], node.name)
    return way[graph.output]


def routes(edges, places, shapes, between) -> list[Route]:
    """The way that each edge takes.

    Args:
        edges: list of `Edge`.
        places: dict from the nodes of the graph to `Place`.
        shapes: dict from the ends of the edges to `Shape`.
        between: how far to the side of column 0 an edge that leaves it sideways goes down.

    Returns:
        list of `Route`, in the order of the edges.
    """
    lanes, found = _lanes(edges, places), []
    twins: Counter[tuple] = Counter()
    for edge in edges:
        start, end = shapes[edge.start], shapes[edge.end]
        if _is_straight(edge, places):
            twins[edge[:4]] += 1
            found.append(_straight(start, end, twin=twins[edge[:4]], of=_count(edges, edge)))
        elif edge in lanes:
            found.append(_down_a_lane(start, end, lanes[edge], junction=edge.start != edge.over))
        else:
            side = -1 if places[edge.under].column < places[edge.over].column else 1
            found.append(_around(start, end, start.x + side * between, side))
    return found


def _is_straight(edge, places):
    over, under = places[edge.over], places[edge.under]
    return edge.over == edge.under or (over.column, over.row + 1) == under


def _count(edges, edge):
    return sum(other[:4] == edge[:4] for other in edges)


def _lanes(edges, places):
    """How far beside the middle of its column each edge of a side node goes down."""
    by_start = defaultdict(list)
    for edge in edges:
        over, under = places[edge.over], places[edge.under]
        if over.column not in (0, under.column):
            side = 1 if under.column > over.column else -1
            by_start[edge.start].append((side, -side * under.row, edge))
    lanes = {}
    for leaving in by_start.values():
        half = len(leaving) // 2
        offsets = [k * LANE for k in range(-half, half + 1) if k or len(leaving) % 2]
        lanes |= {edge: at for (*_, edge), at in zip(sorted(leaving), offsets, strict=True)}
    return lanes


def _straight(start, end, twin, of):
    """Down; if two nodes are joined `of` times, side by side."""
    x = start.x + LANE / 2 * (2 * twin - 1 - of)
    top, bottom = start.y - start.height, end.y + end.height
    left = twin < of
    text_at = (x - 0.1 if left else x + 0.1, (top + bottom) / 2)
    return Route([(x, top), (x, bottom)], text_at, ("right" if left else "left", "center"))


def _down_a_lane(start, end, offset, junction):
    """Down beside the middle of the start's column, then sideways into the end."""
    lane, side = start.x + offset, 1 if end.x > start.x else -1
    corners = [(lane, start.y - start.height)]
    if junction and offset:
        corners = [(start.x + math.copysign(start.width, offset), start.y), (lane, start.y)]
    last = (end.x - side * end.width, end.y)
    corners += [(lane, end.y), last]
    return Route(corners, (last[0] - 0.6 * side, end.y + 0.06), ("center", "bottom"))


def _around(start, end, x, side):
    """Sideways out of the start, down between the columns, sideways into the end."""
    into = -1 if end.x > x else 1
    last = (end.x + into * end.width, end.y)
    corners = [(start.x + side * start.width, start.y), (x, start.y), (x, end.y), last]
    return Route(corners, (x + 0.1, start.y - 0.3), ("left", "center"))

"""Nodes have distinct positions, in rows by depth."""

from hypothesis import given, settings

from kerashw.backprop import dense_network, homework_network
from kerashw.plots.network_layout import Position, layout
from tests.backprop.random_graphs import graphs


@settings(max_examples=60, derandomize=True)
@given(graphs())
def test_every_used_node_has_a_distinct_position_above_its_users(case):
    graph, *_ = case
    positions = layout(graph)
    assert len(set(positions.values())) == len(positions)
    assert max(positions.values(), key=lambda position: position.row) == positions["L"]
    for node in graph.nodes:
        for argument in node.arguments if node.name in positions else ():
            assert positions[argument].row < positions[node.name].row


def test_the_longest_path_of_the_homework_network_is_column_0():
    positions = layout(homework_network())
    assert [positions[name].column for name in "xyuszwL"] == [0] * 7
    assert [positions[name].row for name in "xyuszwL"] == list(range(7))
    assert positions["A"] == Position(-1, 0)
    assert (positions["B"], positions["v"]) == (Position(1, 1), Position(1, 2))


def test_the_labels_are_beside_the_last_bias():
    positions = layout(dense_network(1))
    assert positions["b1"].column == 1
    assert positions["labels"].column == 2

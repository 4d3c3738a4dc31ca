"""Places: rows by depth, nobody on top of another."""

from hypothesis import given, settings

from kerashw.backprop import dense_network, homework_network
from kerashw.plots.network_layout import Place, layout

from .random_graphs import graphs


@settings(max_examples=60, deadline=None, derandomize=True)
@given(graphs())
def test_every_needed_node_has_a_place_of_its_own_above_its_users(case):
    graph, *_ = case
    places = layout(graph)
    assert len(set(places.values())) == len(places)
    assert max(places.values(), key=lambda place: place.row) == places["L"]
    for node in graph.nodes:
        for argument in node.arguments if node.name in places else ():
            assert places[argument].row < places[node.name].row


def test_the_homeworks_network_is_symmetric_about_its_longest_way():
    places = layout(homework_network())
    assert [places[name].column for name in "xyuszwL"] == [0] * 7
    assert [places[name].row for name in "xyuszwL"] == list(range(7))
    assert (places["A"], places["B"], places["v"]) == (Place(-1, 0), Place(1, 1), Place(1, 2))


def test_labels_keep_clear_of_the_last_bias():
    places = layout(dense_network(1))
    assert places["b1"].column == 1
    assert places["labels"].column == 2

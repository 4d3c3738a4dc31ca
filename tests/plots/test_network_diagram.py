"""Network diagrams name every node and every map, and are legible."""

import functools

import pytest

from kerashw.backprop import (
    Graph,
    Node,
    homework_inputs,
    homework_network,
    mlp_network,
    softmax_regression_network,
)
from kerashw.errors import InputError
from kerashw.plots.network_diagram import backpropagation_diagram, network_diagram

from .legibility import assert_legible


def texts(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


@functools.cache
def homework_diagram(wrt):
    graph = homework_network()
    return backpropagation_diagram(graph, graph.forward(**homework_inputs(K=2)), wrt)


def test_three_diagrams_name_every_node_and_every_map():
    G, derivative, dual = homework_diagram("A").axes
    formulas = ["y = A x", "u = σ(y)", "v = B x", "s = u ⊙ v", "z = A s", "w = A z", "L = ‖w‖²"]
    assert {"G", "x", "A", "B", *formulas} <= set(texts(G))
    assert {"∂G[x, A]", "ΔA", "Δy", "Δu", "Δs", "Δz", "Δw", "ΔL"} <= set(texts(derivative))
    signals = [f"$g_{{{name}}}$" for name in "yuszw"]
    assert {"(∂G[x, A])ᵀ", "1", "∂L/∂A", *signals} <= set(texts(dual))
    assert {"· x", "· s", "· z", "2wᵀ ·", "v ⊙"} <= set(texts(derivative))
    assert {"· xᵀ", "· sᵀ", "· zᵀ", "2w ·", "v ⊙"} <= set(texts(dual))
    assert (texts(derivative).count("A ·"), texts(dual).count("Aᵀ ·")) == (2, 2)


def test_the_three_entries_of_a_matrix_are_numbered():
    entries = [text for text in texts(homework_diagram("A").axes[0]) if text.startswith("entry")]
    assert sorted(entries) == ["entry 1", "entry 2", "entry 3"]


@pytest.mark.parametrize(
    "graph", [softmax_regression_network(), mlp_network()], ids=["softmax", "mlp"]
)
def test_the_diagram_of_a_graph_names_every_node(graph):
    (axes,) = network_diagram(graph).axes
    assert {*graph.inputs, *map(str, graph.nodes)} <= set(texts(axes))


@pytest.mark.parametrize("wrt", ["A", "B", "x"])
def test_a_backpropagation_diagram_is_legible(wrt):
    assert_legible(homework_diagram(wrt))


def test_a_network_diagram_is_legible():
    assert_legible(network_diagram(mlp_network()))


def test_invalid_arguments_are_input_errors():
    graph = homework_network()
    values = graph.forward(**homework_inputs(K=2))
    with pytest.raises(InputError, match=r"highlight must be an input: x, A, B\. Received: 'C'"):
        network_diagram(graph, highlight="C")
    with pytest.raises(InputError, match=r"wrt must be an input: x, A, B\. Received: 'y'"):
        backpropagation_diagram(graph, values, wrt="y")
    vector = Graph(["x"], [Node("y", "relu", ("x",))])
    with pytest.raises(InputError, match=r"must be a scalar\. Received: shape \(2,\)"):
        backpropagation_diagram(vector, vector.forward(x=[1.0, 2.0]), wrt="x")

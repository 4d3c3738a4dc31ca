"""Laws of derivative networks and their duals, on random graphs in float64."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.backprop import homework_inputs, homework_network, relative_error
from kerashw.errors import InputError

from .random_graphs import graphs

TOLERANCE = 1e-12
random_graphs = settings(max_examples=60, derandomize=True)


def normal(shape, seed):
    return tf.constant(np.random.default_rng(seed).normal(size=shape))


def draw_network(data, to_vector=False):
    """Draw a graph; return it with its inputs, the name `wrt` and its derivative network."""
    graph, inputs, vectors = data.draw(graphs())
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    wrt = data.draw(st.sampled_from([name for name in inputs if name != "labels"]))
    of = data.draw(st.sampled_from(vectors)) if to_vector else None
    return graph, inputs, wrt, graph.derivative(graph.forward(**inputs), wrt=wrt, of=of)


@random_graphs
@given(st.data())
def test_the_dual_applied_to_1_is_equal_to_gradient_tape(data):
    graph, inputs, wrt, net = draw_network(data)
    with tf.GradientTape() as tape:
        tape.watch(inputs[wrt])
        output = graph.forward(**inputs)["L"]
    expected = tape.gradient(output, inputs[wrt], unconnected_gradients="zero")
    assert relative_error(net.dual()(1.0), expected) < TOLERANCE


@random_graphs
@given(st.data())
def test_the_derivative_network_is_equal_to_forward_accumulator(data):
    graph, inputs, wrt, net = draw_network(data, to_vector=data.draw(st.booleans()))
    δ = normal(inputs[wrt].shape, seed=1)
    with tf.autodiff.ForwardAccumulator(inputs[wrt], δ) as accumulator:
        values = graph.forward(**inputs)
    expected = accumulator.jvp(values[net.target.name], unconnected_gradients="zero")
    # A scalar change sums terms of either sign. Its rounding error is relative to their size.
    scale = tf.reduce_sum(tf.abs(δ * net.dual()(1.0))) if net.target.name == "L" else None
    assert relative_error(net(δ), expected, scale) < TOLERANCE


@random_graphs
@given(st.data())
def test_the_dual_is_the_transpose(data):
    *_, net = draw_network(data, to_vector=True)
    δ, r = normal(net.source.shape, seed=2), normal(net.target.shape, seed=3)
    left, right = net(δ) * r, δ * net.dual()(r)
    scale = max(float(tf.reduce_sum(tf.abs(left))), float(tf.reduce_sum(tf.abs(right))))
    assert relative_error(tf.reduce_sum(left), tf.reduce_sum(right), scale) < TOLERANCE


@random_graphs
@given(st.data(), st.floats(-3, 3), st.floats(-3, 3))
def test_network_and_dual_are_linear(data, a, b):
    *_, net = draw_network(data, to_vector=True)
    for linear in (net, net.dual()):
        δ, ε = normal(linear.source.shape, seed=4), normal(linear.source.shape, seed=5)
        terms = a * linear(δ), b * linear(ε)
        scale = max(float(tf.reduce_max(tf.abs([*terms, linear(δ), linear(ε)]))), 1e-300)
        assert relative_error(linear(a * δ + b * ε), terms[0] + terms[1], scale) < TOLERANCE


@random_graphs
@given(st.data())
def test_the_dual_of_the_dual_is_the_original_network(data):
    *_, net = draw_network(data, to_vector=True)
    dual, dual_of_dual = net.dual(), net.dual().dual()
    assert dual_of_dual == net
    assert dual != net
    δ = normal(net.source.shape, seed=6)
    assert np.array_equal(dual_of_dual(δ), net(δ))


@random_graphs
@given(st.data())
def test_the_dual_reverses_arrows_and_exchanges_sums_and_fan_outs(data):
    *_, net = draw_network(data)
    dual = net.dual()
    reversed_arrows = Counter((arrow.target, arrow.source) for arrow in net.arrows)
    assert Counter((arrow.source, arrow.target) for arrow in dual.arrows) == reversed_arrows
    exchanged = {"value": "value", "sum": "fan-out", "fan-out": "sum"}
    kinds = {node.name: exchanged[node.kind] for node in net.nodes}
    assert {node.name: node.kind for node in dual.nodes} == kinds
    assert (dual.source, dual.target) == (net.target, net.source)


@random_graphs
@given(st.data())
def test_only_sums_and_fan_outs_have_several_arrows(data):
    *_, net = draw_network(data, to_vector=data.draw(st.booleans()))
    for linear in (net, net.dual()):
        incoming = Counter(arrow.target for arrow in linear.arrows)
        outgoing = Counter(arrow.source for arrow in linear.arrows)
        for node in linear.nodes:
            counts = incoming[node.name], outgoing[node.name]
            if node.kind == "sum":
                assert counts[0] >= 2 and counts[1] == 1
            elif node.kind == "fan-out":
                assert counts[0] == 1 and counts[1] >= 2
            else:
                assert counts == (node != linear.source, node != linear.target)


def test_the_signals_of_the_dual_are_the_gradients_of_the_homework():
    graph, inputs = homework_network(), homework_inputs(K=3)
    values = graph.forward(**inputs)
    A = inputs["A"]
    signals = graph.derivative(values, wrt="A").dual().signals(1.0)
    signals = {name: signal.numpy() for name, signal in signals.items()}
    np.testing.assert_allclose(signals["w"], 2 * values["w"], rtol=1e-14)
    np.testing.assert_allclose(signals["z"], A.T @ signals["w"], rtol=1e-13)
    np.testing.assert_allclose(signals["s"], A.T @ signals["z"], rtol=1e-13)
    np.testing.assert_allclose(signals["u"], values["v"] * signals["s"], rtol=1e-13)


def test_str_names_every_arrow():
    graph = homework_network()
    net = graph.derivative(graph.forward(**homework_inputs(K=2)), wrt="A")
    lines = str(net).splitlines()
    assert len(lines) == len(net.arrows)
    assert "A.out → z.in   · s" in lines
    assert "z.in → A.out   · sᵀ" in str(net.dual()).splitlines()


@pytest.mark.parametrize(
    ("delta", "message"),
    [
        (np.zeros((2, 2)), r"shape \(3, 3\).*Received: shape \(2, 2\)"),
        (1.0, r"shape \(3, 3\).*Received: shape \(\)"),
        (tf.zeros((3, 3), tf.float32), "array of float64.*Received: .*float32"),
        ("one", "array of float64.*Received: str"),
    ],
)
def test_an_invalid_signal_is_an_input_error(delta, message):
    graph = homework_network()
    net = graph.derivative(graph.forward(**homework_inputs(K=3)), wrt="A")
    with pytest.raises(InputError, match=message):
        net(delta)

"""The laws of derivative networks and their duals, over random graphs and values in float64."""

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
laws = settings(max_examples=60, deadline=None, derandomize=True)


def normal(shape, seed):
    return tf.constant(np.random.default_rng(seed).normal(size=shape))


def a_network(data, to_vector=False):
    """A random graph's derivative network, with the inputs' tensors and the name it is by."""
    graph, inputs, vectors = data.draw(graphs())
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    wrt = data.draw(st.sampled_from([name for name in inputs if name != "labels"]))
    of = data.draw(st.sampled_from(vectors)) if to_vector else None
    return graph, inputs, wrt, graph.derivative(graph.forward(**inputs), wrt=wrt, of=of)


@laws
@given(st.data())
def test_the_dual_fed_1_is_the_tapes_gradient(data):
    graph, inputs, wrt, net = a_network(data)
    with tf.GradientTape() as tape:
        tape.watch(inputs[wrt])
        output = graph.forward(**inputs)["L"]
    expected = tape.gradient(output, inputs[wrt], unconnected_gradients="zero")
    assert relative_error(net.dual()(1.0), expected) < TOLERANCE


@laws
@given(st.data())
def test_the_derivative_network_is_the_accumulators(data):
    graph, inputs, wrt, net = a_network(data, to_vector=data.draw(st.booleans()))
    δ = normal(inputs[wrt].shape, seed=1)
    with tf.autodiff.ForwardAccumulator(inputs[wrt], δ) as accumulator:
        values = graph.forward(**inputs)
    expected = accumulator.jvp(values[net.target.name], unconnected_gradients="zero")
    # A change of a scalar is a sum of terms of either sign; its rounding is relative to their size.
    scale = tf.reduce_sum(tf.abs(δ * net.dual()(1.0))) if net.target.name == "L" else None
    assert relative_error(net(δ), expected, scale) < TOLERANCE


@laws
@given(st.data())
def test_network_and_dual_are_transposes(data):
    *_, net = a_network(data, to_vector=True)
    δ, r = normal(net.source.shape, seed=2), normal(net.target.shape, seed=3)
    forth, back = net(δ) * r, δ * net.dual()(r)
    scale = max(float(tf.reduce_sum(tf.abs(forth))), float(tf.reduce_sum(tf.abs(back))))
    assert relative_error(tf.reduce_sum(forth), tf.reduce_sum(back), scale) < TOLERANCE


@laws
@given(st.data(), st.floats(-3, 3), st.floats(-3, 3))
def test_network_and_dual_are_linear(data, a, b):
    *_, net = a_network(data, to_vector=True)
    for linear in (net, net.dual()):
        δ, ε = normal(linear.source.shape, seed=4), normal(linear.source.shape, seed=5)
        apart = a * linear(δ), b * linear(ε)
        scale = max(float(tf.reduce_max(tf.abs([*apart, linear(δ), linear(ε)]))), 1e-300)
        assert relative_error(linear(a * δ + b * ε), apart[0] + apart[1], scale) < TOLERANCE


@laws
@given(st.data())
def test_the_dual_of_the_dual_is_the_first_again(data):
    *_, net = a_network(data, to_vector=True)
    dual, again = net.dual(), net.dual().dual()
    assert again == net
    assert dual != net
    δ = normal(net.source.shape, seed=6)
    assert np.array_equal(again(δ), net(δ))


@laws
@given(st.data())
def test_the_dual_turns_arrows_and_exchanges_sum_and_fan_out(data):
    *_, net = a_network(data)
    dual = net.dual()
    turned = Counter((arrow.target, arrow.source) for arrow in net.arrows)
    assert Counter((arrow.source, arrow.target) for arrow in dual.arrows) == turned
    exchanged = {"value": "value", "sum": "fan-out", "fan-out": "sum"}
    kinds = {node.name: exchanged[node.kind] for node in net.nodes}
    assert {node.name: node.kind for node in dual.nodes} == kinds
    assert (dual.source, dual.target) == (net.target, net.source)


@laws
@given(st.data())
def test_signals_meet_in_sums_and_part_in_fan_outs_only(data):
    *_, net = a_network(data, to_vector=data.draw(st.booleans()))
    for linear in (net, net.dual()):
        comes = Counter(arrow.target for arrow in linear.arrows)
        goes = Counter(arrow.source for arrow in linear.arrows)
        for node in linear.nodes:
            at_least_two = {"sum": comes, "fan-out": goes}.get(node.kind)
            if at_least_two:
                assert at_least_two[node.name] >= 2
                assert (comes if at_least_two is goes else goes)[node.name] == 1
            else:
                assert comes[node.name] == (node != linear.source)
                assert goes[node.name] == (node != linear.target)


def test_signals_of_the_homeworks_dual_are_its_gradients():
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
def test_a_wrong_signal_is_an_input_error(delta, message):
    graph = homework_network()
    net = graph.derivative(graph.forward(**homework_inputs(K=3)), wrt="A")
    with pytest.raises(InputError, match=message):
        net(delta)

"""Graphs: values, derivatives, dtypes, batches and input errors."""

import numpy as np
import pytest
import tensorflow as tf

from kerashw.backprop import (
    PRIMITIVES,
    Graph,
    Node,
    homework_inputs,
    homework_network,
    relative_error,
    softmax_regression_network,
)
from kerashw.errors import InputError


def test_forward_returns_all_values_by_name():
    inputs = homework_inputs(K=3)
    x, A, B = inputs.values()
    values = homework_network().forward(**inputs)
    assert list(values) == ["x", "A", "B", "y", "u", "v", "s", "z", "w", "L"]
    u = 1 / (1 + np.exp(-(A @ x)))
    w = A @ A @ (u * (B @ x))
    np.testing.assert_allclose(values["w"], w, rtol=1e-13)
    np.testing.assert_allclose(values["L"], w @ w, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_the_inputs_is_kept(dtype):
    graph = homework_network()
    values = graph.forward(**homework_inputs(K=3, dtype=dtype))
    net = graph.derivative(values, wrt="A")
    assert {value.dtype.name for value in values.values()} == {dtype}
    assert net.dual()(1.0).dtype.name == net(np.ones((3, 3))).dtype.name == dtype


@pytest.mark.parametrize("wrt", ["A", "B"])
def test_the_gradient_of_a_batch_is_the_sum_over_its_vectors(wrt):
    graph, inputs = homework_network(), homework_inputs(K=3, batch=5)

    def gradient(x):
        values = graph.forward(**{**inputs, "x": x})
        return graph.derivative(values, wrt=wrt).dual()(1.0).numpy()

    assert relative_error(gradient(inputs["x"]), sum(map(gradient, inputs["x"]))) < 1e-13


def test_the_gradient_of_a_shared_input_is_the_sum_over_its_uses():
    separate = Graph(
        inputs=("x", "A1", "A2", "A3", "B"),
        nodes=[
            Node("y", "product", ("A1", "x")),
            Node("u", "sigmoid", ("y",)),
            Node("v", "product", ("B", "x")),
            Node("s", "multiply", ("u", "v")),
            Node("z", "product", ("A2", "s")),
            Node("w", "product", ("A3", "z")),
            Node("L", "squared_norm", ("w",)),
        ],
    )
    inputs = homework_inputs(K=4, batch=2)
    A = inputs["A"]
    values = separate.forward(x=inputs["x"], A1=A, A2=A, A3=A, B=inputs["B"])
    single = [separate.derivative(values, wrt=f"A{i}").dual()(1.0).numpy() for i in (1, 2, 3)]
    shared = homework_network()
    gradient = shared.derivative(shared.forward(**inputs), wrt="A").dual()(1.0)
    assert relative_error(gradient, sum(single)) < 1e-13
    assert min(np.abs(summand).max() for summand in single) > 1e-3


def test_an_argument_used_twice_has_two_arrows():
    graph = Graph(["x"], [Node("y", "multiply", ("x", "x")), Node("L", "sum", ("y",))])
    net = graph.derivative(graph.forward(x=[1.0, 2.0, 3.0]), wrt="x")
    assert [(a.source, a.target) for a in net.arrows].count(("x.out", "y.in")) == 2
    np.testing.assert_allclose(net.dual()(1.0), [2, 4, 6])


def test_without_dependence_the_network_is_the_zero_map():
    graph, inputs = homework_network(), homework_inputs(K=3, batch=2)
    net = graph.derivative(graph.forward(**inputs), wrt="A", of="v")
    assert len(net.arrows) == 1
    np.testing.assert_array_equal(net(np.ones((3, 3))), np.zeros((2, 3)))
    np.testing.assert_array_equal(net.dual()(np.ones((2, 3))), np.zeros((3, 3)))


def test_the_derivative_of_a_node_with_respect_to_itself_is_the_identity():
    graph = homework_network()
    net = graph.derivative(graph.forward(**homework_inputs(K=3)), wrt="z", of="z")
    np.testing.assert_array_equal(net([1.0, 2.0, 3.0]), [1, 2, 3])


def test_gradients_are_the_same_inside_a_function_of_unknown_batch_size():
    graph, inputs = homework_network(), homework_inputs(K=3, batch=4)

    def gradients(x, A, B):
        values = graph.forward(x=x, A=A, B=B)
        return [graph.derivative(values, wrt=name).dual()(1.0) for name in ("x", "A", "B")]

    square = tf.TensorSpec([3, 3], tf.float64)
    signature = [tf.TensorSpec([None, 3], tf.float64), square, square]
    compiled = tf.function(gradients, input_signature=signature)
    for actual, expected in zip(compiled(**inputs), gradients(**inputs), strict=True):
        assert relative_error(actual, expected) < 1e-14


def test_the_dual_network_does_not_use_gradient_tape(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the gradient of TensorFlow was used")

    for owner, name in ((tf.GradientTape, "gradient"), (tf, "gradients")):
        monkeypatch.setattr(owner, name, refuse)
    graph = homework_network()
    values = graph.forward(**homework_inputs(K=2))
    assert graph.derivative(values, wrt="A").dual()(1.0).shape == (2, 2)


def test_a_variable_is_an_input():
    x = tf.Variable([1.0, 2.0])
    graph = Graph(["x"], [Node("L", "squared_norm", ("x",))])
    values = graph.forward(x=x)
    x.assign([0.0, 0.0])
    np.testing.assert_allclose(graph.derivative(values, wrt="x").dual()(1.0), [2, 4])


SUM = Node("L", "sum", ("x",))


@pytest.mark.parametrize(
    ("inputs", "nodes", "message"),
    [
        (["x"], [], "at least one node. Received: none"),
        (["x", "x"], [SUM], "unique identifiers. Received: 'x'"),
        (["x", "L"], [SUM], "unique identifiers. Received: 'L'"),
        (["x", "a.b"], [SUM], "unique identifiers. Received: 'a.b'"),
        (["x"], [Node("L", "cube", ("x",))], "one of product.*Received: 'cube'"),
        (["x"], [Node("L", "sum", ("y",))], "of L must be 1 of x. Received: y"),
        (["x"], [Node("L", "sum", ("L",))], "of L must be 1 of x. Received: L"),
        (["x"], [Node("L", "add", ("x",))], "of L must be 2 of x. Received: x"),
        (["x"], [Node("L", "sum", ())], "of L must be 1 of x. Received: none"),
    ],
)
def test_an_invalid_structure_is_an_input_error(inputs, nodes, message):
    with pytest.raises(InputError, match=message):
        Graph(inputs, nodes)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": np.zeros(4)}, r"shapes in y = A x must match MK.*Received: A \(3, 3\), x \(4,\)"),
        ({"x": np.zeros((1, 2, 3))}, "shapes in y = A x"),
        ({"B": np.zeros((2, 3))}, r"shapes in s = u ⊙ v .*Received: u \(3,\), v \(2,\)"),
        ({"x": np.zeros(3, np.float32)}, "one floating dtype. Received: .*'x': 'float32'"),
        ({"x": [1, 2, 3]}, "x must be of a floating dtype. Received: int32"),
        ({"x": ["a", "b", "c"]}, "x must be of a floating dtype. Received: string"),
        ({"x": [[1.0], [2.0, 3.0]]}, "x must be an array of numbers. Received: list"),
        ({"C": np.zeros(3)}, "inputs must be x, A, B. Received: x, A, B, C"),
    ],
)
def test_invalid_inputs_are_an_input_error(changed, message):
    with pytest.raises(InputError, match=message):
        homework_network().forward(**{**homework_inputs(K=3), **changed})


def test_a_missing_input_is_an_input_error():
    with pytest.raises(InputError, match=r"inputs must be x, A, B. Received: none"):
        homework_network().forward()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(2), "labels must be of an integer dtype. Received: float64"),
        (np.zeros(3, int), r"shapes in L = .*Received: p1 \(2, 4\), labels \(3,\)"),
        (np.array([0, 4]), "L = .* must be computable. Received: .*label value of 4"),
    ],
)
def test_invalid_labels_are_an_input_error(labels, message):
    with pytest.raises(InputError, match=message):
        softmax_regression_network().forward(
            x=np.zeros((2, 3)), W1=np.zeros((4, 3)), b1=np.zeros(4), labels=labels
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"wrt": "C"}, "wrt must be one of x, W1.*Received: 'C'"),
        ({"wrt": "labels"}, "wrt must be one of x, W1.*Received: 'labels'"),
        ({"wrt": "W1", "of": "M"}, "of must be one of x, W1.*Received: 'M'"),
    ],
)
def test_an_invalid_node_is_an_input_error(arguments, message):
    graph = softmax_regression_network()
    values = graph.forward(x=np.zeros(3), W1=np.zeros((4, 3)), b1=np.zeros(4), labels=1)
    with pytest.raises(InputError, match=message):
        graph.derivative(values, **arguments)


def test_missing_values_are_an_input_error():
    with pytest.raises(InputError, match=r"that forward returned. Received: one without y, u"):
        homework_network().derivative(homework_inputs(K=2), wrt="A")


def test_str_of_a_node_names_its_arguments():
    for name, primitive in PRIMITIVES.items():
        arguments = ("a", "b")[: len(primitive.rules)]
        formula = str(Node("n", name, arguments))
        assert formula.startswith("n = ")
        assert all(argument in formula for argument in arguments)

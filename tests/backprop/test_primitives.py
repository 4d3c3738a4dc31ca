"""The derivative and dual of every primitive are equal to those of TensorFlow."""

import numpy as np
import pytest
import tensorflow as tf

from kerashw.backprop import PRIMITIVES, Graph, Node, Primitive, Rule, relative_error
from kerashw.backprop.primitives import shapes_match

SIZES = {"M": 3, "K": 4, "C": 5}
CASES = [
    pytest.param(name, index, batch, id=f"{name}-{index}-{'batch' if batch else 'single'}")
    for name, primitive in PRIMITIVES.items()
    for index, rule in enumerate(primitive.rules)
    if rule is not None
    for batch in (False, True)
]


def random_arguments(primitive, batch, seed=0):
    random = np.random.default_rng(seed)
    arguments = []
    patterns = primitive.shapes.split("->")[0].split(",")
    for pattern, rule in zip(patterns, primitive.rules, strict=True):
        batch_shape = [6] if batch and pattern.startswith("*") else []
        shape = batch_shape + [SIZES[letter] for letter in pattern.removeprefix("*")]
        value = (
            random.integers(SIZES["C"], size=shape) if rule is None else random.normal(size=shape)
        )
        arguments.append(tf.constant(value))
    return arguments


@pytest.mark.parametrize(("name", "index", "batch"), CASES)
def test_derivative_and_dual_are_equal_to_tensorflow_and_transposes(name, index, batch):
    primitive = PRIMITIVES[name]
    arguments = random_arguments(primitive, batch)
    argument, rule = arguments[index], primitive.rules[index]
    δ = tf.random.stateless_normal(argument.shape, (1, 2), dtype=tf.float64)
    with tf.autodiff.ForwardAccumulator(argument, δ) as accumulator, tf.GradientTape() as tape:
        tape.watch(argument)
        y = primitive.function(*arguments)
    r = tf.random.stateless_normal(y.shape, (3, 4), dtype=tf.float64)
    change, signal = rule.derivative(*arguments, y, δ), rule.dual(*arguments, y, r)
    assert change.shape == y.shape
    assert signal.shape == argument.shape
    assert relative_error(change, accumulator.jvp(y)) < 1e-12
    assert relative_error(signal, tape.gradient(y, argument, output_gradients=r)) < 1e-12
    assert relative_error(tf.reduce_sum(change * r), tf.reduce_sum(δ * signal)) < 1e-12


@pytest.mark.parametrize("name", PRIMITIVES)
def test_the_pattern_matches_the_shapes_of_every_primitive(name):
    primitive = PRIMITIVES[name]
    for batch in (False, True):
        arguments = random_arguments(primitive, batch)
        assert shapes_match(primitive.shapes, [argument.shape for argument in arguments])
        result = primitive.shapes.split("->")[1]
        batch_shape = [6] if batch and result.startswith("*") else []
        expected = batch_shape + [SIZES[letter] for letter in result.removeprefix("*")]
        assert primitive.function(*arguments).shape.as_list() == expected


def test_a_new_primitive_is_one_entry(monkeypatch):
    primitive = Primitive(
        "*K->*K",
        "tanh({0})",
        tf.tanh,
        Rule(
            "tanh′({0}) ⊙",
            lambda x, y, δ: (1 - y * y) * δ,
            "tanh′({0}) ⊙",
            lambda x, y, r: (1 - y * y) * r,
        ),
    )
    monkeypatch.setitem(PRIMITIVES, "tanh", primitive)
    graph = Graph(["x"], [Node("y", "tanh", ("x",)), Node("L", "sum", ("y",))])
    values = graph.forward(x=[0.5, 1.0])
    gradient = graph.derivative(values, wrt="x").dual()(1.0)
    np.testing.assert_allclose(gradient, 1 - np.tanh([0.5, 1.0]) ** 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("pattern", "shapes", "match"),
    [
        ("MK,*K->*M", [(2, 3), (3,)], True),
        ("MK,*K->*M", [(2, 3), (7, 3)], True),
        ("MK,*K->*M", [(2, 3), (2,)], False),
        ("MK,*K->*M", [(2, 3), (1, 7, 3)], False),
        ("MK,*K->*M", [(2,), (2,)], False),
        ("MK,*K->*M", [(2, 3), (None, 3)], True),
        ("MK,*K->*M", [(2, None), (None, 3)], True),
        ("*K,*K->*K", [(2, 3), (2, 3)], True),
        ("*K,*K->*K", [(2, 3), (3,)], False),
        ("*K,*K->*K", [(2, 3), (4, 3)], False),
        ("*C,*->", [(5,), ()], True),
        ("*C,*->", [(2, 5), (2,)], True),
        ("*C,*->", [(2, 5), ()], False),
        ("*C,*->", [(2, 5), (3,)], False),
    ],
)
def test_shapes_match(pattern, shapes, match):
    assert shapes_match(pattern, [tf.TensorShape(shape) for shape in shapes]) is match

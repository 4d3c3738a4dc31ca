"""check_gradients accepts correct gradients and finds a wrong rule."""

from itertools import pairwise

import numpy as np
import pytest

from kerashw.backprop import (
    PRIMITIVES,
    Graph,
    Node,
    Primitive,
    check_gradients,
    homework_inputs,
    homework_network,
    mlp_network,
    relative_error,
)
from kerashw.errors import InputError


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("wrt", ["x", "A", "B"])
def test_the_homework_network_passes_every_comparison(wrt, dtype):
    check = check_gradients(homework_network(), wrt, **homework_inputs(K=4, dtype=dtype))
    assert check.passed, str(check)
    assert [row.against for row in check.rows] == [
        "closed form",
        "tf.GradientTape",
        "central finite differences",
        "tf.autodiff.ForwardAccumulator",
        "⟨δ, dual network⟩",
    ]


def mlp_inputs():
    random = np.random.default_rng(0)
    sizes = [6, 5, 4, 3]
    inputs = {"x": random.normal(size=(7, 6)), "labels": random.integers(3, size=7)}
    for i, (m, units) in enumerate(pairwise(sizes), start=1):
        inputs |= {f"W{i}": random.normal(size=(units, m)), f"b{i}": random.normal(size=units)}
    return inputs


@pytest.mark.parametrize("wrt", ["x", "W1", "b2", "W3"])
def test_a_graph_without_a_closed_form_has_no_row_for_it(wrt):
    check = check_gradients(mlp_network(), wrt, **mlp_inputs())
    assert check.passed, str(check)
    assert "closed form" not in [row.against for row in check.rows]


def test_entries_limits_the_finite_differences():
    check = check_gradients(homework_network(), "A", entries=2, **homework_inputs(K=40))
    assert check.passed


def with_wrong_rule(name, **change):
    primitive = PRIMITIVES[name]
    first, *others = primitive.rules
    rules = [first._replace(**change), *others]
    return Primitive(primitive.shapes, primitive.formula, primitive.function, *rules)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            {"dual": lambda x, y, r: y * r},
            {"closed form", "tf.GradientTape", "central finite differences", "⟨δ, dual network⟩"},
        ),
        (
            {"derivative": lambda x, y, δ: y * δ},
            {"tf.autodiff.ForwardAccumulator", "⟨δ, dual network⟩"},
        ),
    ],
)
def test_a_wrong_rule_is_found(monkeypatch, change, wrong):
    monkeypatch.setitem(PRIMITIVES, "sigmoid", with_wrong_rule("sigmoid", **change))
    check = check_gradients(homework_network(), "A", **homework_inputs(K=3))
    assert not check.passed
    assert {row.against for row in check.rows if not row.passed} == wrong
    assert str(check).count("wrong") == len(wrong)


def test_str_is_a_table():
    lines = str(check_gradients(homework_network(), "B", **homework_inputs(K=3))).splitlines()
    assert lines[0].split() == ["gradient", "wrt", "B", "against", "error", "at", "most"]
    assert len(lines) == 6
    assert len({len(line) for line in lines}) == 1


def test_a_nan_does_not_pass():
    inputs = homework_inputs(K=2)
    inputs["B"][0, 0] = np.nan
    assert not check_gradients(homework_network(), "A", **inputs).passed


def test_invalid_arguments_are_input_errors():
    inputs = homework_inputs(K=2)
    with pytest.raises(InputError, match=r"wrt must be an input: x, A, B. Received: 'y'"):
        check_gradients(homework_network(), "y", **inputs)
    with pytest.raises(InputError, match=r"inputs must be x, A, B. Received: none"):
        check_gradients(homework_network(), "A")
    with pytest.raises(InputError, match=r"wrt must be one of"):
        check_gradients(mlp_network(), "labels", **mlp_inputs())
    vector = Graph(["x"], [Node("y", "relu", ("x",))])
    with pytest.raises(InputError, match=r"must be a scalar. Received: shape \(2,\)"):
        check_gradients(vector, "x", x=[1.0, 2.0])


@pytest.mark.parametrize(
    ("actual", "expected", "error"),
    [
        ([0.0], [0.0], 0.0),
        ([2.0], [0.0], 1.0),
        ([1.0, 8.0], [1.0, 10.0], 0.2),
        ([1.0], [1.0, 1.0], float("inf")),
        ([], [], 0.0),
    ],
)
def test_relative_error(actual, expected, error):
    assert relative_error(actual, expected) == pytest.approx(error)


def test_relative_error_of_nan_is_nan():
    assert np.isnan(relative_error([np.nan], [1.0]))

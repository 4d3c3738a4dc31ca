"""The models of Questions 1 and 2, beside NumPy and the library that they are built from."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.backprop import homework_network
from kerashw.errors import InputError
from kerashw.export import backprop_step, export_question_model, space_descent
from kerashw.hypotheses import collapse, h1, h2, induced_step
from tests.export.test_warmup_requests import warmup_requests

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=8)


@pytest.fixture(scope="module")
def step(question_versions):
    return tf.saved_model.load(question_versions["backprop"]).signatures["step"]


@pytest.fixture(scope="module")
def descent(question_versions):
    return tf.saved_model.load(question_versions["spaces"]).signatures["descent"]


def call(signature, inputs):
    outputs = signature(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


@few
@given(rows=st.integers(1, 3), K=st.integers(1, 5), seed=seeds)
def test_step_computes_question_1(step, rows, K, seed):
    random = np.random.default_rng(seed)
    x, A, B = (random.normal(size=shape) for shape in ((rows, K), (rows, K, K), (rows, K, K)))
    outputs = call(step, {"x": x, "A": A, "B": B})
    net = homework_network()
    for row in range(rows):
        found = {name: value[row] for name, value in outputs.items()}
        values = net.forward(x=x[row], A=A[row], B=B[row])
        for name in "yuvszwL":
            np.testing.assert_allclose(found[name], values[name], rtol=1e-12, atol=1e-14)
        check_gradients(found, x[row], A[row])
    assert (outputs["relative_error"] < 1e-7).all()


def check_gradients(found, x, A):
    """Compare the signals, entries and gradients with formulas in NumPy."""
    u, v, s, z, w = (found[name] for name in "uvszw")
    g_w = 2 * w
    g_z = A.T @ g_w
    g_s = A.T @ g_z
    expected = {"g_w": g_w, "g_z": g_z, "g_s": g_s, "g_u": v * g_s, "g_v": u * g_s}
    expected |= {"slope": u * (1 - u), "g_y": u * (1 - u) * v * g_s}
    entries = [np.outer(g_w, z), np.outer(g_z, s), np.outer(expected["g_y"], x)]
    expected |= {"entries_A": entries, "sums_A": np.cumsum(entries, axis=0)}
    expected |= {"gradient_A": sum(entries), "gradient_B": np.outer(expected["g_v"], x)}
    scale = max(1, np.abs(expected["gradient_A"]).max())
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12 * scale)
    for name in "xAB":
        gradient, difference = found[f"gradient_{name}"], found[f"difference_{name}"]
        np.testing.assert_allclose(difference, gradient, rtol=1e-6, atol=1e-7 * scale)


def draw_problem(K, n, seed):
    random = np.random.default_rng(seed)
    A, B, C = (random.normal(size=(K, columns)) for columns in (K, K, 3))
    points, labels = random.uniform(-1, 1, (n, 2)), random.integers(0, K, n)
    rate = random.uniform(0.01, 0.1)
    inputs = {"points": points, "labels": labels.astype(np.int32), "learning_rate": rate}
    return inputs | {"A": A, "B": B, "C": C}


def as_rows(*problems):
    return {name: np.stack([problem[name] for problem in problems]) for name in problems[0]}


def losses(W, x, labels):
    probabilities = h1(W, x)[np.arange(len(labels)), labels]
    return -np.log(probabilities).mean()


@few
@given(K=st.integers(2, 4), n=st.integers(1, 8), seed=seeds)
def test_descent_takes_the_steps_of_both_spaces(descent, K, n, seed):
    problem = draw_problem(K, n, seed)
    found = {name: value[0] for name, value in call(descent, as_rows(problem)).items()}
    labels, rate = problem["labels"], problem["learning_rate"]
    x = np.column_stack([problem["points"], np.ones(n)])

    def gradient(W):
        return (h1(W, x) - np.eye(K)[labels]).T @ x / n

    factors = A, B, C = [problem[name] for name in "ABC"]
    W = collapse(*factors)
    for number in range(space_descent.STEPS + 1):
        collapsed = collapse(A, B, C)
        for name, weights in (("1", W), ("2", collapsed)):
            np.testing.assert_allclose(found[f"W{name}"][number], weights, rtol=1e-5, atol=1e-5)
            expected = losses(weights, x, labels)
            np.testing.assert_allclose(found[f"loss{name}"][number], expected, rtol=1e-5, atol=1e-6)
        if number == space_descent.STEPS:
            break
        G, M = gradient(collapsed), A + B
        W = W - rate * gradient(W)
        step = induced_step(A, B, C, G, rate)
        A, B, C = A - rate * G @ C.T, B - rate * G @ C.T, C - rate * M.T @ G
        np.testing.assert_allclose(collapse(A, B, C) - collapsed, step, atol=1e-9)
    for name, value in (("A", A), ("B", B), ("C", C)):
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5)
    assert found["difference"] <= 1e-13
    np.testing.assert_allclose(h2(A, B, C, x), h1(collapse(A, B, C), x), atol=1e-13)


def test_rows_are_independent_problems(descent):
    problems = [draw_problem(3, 5, seed) for seed in range(2)]
    together = call(descent, as_rows(*problems))
    for row, problem in enumerate(problems):
        for name, value in call(descent, as_rows(problem)).items():
            np.testing.assert_array_equal(together[name][row], value[0])


def test_descent_stays_finite(descent):
    problem = draw_problem(3, 5, 0) | {"learning_rate": np.float64(1e6)}
    assert all(np.isfinite(value).all() for value in call(descent, as_rows(problem)).values())


@pytest.mark.parametrize("wrong", [{"A": (1, 3, 3)}, {"x": (2, 2)}, {"B": (1, 2, 1)}], ids=str)
def test_step_refuses_other_shapes(step, wrong):
    shapes = {"x": (1, 2), "A": (1, 2, 2), "B": (1, 2, 2)} | wrong
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"A and B must have the shape \(N, K"):
        call(step, {name: np.ones(shape) for name, shape in shapes.items()})


@pytest.mark.parametrize("name", ["labels", "A", "B", "C", "points"])
def test_descent_refuses_other_shapes(descent, name):
    rows = as_rows(draw_problem(3, 5, 0))
    rows[name] = rows[name][:, :0]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"the shapes must be points \(N, n"):
        call(descent, rows)


def test_the_signatures_are_as_documented(step, descent):
    for signature, module in ((step, backprop_step), (descent, space_descent)):
        _, specs = signature.structured_input_signature
        assert {name: (spec.shape.rank, spec.dtype) for name, spec in specs.items()} == {
            spec.name: (spec.shape.rank, spec.dtype) for spec in module.INPUTS
        }
        outputs = signature.structured_outputs
        assert set(outputs) == set(module.OUTPUTS)
        # The first axis of every tensor is that of the rows, so that a server can batch requests.
        assert {spec.shape[0] for spec in (*specs.values(), *outputs.values())} == {None}


def test_the_warm_up_requests_run(question_versions, step, descent):
    for name, signature in (("backprop", step), ("spaces", descent)):
        [(signature_name, request)] = warmup_requests(question_versions[name])
        assert signature_name == {"backprop": "step", "spaces": "descent"}[name]
        call(signature, {key: tf.make_ndarray(value) for key, value in request.inputs.items()})


def test_an_unknown_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be one of backprop, spaces"):
        export_question_model("softmax", tmp_path)

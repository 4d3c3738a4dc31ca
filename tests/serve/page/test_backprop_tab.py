"""The tab of Question 1: numbers that are dragged and typed, beside those of NumPy."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from kerashw.backprop import homework_network
from tests.serve.page.browsing import PHONE, QUESTIONS, open_page

READ_NUMBERS = """(svg) => Object.fromEntries([...svg.querySelectorAll("[data-node]")].map(
    (node) => [node.dataset.node,
        [...node.querySelectorAll(".value")].map((text) => text.textContent)]))"""
READ_LABELS = """(svg) => Object.fromEntries([...svg.querySelectorAll("[data-arrow]")].map(
    (arrow) => [arrow.dataset.arrow, arrow.querySelector(".label").textContent]))"""


@pytest.fixture
def backprop(browser, page_server):
    """The page with the tab of Question 1."""
    with open_page(browser, page_server, "backprop", QUESTIONS) as page:
        expect(page.locator("#backprop-answer")).to_contain_text("L = ")
        yield page


def read_inputs(page):
    """Return x (K,), A and B (K, K) as they are in the fields."""
    values = {}
    for name in "xAB":
        fields = page.locator(f"#backprop-{name} input").filter(visible=True)
        values[name] = np.array(fields.evaluate_all("all => all.map((each) => Number(each.value))"))
    K = len(values["x"])
    return values["x"], values["A"].reshape(K, K), values["B"].reshape(K, K)


def to_numbers(texts):
    return np.array([float(text.replace("−", "-")) for text in texts])


def compute(x, A, B):
    """Return the values, the signals of the dual network and the gradients, in NumPy."""
    y, v = A @ x, B @ x
    u = 1 / (1 + np.exp(-y))
    s = u * v
    z = A @ s
    w = A @ z
    g_w = 2 * w
    g_z = A.T @ g_w
    g_s = A.T @ g_z
    g_u, g_v = v * g_s, u * g_s
    g_y = u * (1 - u) * g_u
    entries = [np.outer(g_w, z), np.outer(g_z, s), np.outer(g_y, x)]
    values = {"x": x, "A": A, "B": B, "y": y, "u": u, "v": v, "s": s, "z": z, "w": w, "L": w @ w}
    signals = {"y": g_y, "u": g_u, "v": g_v, "s": g_s, "z": g_z, "w": g_w, "L": 1.0}
    gradients = {"A": sum(entries), "B": np.outer(g_v, x), "x": A.T @ g_y + B.T @ g_v}
    return values, signals, gradients, entries


def expect_numpys_numbers(page):
    """Wait for the values of the fields, and compare everything that is shown with NumPy's."""
    values, signals, gradients, entries = compute(*read_inputs(page))
    loss = re.compile(rf"^L = {values['L']:#.6g}\. ")
    expect(page.locator("#backprop-answer")).to_contain_text(loss)
    for svg, numbers in (("values", values), ("dual", signals | gradients)):
        shown = page.locator(f"#backprop-{svg}").evaluate(READ_NUMBERS)
        assert set(shown) == set(values)
        for name, number in numbers.items():
            expected = np.ravel(number)
            np.testing.assert_allclose(to_numbers(shown[name]), expected, rtol=6e-3, atol=6e-3)
    matrices = page.locator("#backprop-gradients .matrix")
    texts = matrices.evaluate_all(
        "all => all.map((e) => [...e.children].map((c) => c.textContent))"
    )
    for number, name in enumerate("ABx"):
        for shown in texts[2 * number : 2 * number + 2]:  # the dual network, and differences
            np.testing.assert_allclose(to_numbers(shown), gradients[name].ravel(), rtol=1e-5)
    shown = page.locator("#backprop-sum .matrix")
    texts = shown.evaluate_all("all => all.map((e) => [...e.children].map((c) => c.textContent))")
    for text, entry in zip(texts, [*entries, gradients["A"]], strict=True):
        np.testing.assert_allclose(to_numbers(text), entry.ravel(), rtol=6e-3, atol=6e-3)


def field(page, name):
    return page.get_by_label(name, exact=True)


def drag(page, locator, pixels):
    box = locator.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels, y, steps=5)
    page.mouse.up()


def test_numbers_are_dragged_typed_and_changed_by_keys(backprop):
    expect_numpys_numbers(backprop)
    dragged = field(backprop, "A, row 1, column 2")
    before = float(dragged.input_value())
    drag(backprop, dragged, 60)
    assert float(dragged.input_value()) == pytest.approx(before + 1)
    expect_numpys_numbers(backprop)
    drag(backprop, dragged, -400)
    assert float(dragged.input_value()) == -5  # the smallest
    typed = field(backprop, "x, entry 2")
    typed.click()
    backprop.keyboard.type("1.25")  # a click selects the number
    assert float(typed.input_value()) == 1.25
    expect_numpys_numbers(backprop)
    backprop.keyboard.press("ArrowUp")
    assert float(typed.input_value()) == pytest.approx(1.3)
    typed.fill("")
    backprop.keyboard.press("Tab")
    assert float(typed.input_value()) == pytest.approx(1.3)
    for K in (1, 3):
        backprop.locator("#backprop-size").get_by_label(str(K), exact=True).check()
        assert len(read_inputs(backprop)[0]) == K
        expect_numpys_numbers(backprop)


def test_the_arrows_are_those_of_the_dual_networks(backprop):
    shown = backprop.locator("#backprop-dual").evaluate(READ_LABELS)
    net = homework_network()
    values = net.forward(x=np.ones(2), A=np.eye(2), B=np.eye(2))
    expected = {}
    for wrt in "xAB":
        for arrow in net.derivative(values, wrt).dual().arrows:
            source, target = (name.partition(".")[0] for name in (arrow.source, arrow.target))
            if source != target:
                expected[f"{target}-{source}"] = arrow.map.label
    assert shown == expected
    drawn = backprop.locator("#backprop-values [data-arrow]")
    names = set(drawn.evaluate_all("all => all.map((each) => each.dataset.arrow)"))
    assert names == {f"{argument}-{node.name}" for node in net.nodes for argument in node.arguments}


def test_the_entries_add_up_step_by_step(backprop):
    *_, entries = compute(*read_inputs(backprop))
    slider = backprop.get_by_label("The dual network, step by step")
    dual = backprop.locator("#backprop-dual")
    arrivals = {0: 0, 2: 0, 3: 1, 4: 2, 6: 2, 7: 3}
    for step, received in arrivals.items():
        slider.fill(str(step))
        numbers = dual.evaluate(READ_NUMBERS)
        total = backprop.locator("#backprop-sum .result .matrix span")
        assert (numbers["L"] == ["1.00"]) == (step > 0)
        if received:
            expected = np.ravel(sum(entries[:received]))
            for shown in (numbers["A"], total.all_inner_texts()):
                np.testing.assert_allclose(to_numbers(shown), expected, rtol=6e-3, atol=6e-3)
        else:
            assert numbers["A"] == []
            assert set(total.all_inner_texts()) == {"·"}
        assert backprop.locator("#backprop-sum .waiting").count() == 3 - received
    backprop.get_by_role("button", name="Feed 1").click()
    expect(backprop.locator("#backprop-text")).to_contain_text("Step 1 of 7.")
    backprop.get_by_role("button", name="Stop").click()


@pytest.mark.slow
def test_one_is_fed_and_runs_to_the_inputs(backprop):
    backprop.get_by_role("button", name="Feed 1").click()
    expect(backprop.locator("#backprop-text")).to_contain_text("Step 7 of 7.")
    expect(backprop.get_by_role("button", name="Feed 1")).to_be_visible()
    expect_numpys_numbers(backprop)


@pytest.mark.slow
def test_a_number_is_dragged_with_a_finger(browser, page_server):
    options = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    with open_page(browser, page_server, "backprop", QUESTIONS, **options) as page:
        session = page.context.new_cdp_session(page)
        dragged = field(page, "B, row 2, column 1")
        before = float(dragged.input_value())
        box = dragged.bounding_box()
        x, y = box["x"] + 20, box["y"] + 10
        for kind, points in (
            ("touchStart", [x]),
            *(("touchMove", [x + 6 * step]) for step in range(1, 6)),
            ("touchEnd", []),
        ):
            points = [{"x": point, "y": y} for point in points]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        assert float(dragged.input_value()) == pytest.approx(before + 0.5)
        expect_numpys_numbers(page)


def test_the_rest_api_takes_rows_and_columns(page_server):
    """In one request as rows and as columns, and in requests of another K."""
    random = np.random.default_rng(0)
    for K in (1, 4):
        inputs = {"x": random.normal(size=(2, K))}
        inputs |= {name: random.normal(size=(2, K, K)) for name in "AB"}
        columns = {name: value.tolist() for name, value in inputs.items()}
        rows = [{name: value[row] for name, value in columns.items()} for row in range(2)]
        path, request = "/v1/models/backprop:predict", {"signature_name": "step"}
        status, response = page_server.post(path, request | {"inputs": columns})
        assert status == 200
        outputs = response["outputs"]
        status, response = page_server.post(path, request | {"instances": rows})
        for row, prediction in enumerate(response["predictions"]):
            assert prediction == {name: value[row] for name, value in outputs.items()}
            values, _, gradients, _ = compute(*(inputs[name][row] for name in "xAB"))
            np.testing.assert_allclose(prediction["L"], values["L"], rtol=1e-12)
            for name, gradient in gradients.items():
                np.testing.assert_allclose(prediction[f"gradient_{name}"], gradient, rtol=1e-9)
    columns["x"] = [[1.0]] * 2
    status, response = page_server.post(path, request | {"inputs": columns})
    assert status == 400
    assert "A and B must have the shape (N, K, K) for x (N, K)" in response["error"]

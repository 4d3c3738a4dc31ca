"""The tab of Question 2: points that are moved, and gradient descent beside NumPy's."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from kerashw.hypotheses import collapse, expand, h1
from tests.serve.page.browsing import QUESTIONS, open_page
from tests.serve.page.test_tools import CLIPBOARD, copy_link

READ_MATRICES = """(element) => [...element.querySelectorAll(".matrix")].map(
    (matrix) => [...matrix.children].map((cell) => cell.textContent))"""
STEPS = 100
PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹\u00a0", "0123456789 ")
START = np.array([[0.4, 0.6, 0.1], [-0.3, -0.5, 0.2], [0.1, 0.5, -0.3]])


@pytest.fixture
def spaces(browser, page_server):
    """The page with the tab of Question 2."""
    with open_page(browser, page_server, "spaces", QUESTIONS, script=CLIPBOARD) as page:
        expect(page.locator("#spaces-answer")).to_contain_text("After 100 steps")
        yield page


def read_points(page):
    """Return the points (n, 2) and their classes (n,), as a screen reader reads them."""
    labels = page.locator("#spaces-plane .point").evaluate_all(
        'all => all.map((each) => each.getAttribute("aria-label"))'
    )
    found = [re.fullmatch(r"Point \d+, class (\d), at (\S+), (\S+)", each) for each in labels]
    points = [[float(each.replace("−", "-")) for each in match.groups()[1:]] for match in found]
    return np.array(points), np.array([int(match[1]) - 1 for match in found])


def read_matrices(page, element):
    texts = page.locator(element).evaluate(READ_MATRICES)
    numbers = [np.array([float(each.replace("−", "-")) for each in text]) for text in texts]
    return [each.reshape(-1, 3) if element == "#spaces-W" else each for each in numbers]


def descend(points, labels, rate=0.5, factor=1.0, steps=STEPS):
    """Return W after gradient descent in W, and the factors after gradient descent in them."""
    K, n = labels.max() + 1, len(labels)
    x = np.column_stack([points, np.ones(n)])
    W = START[:K]
    A, B, C = expand(W)
    A, C = factor * A, C / factor

    def gradient(W):
        return (h1(W, x) - np.eye(K)[labels]).T @ x / n

    for _ in range(steps):
        G, M = gradient(collapse(A, B, C)), A + B
        W = W - rate * gradient(W)
        A, B, C = A - rate * G @ C.T, B - rate * G @ C.T, C - rate * M.T @ G
    return W, (A, B, C)


def loss(W, points, labels):
    x = np.column_stack([points, np.ones(len(labels))])
    return -np.log(h1(W, x)[np.arange(len(labels)), labels]).mean()


def expect_numpys_numbers(page, steps=STEPS, **settings):
    """Wait for the losses of the shown points, and compare the matrices with NumPy's."""
    points, labels = read_points(page)
    W, factors = descend(points, labels, steps=steps, **settings)
    collapsed = collapse(*factors)
    one, two = (loss(each, points, labels) for each in (W, collapsed))
    text = f"After {steps} steps: loss {one:.3f} in W, {two:.3f} in (A + B) C"
    expect(page.locator("#spaces-answer")).to_have_text(text)
    for shown, expected in zip(read_matrices(page, "#spaces-W"), (W, collapsed), strict=True):
        np.testing.assert_allclose(shown, expected, rtol=6e-3, atol=6e-3)
    for space, weights in (("h1", W), ("h2", collapsed)):
        check_boundaries(page, space, weights)
    return factors, collapsed


def check_boundaries(page, space, W):
    """On the ends of the drawn lines, the two likeliest classes are equally likely."""
    path = page.locator(f"#spaces-plane path.{space}").get_attribute("d")
    pixels = np.array([float(each) for each in re.findall(r"-?[\d.]+", path)]).reshape(-1, 2)
    assert len(pixels) in (2, 4, 6)
    ends = np.column_stack([pixels[:, 0] / 160 - 1, 1 - pixels[:, 1] / 160, np.ones(len(pixels))])
    assert np.abs(ends).max() <= 1 + 1e-6
    logits = np.sort(ends @ W.T, axis=1)
    np.testing.assert_allclose(logits[:, -1], logits[:, -2], atol=1e-2)


def test_points_are_moved_with_the_mouse_and_the_keyboard(spaces):
    expect_numpys_numbers(spaces)
    before, _ = read_points(spaces)
    point = spaces.locator("#spaces-plane .point").nth(3)
    box = spaces.locator("#spaces-plane").bounding_box()
    x, y = (box[side] + box[size] / 2 for side, size in (("x", "width"), ("y", "height")))
    point.hover()
    spaces.mouse.down()
    spaces.mouse.move(x + box["width"] / 4, y - box["height"] / 8, steps=4)  # to (0.5, 0.25)
    spaces.mouse.up()
    after, _ = read_points(spaces)
    np.testing.assert_allclose(after[3], [0.5, 0.25], atol=0.01)
    expect_numpys_numbers(spaces)
    spaces.locator("#spaces-plane .point").nth(4).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowUp"):
        spaces.keyboard.press(key)
    after, _ = read_points(spaces)
    np.testing.assert_allclose(after[4], before[4] + [2 * 0.02 - 0.1, -0.02 + 0.1], atol=1e-9)
    expect_numpys_numbers(spaces)
    spaces.get_by_role("button", name="Reset the points").click()
    np.testing.assert_array_equal(read_points(spaces)[0], before)


def test_the_descent_by_step_rate_start_and_classes(spaces):
    slider = spaces.get_by_label("Steps of gradient descent")
    slider.fill("7")
    expect_numpys_numbers(spaces, steps=7)
    spaces.locator("#spaces-rate input").fill("1.5")
    spaces.locator("#spaces-factor input").fill("2")
    expect_numpys_numbers(spaces, steps=7, rate=1.5, factor=2.0)
    spaces.locator("#spaces-size").get_by_label("2", exact=True).check()
    assert set(read_points(spaces)[1]) == {0, 1}
    expect_numpys_numbers(spaces, steps=7, rate=1.5, factor=2.0)
    slider.fill("0")  # both start as the same function
    (_, one), (_, two) = re.findall(r"(loss )?([\d.]+) in", spaces.inner_text("#spaces-answer"))
    assert one == two
    one, two = read_matrices(spaces, "#spaces-W")
    np.testing.assert_array_equal(one, two)


def test_the_factors_collapse_to_one_matrix(spaces):
    spaces.get_by_label("Steps of gradient descent").fill("20")
    factors = spaces.locator("#spaces-factors .matrix")
    expect(factors).to_have_count(3)
    button = spaces.get_by_role("button", name="Collapse to one matrix")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(factors).to_have_count(4)
    (A, B, C), collapsed = expect_numpys_numbers(spaces)  # at the last step
    shown = read_matrices(spaces, "#spaces-factors")
    for numbers, expected in zip(shown, (A, B, C, collapsed), strict=True):
        np.testing.assert_allclose(numbers, expected.ravel(), rtol=6e-3, atol=6e-3)
    text = spaces.locator("#spaces-collapsed").inner_text().translate(PLAIN)
    assert re.search(r"differ by at most (0|\d · 10⁻1[4-9])\.", text)
    check_boundaries(spaces, "collapsed", collapsed)
    button.click()
    expect(factors).to_have_count(3)


@pytest.mark.slow
def test_a_link_holds_the_numbers_and_points(spaces):
    spaces.locator("#spaces-plane .point").first.focus()
    spaces.keyboard.press("Shift+ArrowUp")
    spaces.locator("#spaces-factor input").fill("1.5")
    spaces.get_by_label("Steps of gradient descent").fill("50")
    expect_numpys_numbers(spaces, steps=50, factor=1.5)
    points, link = read_points(spaces)[0], copy_link(spaces)
    spaces.get_by_role("button", name="Reset the points").click()
    spaces.goto(link)
    np.testing.assert_array_equal(read_points(spaces)[0], points)
    spaces.reload()
    expect(spaces.locator("#spaces-answer")).to_contain_text("After 50 steps")
    expect_numpys_numbers(spaces, steps=50, factor=1.5)
    np.testing.assert_array_equal(read_points(spaces)[0], points)
    spaces.locator("#backprop-tab").click()
    entry = spaces.get_by_label("A, row 2, column 1", exact=True)
    entry.fill("-1.75")
    spaces.get_by_label("The dual network, step by step").fill("3")
    link = copy_link(spaces)
    entry.fill("0")
    spaces.goto(link)
    expect(spaces.locator("#backprop-text")).to_contain_text("Step 3 of 7.")
    assert entry.input_value() == "-1.75"


@pytest.mark.slow
def test_the_descent_is_played(spaces):
    spaces.get_by_role("button", name="Play").click()
    expect(spaces.get_by_role("button", name="Stop")).to_be_visible()
    expect(spaces.locator("#spaces-answer")).to_have_attribute("aria-busy", "true")
    expect(spaces.get_by_role("button", name="Play")).to_be_visible()
    expect_numpys_numbers(spaces)

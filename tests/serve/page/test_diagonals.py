"""The diagonals tab: drawings by button, mouse and keyboard, and the feature map of them."""

import itertools

import numpy as np
import pytest
from playwright.sync_api import expect

from kerashw.verify.diagonal_proof import worked_example
from tests.serve.page.browsing import (
    draw_with_mouse,
    open_page,
    points_on_grid,
    read_feature_map,
    read_grid,
)
from tests.serve.page.conftest import LEARNED_KERNEL


def correlate(image):
    return image[:-2, 2:] + image[1:-1, 1:-1] + image[2:, :-2]


def clear(page):
    expect(page.locator("#diagonal-answer")).to_have_text("2 peaks: Class 2")
    page.locator("#clear-grid").click()
    expect(page.locator("#diagonal-answer")).to_have_text("0 peaks: Class 2")


def test_the_worked_example_has_two_peaks(diagonals):
    example, answer = worked_example(), diagonals.locator("#diagonal-answer")
    for button, text in (
        ("Clear", "0 peaks: Class 2"),
        ("Main diagonals", "0 peaks: Class 2"),
        ("Worked example", "2 peaks: Class 2"),
    ):
        diagonals.get_by_role("tabpanel").get_by_role("button", name=button).click()
        expect(answer).to_have_text(text)
        explanation = diagonals.locator("#explained")
        if button == "Clear":
            expect(explanation).to_contain_text("even to an empty image")
            assert not read_grid(diagonals).any()
        if button == "Main diagonals":
            expect(explanation).to_contain_text("Only diagonals from the lower left")
            assert correlate(read_grid(diagonals)[:, ::-1]).max() == 3
    np.testing.assert_array_equal(read_grid(diagonals), example.image)
    np.testing.assert_array_equal(read_feature_map(diagonals), example.feature_map)
    positions = [f"row {row}, column {column}" for row, column in np.argwhere(example.peaks)]
    expect(diagonals.locator("#peaks")).to_have_text(f"The peaks: {'; '.join(positions)}.")
    expect(diagonals.locator("#grid .frame")).to_have_count(2)
    expect(diagonals.get_by_role("img", name="Feature map. Peaks: ")).to_be_visible()


def test_pixels_are_drawn_with_the_mouse(diagonals):
    clear(diagonals)
    draw_with_mouse(diagonals, [(6.5, 6.5), (8.5, 4.5)], steps=9, place=points_on_grid)
    expect(diagonals.locator("#diagonal-answer")).to_have_text("1 peak: Class 1")
    pixels = {tuple(position) for position in np.argwhere(read_grid(diagonals))}
    assert pixels == {(6, 6), (7, 5), (8, 4)}
    np.testing.assert_array_equal(read_feature_map(diagonals), correlate(read_grid(diagonals)))


def draw_line(page, start, end, steps=12):
    """Clear the grid and draw a line; return its cells in the order of their rows."""
    page.locator("#clear-grid").dispatch_event("click")
    draw_with_mouse(page, [start, end], steps, place=points_on_grid)
    return np.argwhere(read_grid(page)).tolist()


def test_a_line_at_45_degrees_is_a_diagonal(diagonals):
    """Wherever in its cell it begins, however fast it is, and also where it leaves the grid."""
    clear(diagonals)
    lines = ((0.5, 0.5, 4.0, 30), (0.2, 0.75, 3.6, 7), (0.85, 0.6, 4.3, 1), (0.1, 0.1, 4.0, 3))
    for (row, column, length, steps), side in itertools.product(lines, (1, -1)):
        start = 6 + row, 9 + column
        end = start[0] + length, start[1] + side * length
        cells = draw_line(diagonals, start, end, steps)
        assert cells == [[6 + step, 9 + side * step] for step in range(len(cells))], (start, end)
        assert abs(len(cells) - 1 - length) < 1
    diagonal = [[0, 2], [1, 1], [2, 0]]
    assert draw_line(diagonals, (2.5, 0.5), (-1.5, 4.5)) == diagonal
    draw_with_mouse(diagonals, [(2.5, 0.5), (0.5, 2.5)], place=points_on_grid)
    assert not read_grid(diagonals).any()  # a line that begins on a set pixel clears pixels


def test_lines_are_one_pixel_wide(diagonals):
    clear(diagonals)
    assert draw_line(diagonals, (3.2, 2.4), (3.8, 6.6)) == [[3, column] for column in range(2, 7)]
    assert draw_line(diagonals, (3.2, 2.4), (8.9, 2.1)) == [[row, 2] for row in range(3, 9)]
    for start, end in (((3.2, 2.4), (9.6, 14.9)), ((15.5, 4.4), (3.3, 8.1)), ((9, 16), (12, 2))):
        cells = np.array(draw_line(diagonals, start, end))
        spans = np.ptp(cells, axis=0)
        assert len(cells) == spans.max() + 1  # one cell in each row, or in each column
    diagonals.locator("#clear-grid").dispatch_event("click")
    corner = [(9.5, 3.5), (9.5, 6.5), (12.5, 6.5)]
    draw_with_mouse(diagonals, corner, place=points_on_grid)
    pixels = [[9, column] for column in range(3, 7)] + [[row, 6] for row in range(10, 13)]
    assert np.argwhere(read_grid(diagonals)).tolist() == pixels
    # A line through set pixels clears those on the line, and none that it only cuts.
    for row in (5.5, 6.5, 7.5):
        draw_with_mouse(diagonals, [(row, 9.5), (row, 14.5)], place=points_on_grid)
    before = read_grid(diagonals)
    draw_with_mouse(diagonals, [(5.3, 10.8), (8.3, 13.8)], 30, place=points_on_grid)
    cleared = np.argwhere(read_grid(diagonals) != before).tolist()
    assert cleared == [[5, 10], [6, 11], [7, 12]]


def test_pixels_are_drawn_with_the_keys(diagonals):
    clear(diagonals)
    keys = diagonals.keyboard
    keys.press("Shift+Tab")  # from the first button to the grid
    for key in ["End", "ArrowLeft", *["Space", "ArrowDown", "ArrowLeft"] * 3]:
        keys.press(key)
    expect(diagonals.locator("#diagonal-answer")).to_have_text("1 peak: Class 1")
    assert np.argwhere(read_grid(diagonals)).tolist() == [[0, 18], [1, 17], [2, 16]]
    focus = "document.activeElement.getAttribute('aria-label')"
    assert diagonals.evaluate(focus) == "row 3, column 15"
    keys.press("Home")
    keys.press("ArrowLeft")  # the focus stays in the first column
    assert diagonals.evaluate(focus) == "row 3, column 0"


@pytest.mark.slow
def test_the_learned_kernel_is_shown_and_answers(browser, page_server):
    models = ("diagonal", "learned_diagonal")
    with open_page(browser, page_server, "diagonals", models=models) as page:
        page.locator("#learned").scroll_into_view_if_needed()
        answer = page.locator("#learned-answer")
        expect(answer).to_contain_text("Class 2")
        expect(page.locator("#learned-model")).to_contain_text("the threshold θ = 1.00")
        texts = page.locator("#learned .kernel span").all_inner_texts()
        numbers = np.array([float(text.replace("−", "-")) for text in texts]).reshape(3, 3)
        np.testing.assert_allclose(numbers, LEARNED_KERNEL, atol=0.01)
        page.locator("#clear-grid").click()
        draw_with_mouse(page, [(7.5, 4.5), (5.5, 6.5)], place=points_on_grid)  # one diagonal
        expect(page.locator("#diagonal-answer")).to_have_text("1 peak: Class 1")
        page.locator("#learned").scroll_into_view_if_needed()
        expect(answer).to_contain_text("Class 1")

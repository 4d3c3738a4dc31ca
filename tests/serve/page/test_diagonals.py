"""The diagonals tab: drawings by button, mouse and keyboard, and the feature map of them."""

import numpy as np
from playwright.sync_api import expect

from kerashw.verify.diagonal_proof import worked_example
from tests.serve.page.browsing import read_feature_map, read_grid


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
    cells = diagonals.locator("[role=gridcell]")
    boxes = [cells.nth(20 * row + 12 - row).bounding_box() for row in (6, 7, 8)]
    centres = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    diagonals.mouse.move(*centres[0])
    diagonals.mouse.down()
    diagonals.mouse.move(*centres[2], steps=9)
    diagonals.mouse.up()
    expect(diagonals.locator("#diagonal-answer")).to_have_text("1 peak: Class 1")
    pixels = {tuple(position) for position in np.argwhere(read_grid(diagonals))}
    assert pixels >= {(6, 6), (7, 5), (8, 4)}
    np.testing.assert_array_equal(read_feature_map(diagonals), correlate(read_grid(diagonals)))


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

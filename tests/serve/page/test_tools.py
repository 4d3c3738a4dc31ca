"""The tools for a class: the help for the keyboard, large type, links and pictures."""

import io

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests.serve.page.browsing import (
    DESKTOP,
    OVERLAPS,
    PHONE,
    draw_with_mouse,
    encode_image,
    expect_seven,
    open_page,
    points_on_grid,
    read_bars,
    read_grid,
    read_normalized_digit,
)

# Keeps what the page copies; or, as a browser does for a page without https, refuses it.
CLIPBOARD = """
Object.defineProperty(navigator, "clipboard", {
    value: { writeText: async (text) => { window.copied = text; } },
});
"""
NO_CLIPBOARD = 'Object.defineProperty(navigator, "clipboard", { value: undefined });'


def copy_link(page):
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#message")).to_contain_text("The link is copied.")
    return page.evaluate("copied")


def test_a_link_holds_the_drawing(browser, page_server):
    with open_page(browser, page_server, script=CLIPBOARD) as page:
        draw_with_mouse(page)
        expect_seven(page)
        bars, digit, link = read_bars(page), read_normalized_digit(page), copy_link(page)
        assert link.startswith(f"{page_server.url}/#digits=")
        assert len(link) < 300
        page.goto(link)
        page.reload()  # the new address differs after # only
        expect_seven(page)
        np.testing.assert_array_equal(read_normalized_digit(page), digit)
        assert read_bars(page) == bars
        assert copy_link(page) == link


@pytest.mark.slow
def test_a_link_holds_the_grid(browser, page_server):
    with open_page(browser, page_server, "diagonals", script=CLIPBOARD) as page:
        page.locator("#clear-grid").click()
        draw_with_mouse(page, [(0.5, 19.5), (19.5, 0.5)], place=points_on_grid)
        drawn, link = read_grid(page), copy_link(page)
        assert drawn[[0, 19], [19, 0]].all()
        page.locator("#clear-grid").click()
        page.goto(link)
        expect(page.locator("#diagonal-answer")).to_contain_text("18 peaks")
        np.testing.assert_array_equal(read_grid(page), drawn)


@pytest.mark.slow
def test_what_is_not_in_a_link_is_said(browser, page_server):
    with open_page(browser, page_server, script=NO_CLIPBOARD) as page:
        picture = encode_image(np.kron(np.eye(3, dtype=np.uint8), np.full((30, 30), 255, np.uint8)))
        page.set_input_files("#open", {"name": "x", "mimeType": "image/png", "buffer": picture})
        page.get_by_role("button", name="Copy link").click()
        dialog = page.get_by_role("dialog", name="Link to this tab")
        expect(dialog).to_contain_text("an opened picture cannot be in a link")
        assert dialog.get_by_role("textbox").input_value() == f"{page_server.url}/#digits"
        assert page.evaluate("getSelection().toString()") == f"{page_server.url}/#digits"
        page.keyboard.press("Escape")
        for damaged in ("AAAA", "!", "Ng"):  # no points, no base64, too few bytes
            page.goto(f"{page_server.url}/#digits={damaged}")
            expect(page.locator("#message")).to_contain_text("the link is damaged or cut short")
            page.evaluate("document.getElementById('message').textContent = ''")


@pytest.mark.slow
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_tab_is_saved_as_a_picture(browser, page_server, viewport):
    scheme = "dark" if viewport is PHONE else "light"
    with open_page(browser, page_server, viewport=viewport, color_scheme=scheme) as page:
        draw_with_mouse(page)
        expect_seven(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as PNG").click()
        assert download.value.suggested_filename == "kerashw-digits.png"
        saved = Image.open(download.value.path()).convert("RGB")
        panel = page.locator("#digits")
        box, margin = panel.bounding_box(), 16
        width, height = saved.size
        assert abs(width - 2 * (box["width"] + 2 * margin)) <= 1
        assert abs(height - 2 * (box["height"] + 2 * margin)) <= 1
        # It looks like the tab, except at the edges of letters.
        page.locator("#message").evaluate("(each) => { each.textContent = ''; }")
        seen = Image.open(io.BytesIO(panel.screenshot())).convert("RGB")
        inner = saved.crop((2 * margin, 2 * margin, width - 2 * margin, height - 2 * margin))
        pair = [np.asarray(each.reduce(8), float) for each in (inner.resize(seen.size), seen)]
        assert np.abs(pair[0] - pair[1]).mean() < 2


def test_the_keys_of_a_lecturer(browser, page_server):
    with open_page(browser, page_server, viewport=PHONE) as page:
        size = "getComputedStyle(document.body).fontSize"
        page.locator("#sheet").focus()
        page.keyboard.press("+")
        assert page.evaluate(size) == "24px"
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert page.evaluate(OVERLAPS) == []
        expect(page.get_by_role("button", name="Large type", pressed=True)).to_be_visible()
        page.keyboard.press("+")
        assert page.evaluate(size) == "16px"
        page.keyboard.press("f")
        page.wait_for_function("document.fullscreenElement === document.documentElement")
        page.keyboard.press("f")
        page.wait_for_function("document.fullscreenElement === null")
        page.keyboard.press("?")
        help_ = page.get_by_role("dialog", name="Keyboard")
        for row in ("full screen", "large type", "move the pen"):
            expect(help_).to_contain_text(row)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page, options={"resultTypes": ["violations"]})
            assert found.violations_count == 0, found.generate_report()
        page.keyboard.press("?")
        expect(help_).to_be_hidden()

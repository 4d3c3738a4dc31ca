"""The layout of the page, its tabs, and its accessibility."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.serve.page.browsing import (
    DESKTOP,
    HOMEWORK,
    OVERLAPS,
    PHONE,
    QUESTIONS,
    draw_with_mouse,
    expect_seven,
    open_page,
)

ALL = (*HOMEWORK, *QUESTIONS)
# The tabs, and what their answers contain.
ANSWERS = {"digits": "7", "diagonals": "2 peaks", "backprop": "L = ", "spaces": "After 100 steps"}


def test_the_arrow_keys_select_a_tab(digits):
    digits.locator("#digits-tab").focus()
    for key, selected in (
        ("ArrowRight", "diagonals"),
        ("ArrowRight", "backprop"),
        ("ArrowRight", "spaces"),
        ("ArrowRight", "digits"),
        ("ArrowLeft", "spaces"),
        ("Home", "digits"),
        ("End", "spaces"),
    ):
        digits.keyboard.press(key)
        tab = digits.get_by_role("tab", selected=True)
        assert tab.evaluate("each => each === document.activeElement")
        assert digits.get_by_role("tabpanel").get_attribute("id") == selected
        assert digits.url.endswith(f"#{selected}")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_too_wide_or_overlaps(browser, page_server, viewport):
    with open_page(browser, page_server, models=ALL, viewport=viewport) as page:
        draw_with_mouse(page)
        expect_seven(page)
        for tab, text in ANSWERS.items():
            page.locator(f"#{tab}-tab").click()
            expect(page.get_by_role("tabpanel").get_by_role("status").first).to_contain_text(text)
            if tab == "backprop":
                page.locator("#backprop-size").get_by_label("3", exact=True).check()
                expect(page.locator("#backprop-A input:visible")).to_have_count(9)
            if tab == "spaces":
                page.get_by_role("button", name="Collapse").click()
            assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
            assert page.evaluate(OVERLAPS) == []


def test_the_page_is_accessible(browser, page_server):
    """Axe finds no violation of its rules in the light and the dark colour scheme."""
    with open_page(browser, page_server, models=ALL, color_scheme="light") as page:
        draw_with_mouse(page)
        expect_seven(page)
        for tab, text in ANSWERS.items():
            page.locator(f"#{tab}-tab").click()
            expect(page.get_by_role("tabpanel").get_by_role("status").first).to_contain_text(text)
            # The colour scheme changes nothing but colours.
            for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
                page.emulate_media(color_scheme=scheme)
                # Axe lists the elements of violations only, which is faster.
                found = Axe().run(page, options={"resultTypes": ["violations"], **rules})
                assert found.response["passes"]
                assert found.violations_count == 0, found.generate_report()

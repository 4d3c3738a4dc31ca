"""The page with models that are not the homework's, and without any model."""

from playwright.sync_api import expect

from tests.serve.page.browsing import OVERLAPS, PHONE, draw_with_mouse, open_page
from tests.serve.page.conftest import CLOTHES


def test_without_a_model_the_page_says_what_to_type(browser, page_server):
    with open_page(browser, page_server, models=()) as page:
        for tab, model in (
            ("digits", "softmax"),
            ("diagonals", "diagonal"),
            ("backprop", "backprop spaces"),
            ("spaces", "backprop spaces"),
        ):
            page.locator(f"#{tab}-tab").click()
            text = page.get_by_role("tabpanel").inner_text()
            assert f"python -m kerashw.train --model {model}" in text
            assert "python -m kerashw.serve --model_config_file=" in text
            expect(
                page.locator(f"#{tab} :is(canvas, [role=grid], .network, .chart)").first
            ).to_be_hidden()


def test_classes_have_their_labels_and_probabilities_may_come_alone(browser, page_server):
    with open_page(browser, page_server, models=("bare", "clothes"), viewport=PHONE) as page:
        for _ in range(2):
            draw_with_mouse(page)
            status = page.locator("#digit-answer")
            expect(status).to_have_text("bare says 7, clothes says Ankle boot")
            page.locator("#clear-sheet").click()
            expect(status).to_have_text("Draw a digit")
        for card, labels in ((0, list("0123456789")), (1, CLOTHES)):
            assert page.locator(".card").nth(card).locator("th").all_inner_texts() == labels
        draw_with_mouse(page)
        expect(page.locator(".winner th")).to_have_text(["7", "Ankle boot"])
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert page.evaluate(OVERLAPS) == []
        widths = page.locator(".winner .bar").evaluate_all("all => all.map((e) => e.offsetWidth)")
        assert min(widths) > 20


def test_the_diagonals_tab_needs_diagonals_of_three_pixels(browser, page_server):
    with open_page(browser, page_server, "diagonals", models=("longer",)) as page:
        expect(page.locator("#diagonals .missing")).to_contain_text("count diagonals of 3 pixels")
        expect(page.locator("#grid")).to_be_hidden()

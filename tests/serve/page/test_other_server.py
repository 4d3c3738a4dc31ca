"""The page with the models of another server, which must allow requests of other origins."""

import pytest
from playwright.sync_api import expect

from tests.ports import free_port
from tests.serve.page.browsing import draw_with_mouse, expect_seven, open_page, read_bars


def test_models_of_another_server(browser, server, page_server, digits):
    """The page of a server without these models shows what their own server's page shows."""
    other = f"{page_server.url}/&models=mlp,softmax"
    with open_page(browser, server, models=(), other=other) as page:
        draw_with_mouse(page)
        expect_seven(page)
        expect(page.get_by_role("contentinfo")).to_contain_text(f"Models of {page_server.url}")
        draw_with_mouse(digits)
        expect_seven(digits)
        assert read_bars(page) == read_bars(digits)


@pytest.mark.slow
def test_models_are_found_by_their_usual_names(browser, server, page_server):
    # The requests for models that are missing are logged.
    with open_page(browser, server, models=(), other=page_server.url, may_log=True) as page:
        names = page.locator("#served li a").all_inner_texts()
        assert names[:3] == ["softmax", "mlp", "diagonal"]
        assert "clothes" not in names
        page.locator("#diagonals-tab").click()
        expect(page.locator("#diagonal-answer")).to_have_text("2 peaks: Class 2")


@pytest.mark.slow
def test_a_server_that_does_not_answer(browser, server, page_server):
    off = f"http://127.0.0.1:{free_port()}"
    for other in (server.url, off):  # the first does not allow requests of other origins
        with open_page(browser, page_server, other=other, may_log=True) as page:
            expect(page.get_by_role("alert")).to_contain_text(
                f"{other} does not answer. Is it running with --rest_api_enable_cors_support?"
            )


@pytest.mark.slow
def test_the_server_must_be_a_url(browser, page_server):
    with open_page(browser, page_server, other="localhost:8501") as page:
        expect(page.get_by_role("alert")).to_contain_text("Received: localhost:8501")

"""The book as it was built by `sphinx-build -W notebooks build/book`."""

import html
import importlib
import os
import re
import urllib.parse

import pytest
from playwright.sync_api import expect, sync_playwright

import kerashw
from kerashw.__main__ import COMMANDS, NAME
from tests.conftest import ROOT, find_program

pytestmark = pytest.mark.slow
BOOK = ROOT / "build" / "book"
# The pages of other projects to which it links.
SITES = {
    "arxiv.org",
    "creativecommons.org",
    "github.com",
    "keepachangelog.com",
    "keras.io",
    "numpy.org",
    "semver.org",
    "www.tensorflow.org",
    "yann.lecun.com",
}


@pytest.fixture(scope="module")
def pages():
    """The text of each page, by its path."""
    if not (BOOK / "searchindex.js").exists():
        reason = "there is no book: sphinx-build -W notebooks build/book"
        pytest.fail(reason) if os.environ.get("KERASHW_REQUIRE_TOOLS") else pytest.skip(reason)
    return {path: path.read_text(encoding="utf-8") for path in BOOK.rglob("*.html")}


def attributes(text, names):
    return [html.unescape(value) for value in re.findall(rf'\s(?:{names})="([^"]*)"', text)]


def test_every_link_inside_the_book_has_a_target(pages):
    anchors = {path: set(attributes(text, "id|name")) for path, text in pages.items()}
    for path, text in pages.items():
        for link in attributes(re.sub(r"<script.*?</script>", "", text, flags=re.S), "href|src"):
            url = urllib.parse.urlsplit(link)
            if url.scheme:
                continue
            target = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
            assert target.is_file(), f"{path}: {link}"
            if url.fragment and target in anchors:
                fragment = urllib.parse.unquote(url.fragment)
                assert fragment in anchors[target] | {"top"}, f"{path}: {link}"


def test_nothing_is_loaded_from_elsewhere_and_links_lead_to_known_sites(pages):
    for text in pages.values():
        for tag in re.findall(r"<(?:script|img|link|iframe)\s[^>]*>", text):
            assert not re.search(r'(?:src|href)="(?:https?:)?//', tag), tag
        for link in attributes(text, "href"):
            url = urllib.parse.urlsplit(link)
            if url.scheme in ("http", "https"):
                assert url.hostname in SITES, link


def test_every_public_name_is_in_the_reference(pages):
    text = "".join(text for path, text in pages.items() if path.parent.name == "reference")
    documented = set(re.findall(r'id="(?:module-)?(kerashw[\w.]*)"', text))
    for package in (name for name in kerashw.__all__ if not name.startswith("_")):
        module = importlib.import_module(f"kerashw.{package}")
        names = {f"{module.__name__}.{name}" for name in getattr(module, "__all__", [])}
        names = {name for name in names if callable(_resolve(name))}
        assert documented >= names | {module.__name__}


def _resolve(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_every_commands_help_is_in_the_reference(pages):
    text = pages[BOOK / "reference" / "commands.html"]
    for command in COMMANDS:
        assert f"usage: {NAME}.{command} [-h]" in re.sub(r"<[^>]+>", "", text)


def test_formulas_and_search_work_without_a_network(pages):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_program("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(offline=True)
        requests, errors = [], []
        page.on("pageerror", lambda error: errors.append(error))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((BOOK / "2-hypotheses.html").as_uri())
        expect(page.locator("mjx-container svg").first).to_be_visible()
        page.goto((BOOK / "search.html").as_uri() + "?q=Adadelta")
        expect(page.locator("#search-results li a").first).to_be_visible()
        assert all(url.startswith(("file:", "data:")) for url in requests)
        assert not errors
        browser.close()

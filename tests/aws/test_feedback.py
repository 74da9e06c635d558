"""The table of feedback's pieces: each has its sources, and says what the rest of the room does."""

from __future__ import annotations

import re

import pytest

from fmcourse import aws, show
from fmcourse.data import limits
from fmcourse.data.formats import PREFERENCE, REINFORCEMENT


@pytest.fixture(scope="module")
def pieces():
    return aws.feedback_table().set_index("what")


def test_every_piece_has_all_that_is_said_of_it(pieces):
    assert pieces.columns.tolist() == ["older notes say", "today (November 2026)", "source"]
    assert pieces.index.is_unique
    assert len(pieces) == 8
    assert (pieces.map(str.strip) == pieces).all().all()
    assert (pieces != "").all().all()


def test_every_source_is_a_page_of_aws(pieces):
    for sources in pieces["source"]:
        for address in sources.split():
            assert re.fullmatch(r"https://(docs\.aws\.amazon\.com|docs\.amazonaws\.cn|"
                                r"aws\.amazon\.com)/[\w/.-]+", address)


@pytest.mark.parametrize(("piece", "form"), [("(DPO)", PREFERENCE), ("(RLVR)", REINFORCEMENT)])
def test_a_piece_that_has_records_names_the_page_of_their_format(pieces, piece, form):
    source, = (sources for what, sources in pieces["source"].items() if what.endswith(piece))
    assert set(source.split()) & set(form.sources)


def test_models_of_reinforcement_are_those_of_jobs_and_of_limits(pieces):
    now, = (now for what, now in pieces["today (November 2026)"].items() if "(RLVR)" in what)
    named = re.match(r"Bedrock: ([^;]+);", now)[1].split(", ")
    names = [name.lower().replace(" ", "-") for name in named]
    assert all("bedrock-rft" in limits(f"{name}-rft").formats for name in names)
    assert {name for name, base in aws.bases().items() if base.reinforced} <= set(names)


def test_a_lesson_can_show_it():
    shown = show.table(aws.feedback_table())
    assert "<script" not in shown.markup
    assert str(shown).count("\n") == 8

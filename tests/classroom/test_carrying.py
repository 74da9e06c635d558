"""Progress on two machines: what is read in is added, and nothing that is here is lost."""

import contextlib
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from exam.test_review import BANK, RIGHT, WRONG, say
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmcourse import progress, user_data
from fmcourse.classroom import carrying
from fmcourse.errors import StoreError
from fmcourse.exam import bank, mock, review, sheet

NOON, DAY = datetime(2026, 11, 26, 12, tzinfo=UTC), timedelta(days=1)


LABEL = '{"text": "a", "reading": "first", "label": "é"}\n'
CHOICE = '{"pair": "a", "left": "first", "repeated": false, "side": "left", "choice": "first"}\n'
MOCK = json.dumps(asdict(mock.draw(BANK, 0, NOON)))


def spoilt(**change):
    return json.dumps({**json.loads(MOCK), **change})


@pytest.fixture(autouse=True)
def items(monkeypatch):
    """The exam has these questions and no others."""
    monkeypatch.setattr(bank, "load", lambda: BANK)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Go to a machine of this name."""
    def go(name):
        monkeypatch.setenv("FMCOURSE_DATA", str(tmp_path / name))
        return tmp_path / f"{name}.json"

    return go


def cards():
    with progress.opened() as database:
        return dict(database.execute("select item, card from exam_card"))


def test_all_that_was_done_by_hand_arrives_and_a_second_reading_adds_nothing(machine):
    file = machine("one")
    progress.begun("01", "cpu")
    progress.claimed("01", "cpu", "K1", "bits", "shown")
    progress.tried("01", "twice", "right")
    say(BANK[0], WRONG)
    for name, text in {"labels/a.jsonl": LABEL, "rankings/b.jsonl": CHOICE,
                       "progress/mocks/2026-11-26T12-00-00.json": MOCK}.items():
        path = user_data.folder(name.split("/")[0]).parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    carrying.write(file)
    before = json.loads(file.read_text())
    again = machine("two")
    assert carrying.read(file) == carrying.Merged(7, 0, ())
    assert carrying.read(file) == carrying.Merged(0, 7, ())
    after = json.loads(carrying.write(again).read_text())
    assert {**after, "written": ""} == {**before, "written": ""}
    assert review.outcomes(BANK) == [(BANK[0], False)]


def test_answers_of_both_sides_count_in_the_order_of_their_times(machine):
    file = machine("laptop")
    say(BANK[0], RIGHT, NOON)
    say(BANK[0], WRONG, NOON + 2 * DAY)
    carrying.write(file)
    machine("desktop")
    say(BANK[0], RIGHT, NOON + DAY)
    assert carrying.read(file).added == 2
    assert review.outcomes(BANK) == [(BANK[0], False)]  # the later answer, though read in first
    merged = cards()
    machine("all on one")
    for answer, day in ((RIGHT, 0), (RIGHT, 1), (WRONG, 2)):
        say(BANK[0], answer, NOON + day * DAY)
    assert cards() == merged


def test_an_older_answer_from_elsewhere_does_not_undo_a_newer_one(machine):
    file = machine("old")
    say(BANK[0], WRONG, NOON - DAY)
    carrying.write(file)
    machine("new")
    say(BANK[0], RIGHT, NOON)
    carrying.read(file)
    assert review.outcomes(BANK) == [(BANK[0], True)]


@pytest.mark.parametrize(("here", "there", "then", "ours"), [
    ("a\n", "a\nb\n", "a\nb\n", ()), ("a\nb\n", "a\n", "a\nb\n", ()),
    ("a\nc\n", "a\nb\n", "a\nc\n", ("labels/x.jsonl",)), ("", "a\n", "a\n", ())])
def test_of_a_file_on_both_sides_the_one_that_goes_on_stays(machine, here, there, then, ours):
    here, there, then = (text.replace("\n", "|").replace("a|", LABEL).replace(
        "b|", LABEL.replace("first", "second")).replace("c|", LABEL.replace("é", "è"))
        for text in (here, there, then))
    file = machine("there")
    (user_data.folder("labels") / "x.jsonl").write_text(there)
    carrying.write(file)
    machine("here")
    (user_data.folder("labels") / "x.jsonl").write_text(here)
    merged = carrying.read(file)
    assert (user_data.folder("labels") / "x.jsonl").read_text() == then
    assert merged.ours == ours
    assert ("kept of labels/x.jsonl" in str(merged)) == bool(ours)


BAD = [
    (lambda told: told.update(what="a shopping list"), "does not say"),
    (lambda told: told.update(version=2), "Update"),
    (lambda told: told["events"].pop("exam_answer"), "events"),
    (lambda told: told["events"]["exam_answer"][0].update(rating=9), "number 1 of exam_answer"),
    (lambda told: told["events"]["exam_answer"][0].update(at=True), "number 1 of exam_answer"),
    (lambda told: told["events"].update(lesson_begun=[{"lesson": "01"}]), "lesson_begun"),
    (lambda told: told["files"].update({"labels/../../x.jsonl": ""}), "files"),
    (lambda told: told["files"].update({"labels/x.jsonl": 3}), "files"),
    *[(lambda told, name=name, text=text: told["files"].update({name: text}),
       f"{name} in it is damaged") for name, text in [
        ("labels/x.jsonl", "garbage {"), ("labels/x.jsonl", CHOICE),
        ("labels/x.jsonl", "[" * 10**5), ("rankings/x.jsonl", CHOICE + "3\n"),
        ("rankings/x.jsonl", LABEL), ("progress/mock.json", "not json"),
        ("progress/mock.json", "{}"), *[("progress/mock.json", spoilt(**change)) for change in (
            {"place": 99}, {"spent": "0"}, {"finished": 0}, {"extra": ["none"]},
            {"began": "soon"}, {"minutes": -1}, {"items": [3]})],
        ("progress/mocks/x.json", spoilt(answers={"K1-01": [1]}))]],
]


def test_the_mock_exam_that_is_spoilt_above_is_a_good_one():
    assert sheet.read(json.loads(MOCK)) == mock.draw(BANK, 0, NOON)


def test_what_this_course_does_not_have_is_left_out_and_said(machine, monkeypatch):
    file = machine("newer")
    for number in ("01", "77"):
        progress.begun(number, "cpu")
    progress.tried("78", "twice", "right")
    say(BANK[0], RIGHT)
    say(BANK[5], RIGHT)
    sheet.Sheet().save(mock.draw(BANK, 0, NOON))
    carrying.write(file)
    machine("older")
    monkeypatch.setattr(bank, "load", lambda: BANK[:5])
    merged = carrying.read(file)
    assert (merged.added, merged.known) == (2, 0)
    assert str(merged).startswith("2 added, 0 were here already. Left out, since this course does "
                                  "not have them: lesson '77', lesson '78', item 'K2-01', the "
                                  "questions of the mock exam of '2026-11-26T12:00:00")
    assert sheet.Sheet().load(bank.load()) is None  # so that one can be begun
    monkeypatch.setattr(bank, "load", lambda: BANK)
    assert carrying.read(file).added == 2  # after an update
    assert sheet.Sheet().load(BANK) == mock.draw(BANK, 0, NOON)


@pytest.mark.parametrize("text", ["", "my thesis", "{}", "[]", '{"what": "a shopping list"}'])
def test_an_export_replaces_nothing_but_an_export(machine, text):
    file = machine("one")
    carrying.write(file)
    carrying.write(file)
    file.write_text(text)
    with pytest.raises(StoreError, match="left as it is"):
        carrying.write(file)
    assert file.read_text() == text


def test_a_place_that_is_no_file_is_told_of(machine, tmp_path):
    machine("one")
    with pytest.raises(StoreError, match="This is a folder") as error:
        carrying.write(tmp_path)
    assert str(tmp_path / "mine.json") in error.value.fix
    with pytest.raises(StoreError, match="no such folder"):
        carrying.write(tmp_path / "no" / "mine.json")
    assert not (tmp_path / "no").exists()
    with pytest.raises(StoreError, match="cannot be read"):
        carrying.read(tmp_path)


@pytest.mark.parametrize(("spoil", "said"), BAD)
def test_a_file_that_is_not_ours_is_refused_whole(machine, spoil, said):
    file = machine("one")
    say(BANK[0], RIGHT)
    told = json.loads(carrying.write(file).read_text())
    spoil(told)
    file.write_text(json.dumps(told))
    machine("two")
    with pytest.raises(StoreError, match=said):
        carrying.read(file)
    assert review.outcomes(BANK) == []


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
ANYTHING = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["what", "version", "events", "files", "exam_answer", "at"]), inner,
    max_size=4), max_leaves=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[
    HealthCheck.function_scoped_fixture])
@given(ANYTHING, st.dictionaries(st.sampled_from([*progress.EVENTS]), ANYTHING))
def test_no_file_breaks_the_reader(machine, told, events):
    file = machine("any")
    for one in (told, {"what": carrying.WHAT, "version": 1, "files": {},
                       "events": {name: [] for name in progress.EVENTS} | events}):
        file.write_text(json.dumps(one))
        with contextlib.suppress(StoreError):
            assert isinstance(carrying.read(file), carrying.Merged)


def test_a_file_that_is_no_json_is_not_to_be_deleted(machine):
    file = machine("one")
    file.write_text("{")
    with pytest.raises(StoreError, match="Export it again"):
        carrying.read(file)

"""The ranking box: keys and buttons do the same, replies are only shown, measures add up."""

from __future__ import annotations

import json
import math

import pytest

from fmcourse import show
from fmcourse.errors import DataError, StoreError

PAIRS = [{"prompt": f"What is <{i}>?\n  Say it.", "first": f"It's <b>{i}</b> & more.\n  Yes.",
          "second": "" if i == 3 else f"No {i}.", "better": 1.0} for i in range(10)]


@pytest.fixture
def box(tmp_path):
    return show.rank(PAIRS, path=tmp_path / "mine.jsonl")


def again(box):
    return show.rank(PAIRS, path=box.sitting.path)


def until(box, pair):
    """Go on to the turn at which a pair comes up first."""
    while box.sitting.order[len(box.sitting.given)].pair != pair:
        box.choose("tie")


def finish(box, side=None):
    while not box.done:
        box.choose(side or ("left" if box.sitting.shown[1].startswith("It's") else "right"))
    return box


def test_what_is_chosen_is_saved_at_once_and_gone_on_with(box):
    box.choose("right")
    rows = [json.loads(line) for line in box.sitting.path.read_text().splitlines()]
    assert [row["side"] for row in rows] == ["right"]
    assert rows[0]["choice"] == box.table()["choice"][0] != rows[0]["left"]
    assert again(box).sitting.given == ["right"]
    assert again(box).progress() == box.progress() == "Choice 2 of 11: which reply is better?"
    box.undo()
    assert box.sitting.path.read_text() == ""
    box.undo()
    assert again(box).sitting.given == []


def test_by_default_the_choices_are_kept_in_the_course_folder():
    show.rank(PAIRS, seed=99).choose(1)
    assert show.rank(PAIRS, seed=99).sitting.given == ["left"]
    assert show.rank(PAIRS, seed=98).sitting.given == []
    assert show.rank(PAIRS[:9], seed=99).sitting.given == []


@pytest.mark.parametrize(("keys", "side"), [("1 a A left", "left"), ("2 b right", "right"),
                                            ("0 t T", "tie")])
def test_keys(box, keys, side):
    for key in keys.split():
        for i in range(len(key)):  # as it is typed
            assert box.sitting.given == []
            box.key.value = key[:i + 1]
        assert box.sitting.given == [side]
        assert box.key.value == ""
        box.key.value = "u"
        box.choose(key)
        assert box.sitting.given == [side]
        box.undo()


def test_buttons_do_what_keys_do(box):
    for button in box.buttons:
        button.click()
    assert box.sitting.given == ["left", "right", "tie"]
    box.back.click()
    assert box.sitting.given == ["left", "right"]
    box.undo()
    box.undo()
    assert box.back.disabled
    finish(box)
    assert all(button.disabled for button in box.buttons)
    box.key.value = "1"
    assert "Everything is ranked" in box._repr_html_()
    box.key.value = "u"
    assert not box.done
    assert not any(button.disabled for button in box.buttons)


def test_a_wrong_key_is_told_and_changes_nothing(box):
    box.key.value = "7"
    assert "no key 7; use 1, 2, 0, or u" in box._repr_html_()
    assert "role='alert'" in box.shown.value
    assert box.sitting.given == []
    with pytest.raises(DataError, match="no side 'first'"):
        box.choose("first")
    with pytest.raises(DataError, match="no side 3"):
        box.choose(3)
    box.choose(0)
    assert "no key" not in box._repr_html_()


def test_replies_are_shown_escaped_with_their_lines_and_sides(box):
    until(box, 5)
    shown = box._repr_html_()
    assert "What is &lt;5&gt;?<br>  Say it." in shown
    assert "It&#x27;s &lt;b&gt;5&lt;/b&gt; &amp; more.<br>  Yes." in shown
    places = [shown.index(text) for text in ("What is", "Reply A", "Reply B")]
    assert places == sorted(places)
    left = shown[places[1]:places[2]]
    assert ("No 5." in left) == box.sitting.order[len(box.sitting.given)].swapped
    assert "aria-live='polite'" in shown
    assert "flex-wrap:wrap" in shown
    assert "1 A: " in repr(box)
    assert "It's <b>5</b>" in repr(box)


def test_an_empty_reply_is_shown_as_empty(box):
    until(box, 3)
    assert "(empty)" in box._repr_html_()
    assert "(empty)" in repr(box)
    finish(box)
    told = {row["pair"]: row for row in box.preferences()}
    assert "" in (told[3]["chosen"], told[3]["rejected"])


def test_measures_of_a_person_who_prefers_a_side(box):
    none = box.measures()
    assert none["count"].tolist() == [0, 0, 0, 0]
    assert none["share"][0] == 0
    assert math.isnan(none["share"][3])
    assert "10" in str(box.result())
    box.choose("tie")
    found = finish(box, "left").measures().set_index("measure")
    assert found["count"].tolist() == [10, 1, 10, 0]
    assert found["n"].tolist() == [10, 10, 10, 1]
    side = found.loc["left side preferred"]
    assert side["share"] == 1
    assert side["low"] == pytest.approx(0.722, abs=0.001)
    assert math.isnan(found.loc["pairs ranked", "low"])
    assert "10 pairs ranked" in box._repr_html_()
    assert "left side preferred" in repr(box)


def test_measures_of_a_person_who_prefers_a_reply(box):
    found = finish(box).measures().set_index("measure")
    assert found.loc["same choice with sides swapped", "share"] == 1
    assert 4 <= found.loc["left side preferred", "count"] <= 6
    assert {row["chosen"][:2] for row in box.preferences()} == {"It"}
    assert len(box.preferences()) == 10


def test_a_simulated_run_says_so_and_is_not_saved(box):
    box.choose(1)
    made = box.simulate(seed=3, noise=0)
    assert made.done
    assert {row["chosen"][:2] for row in made.preferences()} == {"It"}
    assert made.sitting.path is None
    for shown in (made._repr_html_(), repr(made), str(made.result()), made.progress()):
        assert "SIMULATED" in shown
    made.undo()
    assert "SIMULATED" in made._repr_html_()
    assert "SIMULATED" in repr(made)
    assert "SIMULATED" not in box._repr_html_()
    assert again(box).sitting.given == ["left"]


def test_what_cannot_be_saved_is_told_and_not_kept(box):
    box.sitting.path.mkdir()
    with pytest.raises(StoreError, match="cannot be saved"):
        box.choose(1)
    assert box.sitting.given == []
    box.buttons[0].click()
    assert "cannot be saved" in box._repr_html_()


def test_a_notebook_that_is_only_read_has_the_picture(box):
    bundle = box._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == box._repr_html_()
    assert bundle["text/plain"] == repr(box)


def test_what_cannot_be_ranked_is_refused(tmp_path):
    with pytest.raises(DataError, match="nothing to rank"):
        show.rank([])
    finish(show.rank(PAIRS, path=tmp_path / "mine.jsonl"))
    with pytest.raises(StoreError, match="no choice between these"):
        show.rank(PAIRS[:9], path=tmp_path / "mine.jsonl")

"""The labelling box: each label saved, nothing lost by undoing or reloading, keys and buttons."""

from __future__ import annotations

import json
import math

import pytest

from fmcourse import show
from fmcourse.data import annotation
from fmcourse.errors import DataError, StoreError

TEXTS = ["The <sky>.", "A fox.", "Blood & fire.", "The sea.", "A brick."]
CLASSES, TRUTH = ("blue", "red"), [0, 1, 1, 0, 1]


@pytest.fixture
def box(tmp_path):
    return show.label(TEXTS, CLASSES, TRUTH, path=tmp_path / "mine.jsonl")


def again(box):
    return show.label(TEXTS, CLASSES, TRUTH, path=box.sitting.path)


def finish(box, first=TRUTH, second=TRUTH):
    while not box.done:
        own = first if len(box.sitting.given) < len(TEXTS) else second
        box.choose(own[box.sitting.order[len(box.sitting.given)]])
    return box


def submit(entry):
    enter = {"method": "custom", "content": {"event": "submit"}}
    entry._handle_msg({"buffers": [], "content": {"data": enter}})


def test_what_is_chosen_is_saved_at_once_and_gone_on_with(box):
    shown = box.sitting.order[0]
    box.choose("red")
    rows = [json.loads(line) for line in box.sitting.path.read_text().splitlines()]
    assert [(row["label"], row["reading"]) for row in rows] == [("red", "first reading")]
    assert again(box).sitting.given == [1]
    assert again(box).table().to_dict("records") == [
        {"item": shown, "annotator": "first reading", "label": 1, "order": 0}]
    box.undo()
    assert box.sitting.path.read_text() == ""
    box.undo()
    assert again(box).sitting.given == []


def test_buttons_and_keys_do_the_same(box):
    box.buttons[1].click()
    box.key.value = "1"
    assert box.sitting.given == [1, 0]
    assert box.key.value == ""
    box.key.value = "u"
    box.back.click()
    assert box.sitting.given == []
    assert box.back.disabled
    box.key.value = "7"
    assert "no key 7; use 1 to 2, or u" in box._repr_html_()
    box.buttons[0].click()
    assert "no key" not in box._repr_html_()
    finish(box)
    assert all(button.disabled for button in box.buttons)
    box.key.value = "1"
    assert "Everything is labelled" in box._repr_html_()


def test_numbers_of_two_digits_wait_for_enter():
    box = show.label(["a text to label"], [f"class {i}" for i in range(12)], seed=5)
    box.key.value = "1"
    assert box.sitting.given == []
    box.key.value = "12"
    submit(box.key)
    assert box.sitting.given == [11]


def test_the_text_is_shown_escaped_and_where_one_is(box):
    while box.sitting.texts[box.sitting.order[len(box.sitting.given)]] != TEXTS[0]:
        box.choose(0)
    assert "The &lt;sky&gt;." in box._repr_html_()
    assert f"First reading, text {len(box.sitting.given) + 1} of 5" in box._repr_html_()
    assert "1 blue, 2 red" in repr(box)


def test_agreement_with_oneself(box):
    with pytest.raises(DataError, match="read twice"):
        box.agreement()
    finish(box, second=[0, 1, 1, 0, 0])
    found = box.agreement().set_index("measure")
    assert found.loc["same label twice", "value"] == 0.8
    assert found.loc["Cohen's kappa", "value"] == pytest.approx((0.8 - 0.48) / 0.52)
    assert found.loc["right, first reading", "value"] == 1
    assert found.loc["right, second reading", "value"] == 0.8
    assert (found["low"] <= found["value"]).all()
    assert (found["high"] >= found["value"]).all()
    assert "kappa" in box._repr_html_()
    assert "5 texts labelled twice" in str(box.result())


def test_one_class_only_has_no_kappa(box):
    finish(box, [0] * 5, [0] * 5)
    assert math.isnan(box.agreement().set_index("measure").loc["Cohen's kappa", "value"])
    assert "5 texts" in box._repr_html_()


def test_a_simulated_run_says_so_and_is_not_saved(box):
    box.choose(0)
    made = box.simulate(seed=3)
    assert made.done
    assert made.sitting.path is None
    assert "SIMULATED" in made._repr_html_()
    assert "SIMULATED" not in box._repr_html_()
    assert again(box).sitting.given == [0]
    assert made.sitting.given == box.simulate(seed=3).sitting.given
    assert box.simulate(skill=1).agreement()["value"].tolist() == [1, 1, 1, 1]
    with pytest.raises(DataError, match="truth"):
        show.label(TEXTS, CLASSES).simulate()


def test_the_manifest_has_the_latest_label(box, tmp_path):
    with pytest.raises(DataError):
        box.manifest(tmp_path / "output.manifest")
    finish(box, second=[0, 1, 1, 0, 0])
    found = annotation.read_manifest(box.manifest(tmp_path / "output.manifest"))
    assert dict(zip(found["text"], found["label"], strict=True)) == dict(
        zip(TEXTS, ["blue", "red", "red", "blue", "blue"], strict=True))
    assert set(found["confidence"]) == {0.0}
    assert found["people"].all()
    path = box.simulate().manifest(tmp_path / "simulated.manifest")
    assert not annotation.read_manifest(path)["people"].any()


def test_what_cannot_be_saved_is_told_and_not_kept(box):
    box.sitting.path.mkdir()
    with pytest.raises(StoreError, match="cannot be saved"):
        box.choose(0)
    assert box.sitting.given == []
    box.buttons[0].click()
    assert "cannot be saved" in box._repr_html_()


def test_a_notebook_that_is_only_read_has_the_picture(box):
    bundle = box._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == box._repr_html_()


@pytest.mark.parametrize("given", [([], CLASSES), (TEXTS, ("one",)), (TEXTS, ("one", "one")),
                                   (TEXTS, CLASSES, [0, 1]), (TEXTS, CLASSES, [0, 1, 2, 0, 1])])
def test_what_cannot_be_labelled_is_refused(given):
    with pytest.raises(DataError):
        show.label(*given)

"""The chat box: what is said is shown, escaped, and a failure loses nothing."""

import pytest
import tiny

from fmcourse import show
from fmcourse.models import build


@pytest.fixture
def box():
    model = build(tiny.SHAPE, tiny.tokenizer(), context=128)
    model.name = "<tiny>"
    return show.chat(model, opening=["Where is the <owl>?"], tokens=8)


def test_the_opening_is_answered_and_shown_escaped(box):
    assert [said["role"] for said in box.talk.messages] == ["user", "assistant"]
    assert "Where is the &lt;owl&gt;?" in box._repr_html_()
    assert "<b>&lt;tiny&gt;</b>" in box._repr_html_()
    assert repr(box).startswith("You: Where is the <owl>?\n<tiny>: ")


def test_enter_and_the_button_send_and_an_empty_box_does_not(box):
    enter = {"method": "custom", "content": {"event": "submit"}}
    presses = (box.send.click,
               lambda: box.entry._handle_msg({"buffers": [], "content": {"data": enter}}))
    for number, press in enumerate(presses):
        box.entry.value = f"And the hare {number}?"
        press()
        assert box.entry.value == ""
        assert f"And the hare {number}?" in box.shown.value
    box.send.click()
    assert len(box.talk.messages) == 6


def test_what_cannot_be_answered_stays_written(box):
    box.entry.value = "fox " * 200
    box.send.click()
    assert "context of 128" in box.shown.value
    assert box.entry.value == "fox " * 200
    assert not box.send.disabled
    assert len(box.talk.messages) == 2
    box.again.click()
    assert "context of 128" not in box.shown.value
    assert box.talk.messages == []


def test_turns_no_longer_read_are_faint(box):
    for turn in range(8):
        box.entry.value = f"Where is the fox, {turn}?"
        box.say()
    assert box.shown.value.count("opacity") == box.talk.unread > 0


def test_a_notebook_that_is_only_read_has_the_conversation(box):
    bundle = box._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == box._repr_html_()

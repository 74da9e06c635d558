"""A sitting: each text twice in two orders, and no label lost by undoing or by coming back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.data.annotation import Sitting
from fmcourse.errors import DataError, StoreError

TEXTS, CLASSES = ["The sky.", "A fox.", "Blood.", "The sea.", "A brick."], ("blue", "red")


def test_every_text_comes_twice_in_two_orders():
    texts = [f"text {i}" for i in range(30)]
    order = Sitting(texts, CLASSES).order
    assert sorted(order[:30]) == sorted(order[30:]) == list(range(30))
    assert order[:30] != order[30:]
    assert Sitting(texts, CLASSES).order == order != Sitting(texts, CLASSES, seed=1).order


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.integers(-1, 2), st.sampled_from(["red", "green", "undo", "reload"])),
                max_size=30))
def test_any_sequence_of_actions_is_survived(tmp_path_factory, actions):
    path, expected = tmp_path_factory.mktemp("labels") / "mine.jsonl", []
    own = Sitting(TEXTS, CLASSES, path=path)
    for action in actions:
        if action == "undo":
            own.undo()
            expected = expected[:-1]
        elif action == "reload":
            own = Sitting(TEXTS, CLASSES, path=path)
        elif action in (0, 1, "red") and len(expected) < 10:
            own.choose(action)
            expected.append(1 if action == "red" else action)
        else:
            with pytest.raises(DataError):
                own.choose(action)
        assert own.given == expected
        assert own.done == (len(expected) == 10)
        assert own.text == ("" if own.done else TEXTS[own.order[len(expected)]])
    assert Sitting(TEXTS, CLASSES, path=path).given == expected


def test_labels_of_other_texts_are_refused(tmp_path):
    path = tmp_path / "mine.jsonl"
    own = Sitting(TEXTS, CLASSES, path=path)
    while not own.done:
        own.choose("red")
    others = ([*TEXTS[:4], "Another."], CLASSES), (TEXTS[:4], CLASSES), (TEXTS, ("green", "blue"))
    for texts, classes in others:
        with pytest.raises(StoreError, match="no label of these texts"):
            Sitting(texts, classes, path=path)
    for text in ("not JSON\n", "[]\n", "{}\n", '{"label": []}\n'):
        path.write_text(text)
        with pytest.raises(StoreError, match=r"mine\.jsonl:1"):
            Sitting(TEXTS, CLASSES, path=path)
    path.write_bytes(b"\xff")
    with pytest.raises(StoreError, match="cannot be read"):
        Sitting(TEXTS, CLASSES, path=path)


def test_a_simulated_sitting_keeps_nothing_and_errs_as_told(tmp_path):
    path = tmp_path / "mine.jsonl"
    own = Sitting(TEXTS * 40, CLASSES, [0, 1, 1, 0, 1] * 40, path)
    made = own.simulate(seed=1, skill=0.8)
    assert made.done
    assert made.simulated
    assert not path.exists()
    right = sum(own.truth[item] == label
                for item, label in zip(made.order, made.given, strict=True))
    assert right / 400 == pytest.approx(0.8, abs=0.06)
    assert own.given == []

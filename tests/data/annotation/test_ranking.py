"""A ranking: sides drawn and swapped back, pairs that come up again, and no choice ever lost."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data, store
from fmcourse.data.annotation import Ranking
from fmcourse.errors import DataError, StoreError


def pairs(count=12, **columns):
    return [{"prompt": f"Question {i}?", "first": f"Yes, {i}.", "second": f"No, {i}.",
             **{name: make(i) for name, make in columns.items()}} for i in range(count)]


def prefer_first(own):
    """Choose the pair's first reply, on whichever side it stands."""
    while not own.done:
        own.choose("left" if own.shown[1].startswith("Yes") else "right")
    return own


def test_each_pair_comes_once_and_one_in_ten_again_with_its_sides_swapped():
    for count, repeats in ((1, 0), (9, 0), (10, 1), (50, 5)):
        order = Ranking(pairs(count)).order
        once = [turn for turn in order if not turn.repeated]
        again = [turn for turn in order if turn.repeated]
        assert sorted(turn.pair for turn in once) == list(range(count))
        assert len({turn.pair for turn in again}) == len(again) == repeats
        for turn in again:
            before = next(one for one in once if one.pair == turn.pair)
            assert turn.swapped != before.swapped
            assert order.index(turn) - order.index(before) > count // 2


def test_sides_and_order_are_drawn_evenly_by_seed():
    assert sum(t.swapped for t in Ranking(pairs(50)).order if not t.repeated) == 25
    swapped = [0] * 10
    for seed in range(200):
        for turn in Ranking(pairs(10), seed=seed).order:
            swapped[turn.pair] += turn.swapped and not turn.repeated
    assert min(swapped) > 70  # of 200, for each pair; half is 100
    assert max(swapped) < 130
    assert Ranking(pairs()).order == Ranking(pairs()).order != Ranking(pairs(), seed=1).order
    assert [turn.pair for turn in Ranking(pairs()).order if not turn.repeated] != list(range(12))


def test_what_stood_on_the_chosen_side_is_chosen():
    own, sides, expected = Ranking(pairs(30)), ("left", "right", "tie"), []
    for turn in range(len(own.order)):
        prompt, left, right = own.shown
        own.choose(sides[turn % 3])
        row = {"prompt": prompt, "tie": turn % 3 == 2, "pair": int(prompt.split()[1][:-1])}
        row["chosen"], row["rejected"] = (right, left) if turn % 3 == 1 else (left, right)
        expected += [] if own.order[turn].repeated else [row]
    assert own.preferences().to_list() == [
        {name: row[name] for name in ("prompt", "chosen", "rejected", "tie", "pair")}
        for row in expected]
    told = own.table()
    assert list(told) == ["pair", "choice", "left", "side", "repeated", "order"]
    right = told["choice"] == told["left"]
    assert (right == (told["side"] == "left"))[told["side"] != "tie"].all()
    assert (told["choice"][told["side"] == "tie"] == "tie").all()


def test_preferring_one_reply_is_consistent_and_preferring_a_side_is_not():
    own = prefer_first(Ranking(pairs(40)))
    assert own.consistency() == (4, 4)
    assert {row["chosen"][:3] for row in own.preferences()} == {"Yes"}
    for side, alike in (("left", 0), ("tie", 4)):
        other = Ranking(pairs(40))
        while not other.done:
            other.choose(side)
        assert other.consistency() == (alike, 4)


def test_preferences_have_a_card_and_are_split_by_select():
    given_pairs = data.with_card(Dataset.from_list(pairs(20)), data.Card("chat", {"mine": "ab"}))
    own = prefer_first(Ranking(given_pairs))
    made = own.preferences()
    assert len(made) == 20
    entry = data.card(made.select(range(16)))
    assert entry.name == "chat"
    assert entry.sources == {"mine": "ab"}
    assert entry.steps[-1] == {"step": "ranked", "kept": 20, "dropped": 0, "note": "by a person"}
    assert data.card(given_pairs).steps == ()
    own.undo()
    assert len(own.preferences()) in (19, 20)  # the last turn may be a repeated one
    assert made["pair"][:] == [turn.pair for turn in own.order if not turn.repeated]
    with pytest.raises(DataError, match="Nothing is chosen"):
        Ranking(pairs()).preferences()


ACTIONS = st.lists(st.sampled_from(["left", "right", "tie", "undo", "reload", "above"]),
                   max_size=25)


@settings(max_examples=50, deadline=None)
@given(ACTIONS)
def test_any_sequence_of_actions_is_survived(tmp_path_factory, actions):
    path, expected = tmp_path_factory.mktemp("ranking") / "mine.jsonl", []
    own = Ranking(pairs(10), path)
    for action in actions:
        if action == "undo":
            own.undo()
            expected = expected[:-1]
        elif action == "reload":
            own = Ranking(pairs(10), path)
        elif action == "above" or len(expected) == 11:
            with pytest.raises(DataError):
                own.choose(action)
        else:
            own.choose(action)
            expected.append(action)
        assert own.given == expected
        again = Ranking(pairs(10), path)
        pd.testing.assert_frame_equal(again.table(), own.table())
        assert again.shown == own.shown


def test_choices_between_other_replies_are_refused(tmp_path):
    path = tmp_path / "mine.jsonl"
    prefer_first(Ranking(pairs(), path))
    changed = pairs()
    changed[7]["second"] = "Perhaps."
    for others in (changed, pairs(11), pairs(13)):
        with pytest.raises(StoreError, match="no choice between these replies"):
            Ranking(others, path)
    with pytest.raises(StoreError):
        Ranking(pairs(), path, seed=1)
    for text in ("not JSON\n", "[]\n", "{}\n", '{"side": []}\n', '{"side": "left"}\n'):
        path.write_text(text)
        with pytest.raises(StoreError, match=r"mine\.jsonl:1"):
            Ranking(pairs(), path)


KILLED = """
import os, sys
from fmcourse.data.annotation import Ranking
own = Ranking([{"prompt": str(i), "first": "a", "second": "b"} for i in range(3)], sys.argv[1])
own.choose("left")
os.fsync = lambda handle: os._exit(9)  # the next choice is written, but never put in place
own.choose("right")
"""


def test_a_kill_between_writes_leaves_the_choices_before(tmp_path):
    path = tmp_path / "mine.jsonl"
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)]).returncode == 9
    assert len(list(tmp_path.iterdir())) == 2  # the file, and the half-written one beside it
    own = Ranking([{"prompt": str(i), "first": "a", "second": "b"} for i in range(3)], path)
    assert own.given == ["left"]
    own.choose("tie")
    assert len(path.read_text().splitlines()) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_saved_is_not_kept(tmp_path, monkeypatch):
    own = Ranking(pairs(), tmp_path / "mine.jsonl")
    own.choose("left")

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "atomic_write", full)
    for act in (lambda: own.choose("right"), own.undo):
        with pytest.raises(StoreError, match="cannot be saved: No space left"):
            act()
        assert own.given == ["left"]


def right(made):
    return sum(row["chosen"].startswith("Yes") for row in made.preferences()) / len(made.pairs)


@pytest.mark.parametrize("columns", [{"scores": lambda i: [i + 1, i]}, {"better": lambda i: 0.3}])
def test_a_simulated_annotator_errs_as_told(tmp_path, columns):
    path = tmp_path / "mine.jsonl"
    own = Ranking(pairs(400, **columns), path)
    assert right(own.simulate(noise=0)) == 1
    assert own.simulate(noise=0).consistency() == (40, 40)
    assert right(own.simulate(noise=0.2)) == pytest.approx(0.8, abs=0.06)
    assert right(own.simulate(noise=0.5)) == pytest.approx(0.5, abs=0.08)
    assert own.simulate(noise=0.5).consistency()[0] < 32
    made = own.simulate(seed=3)
    assert made.done
    assert made.simulated
    assert made.given == own.simulate(seed=3).given != own.simulate(seed=4).given
    assert "SIMULATED" in data.card(made.preferences()).steps[-1]["note"]
    made.undo()
    assert not path.exists()
    assert own.given == []
    assert not own.simulated


def test_a_simulated_annotator_has_a_taste():
    own = Ranking(pairs(20, scores=lambda i: [1.0, 0.0]))
    shortest = own.simulate(taste=lambda prompt, reply: -len(reply), noise=0)
    assert {row["chosen"][:2] for row in shortest.preferences()} == {"No"}
    same = own.simulate(taste=lambda prompt, reply: 1.0)
    assert set(same.given) == {"tie"}
    assert set(same.preferences()["tie"][:]) == {True}


@pytest.mark.parametrize("columns", [{}, {"better": lambda i: None}, {"scores": lambda i: [1]},
                                     {"better": lambda i: float("nan")}])
def test_without_a_truth_nothing_is_simulated(columns):
    with pytest.raises(DataError, match=r"by which reply is better|must be a number"):
        Ranking(pairs(**columns)).simulate()
    with pytest.raises(DataError, match="no share"):
        Ranking(pairs(better=lambda i: 1)).simulate(noise=2)


@pytest.mark.parametrize(("rows", "said"), [
    ([], "nothing to rank"),
    ([{"prompt": "a", "first": "b"}], "no text as second"),
    ([{"prompt": None, "first": "b", "second": 3}], "no text as prompt, second"),
    (["a"], "no text as prompt"),
    ([*pairs(2), {"prompt": "a", "first": "b", "second": "b\n"}], "look the same"),
])
def test_what_cannot_be_ranked_is_refused(rows, said):
    with pytest.raises(DataError, match=said) as caught:
        Ranking(rows)
    assert caught.value.where == ("ranking" if not rows else f"ranking: pair {len(rows) - 1}")
    assert caught.value.fix

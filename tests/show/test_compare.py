"""Costs, before and after, pairs and seeds."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from gallery import costs, pairs

from fmcourse import show
from fmcourse.errors import DataError
from fmcourse.evaluate.intervals import ALL, share_table


def words(figure):
    return [t.get_text() for ax in figure.axes for t in ax.texts]


def test_costs_are_printed_and_what_is_missing_is_said():
    text = words(show.cost_bars(costs()))
    for value in ("10\xa0M", "600\xa0TFLOP", "1.11\xa0h", "2.1\xa0GB", "unknown"):
        assert value in text


def test_costs_come_from_runs_too():
    @dataclass
    class Cost:
        tokens: int
        flops: float
        seconds: float
        peak_memory_bytes: float

    runs = {"pre-training": SimpleNamespace(cost=Cost(10_000_000, 6e14, 4000, 2e9)),
            "fine-tuning": Cost(20_000, 1e12, 3, 1e9)}
    text = words(show.cost_bars(runs))
    assert "10\xa0M" in text
    assert "1\xa0GB" in text


@pytest.mark.parametrize("bad", [{}, [], {"a": 3}, pd.DataFrame({"phase": ["a"]}),
                                 pd.DataFrame({"phase": ["a"], "tokens": [0]}), "text"])
def test_bad_costs_are_refused(bad):
    with pytest.raises(DataError, match="what to do"):
        show.cost_bars(bad)


@pytest.mark.parametrize(("better", "verdict"), [("lower", "better"), ("higher", "worse")])
def test_the_verdict_follows_the_direction(better, verdict):
    [text] = [w for w in words(show.before_after({"AWS": 2.31}, {"AWS": 1.21}, better=better)) if w]
    assert text == f"2.31 → 1.21  (−1.10)\n{verdict}"


def test_no_change_and_not_measured_are_said():
    text = " ".join(words(show.before_after({"a": 1.5, "b": np.nan}, {"a": 1.5, "b": 2})))
    assert "no change" in text
    assert "not measured" in text


def test_bare_numbers_compare():
    assert "score 0.1 to 0.6" in show.before_after(0.1, 0.6, "rate", better="higher").alt


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [({}, {}, "lower"), ({"a": 1}, {"b": 1}, "lower"), ({"a": 1}, {"a": 1, "b": 1}, "lower"),
     ({"a": 1}, {"a": 1}, "up"), ({"a": "x"}, {"a": 1}, "lower"),
     ({"a": np.nan}, {"a": np.nan}, "lower")],
)
def test_bad_comparisons_are_refused(before, after, better):
    with pytest.raises(DataError, match="what to do"):
        show.before_after(before, after, better=better)


def test_pairs_draw_all_last_and_every_chance_level():
    shuffled = pairs([0.7, 0.9, 0.8], chance=[0.25, 0.5, 0.33]).iloc[::-1]
    ax = show.pairs_bars({"ours": shuffled}).axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()][-1] == ALL
    assert {line.get_xdata()[0] for line in ax.lines[1:]} == {0.25, 0.5, 0.33}


def test_the_last_row_of_a_table_of_shares_stands_on_a_band():
    table = share_table(["a", "b"], [1, 0], "phenomenon")
    with_all, without = (show.pairs_bars({"ours": t}).axes[0] for t in (table, table[:-1]))
    assert len(with_all.patches) == len(without.patches) + 1
    assert "all" in with_all.get_yticklabels()[-1].get_text()


def test_pairs_without_intervals_or_with_gaps_are_drawn():
    table = pd.DataFrame({"phenomenon": ["a", "b"], "accuracy": [0.5, np.nan]})
    figure = show.pairs_bars({"ours": table})
    assert "interval" not in figure.axes[0].get_xlabel()
    assert "b –" in figure.alt


@pytest.mark.parametrize("bad", [
    {}, {"m": []}, {"m": pairs([70, 90, 80])}, {"m": pd.DataFrame({"phenomenon": ["a"]})},
    {"m": pd.DataFrame({"phenomenon": ["a"], "accuracy": [np.nan]})}])
def test_bad_pairs_are_refused(bad):
    with pytest.raises(DataError, match="what to do"):
        show.pairs_bars(bad)


def test_every_seed_is_a_dot_and_failures_are_counted():
    figure = show.seeds({"a": [1, 1, 1], "b": [2, np.nan, 3]}, control="a", bound=1.5)
    ax = figure.axes[0]
    dots = sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "o")
    assert dots == 5
    assert "1 failed" in " ".join(words(figure))
    assert "bound 1.5" in words(figure)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["b", "a (control)"]


def test_equal_seeds_stay_countable():
    dots = show.seeds({"a": [1, 1, 1]}).axes[0].lines[0]
    assert len(set(dots.get_ydata())) == 3


@pytest.mark.parametrize(("arms", "control"), [
    ({}, None), ({"a": []}, None), ({"a": ["x"]}, None), ({"a": [1]}, "b"),
    ({"a": [np.nan]}, None)])
def test_bad_seeds_are_refused(arms, control):
    with pytest.raises(DataError, match="what to do"):
        show.seeds(arms, control=control)

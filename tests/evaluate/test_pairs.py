"""Minimal pairs: balanced by construction, fair to count, and readable."""

from __future__ import annotations

import math
import random
import re
from collections import Counter

import pytest
from datasets import Dataset

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate import pairs as module
from fmcourse.evaluate import sequence_log_likelihood
from fmcourse.evaluate.pairs import expand, minimal_pairs, pair_margins, phenomena, score_pairs


@pytest.fixture(scope="module")
def pairs() -> Dataset:
    return minimal_pairs()


@pytest.fixture
def scored_by(monkeypatch):
    """Let a function of the text stand in for a model, and return the table of `score_pairs`."""
    def score(function, pairs):
        monkeypatch.setattr(module, "sequence_log_likelihood",
                            lambda model, texts: [function(text) for text in texts])
        return score_pairs(None, pairs).set_index("phenomenon")
    return score


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+|[^\w\s]", text)


def _difference(good: str, bad: str) -> tuple[list[str], list[str]]:
    """The words between the common beginning and the common end."""
    a, b = _words(good), _words(bad)
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return a, b


def test_there_are_enough_of_each_phenomenon_and_the_same_at_every_call(pairs):
    counts = Counter(pairs["phenomenon"])
    assert len(pairs) >= 600
    assert len(counts) >= 10
    assert set(counts.values()) == {48}
    assert set(counts) == set(phenomena())
    assert minimal_pairs().to_list() == pairs.to_list()


def test_no_sentence_occurs_twice(pairs):
    assert len(set(pairs["good"])) == len(set(pairs["bad"])) == len(pairs)
    assert not set(pairs["good"]) & set(pairs["bad"])


def test_sentences_look_like_sentences(pairs):
    for text in [*pairs["good"], *pairs["bad"]]:
        assert re.fullmatch(r"[A-Z][A-Za-z', ]+[.?]", text), text
        assert "  " not in text
        assert 4 <= len(text.split()) <= 20


def test_good_and_bad_differ_in_one_word_or_in_order(pairs):
    for row in pairs:
        a, b = _difference(row["good"], row["bad"])
        assert a, row
        assert b, row
        assert (len(a) == len(b) == 1) or sorted(a) == sorted(b), row
        assert abs(len(row["good"]) - len(row["bad"])) <= 3 + 3 * ("reflexive" in row["phenomenon"])


def test_every_swap_occurs_equally_often_in_both_directions(pairs):
    for phenomenon in phenomena():
        swaps = Counter()
        for row in pairs.filter(lambda r, name=phenomenon: r["phenomenon"] == name):
            a, b = _difference(row["good"], row["bad"])
            if len(a) == 1:
                swaps[a[0], b[0]] += 1
        assert all(swaps[b, a] == count for (a, b), count in swaps.items()), phenomenon


@pytest.mark.parametrize("seed", range(5))
def test_any_word_frequencies_score_exactly_half(pairs, scored_by, seed):
    table = scored_by(lambda text: sum(random.Random(f"{seed} {word}").gauss(0, 3)
                                       for word in _words(text)), pairs)
    assert table["accuracy"].to_list() == [0.5] * len(table)


def test_word_frequencies_of_real_text_score_exactly_half(pairs, scored_by, prose):
    counts = Counter(_words(" ".join(prose)))
    table = scored_by(lambda text: sum(math.log(counts[word] + 0.5) for word in _words(text)),
                      pairs)
    assert table["accuracy"].to_list() == [0.5] * len(table)


def test_shorter_or_longer_scores_exactly_half(pairs, scored_by):
    assert scored_by(lambda text: -len(text), pairs)["accuracy"].to_list() == [0.5] * 16


def test_whoever_knows_grammar_scores_one_and_the_contrary_nothing(pairs, scored_by):
    good = set(pairs["good"])
    right = scored_by(lambda text: float(text in good), pairs)
    wrong = scored_by(lambda text: -float(text in good), pairs)
    assert right["accuracy"].eq(1).all()
    assert wrong["accuracy"].eq(0).all()
    assert right.loc["all", "n"] == len(pairs)
    assert right["low"].lt(1).all()
    assert right["chance"].eq(0.5).all()
    assert right.index[-1] == "all"


@pytest.mark.parametrize("phenomenon", ["subject_verb_attractor", "subject_verb_relative"])
def test_the_nearer_noun_is_always_of_the_other_number(pairs, phenomenon):
    irregular = {"men", "women", "children"}
    for row in pairs.filter(lambda r: r["phenomenon"] == phenomenon):
        subject, nearer = row["note"].split(":")[0].split(" … ")
        plural = [noun.endswith("s") or noun in irregular for noun in (subject, nearer)]
        assert plural[0] != plural[1], row


def test_a_limit_keeps_the_balance(scored_by):
    few = minimal_pairs(60)
    assert set(Counter(few["phenomenon"]).values()) == {4}
    table = scored_by(lambda text: sum(random.Random(word).gauss(0, 3) for word in _words(text)),
                      few)
    assert table["accuracy"].eq(0.5).all()
    with pytest.raises(DataError, match="at least 30"):
        minimal_pairs(20)


def test_rules_expand_as_described():
    assert [pair[:2] for pair in expand("He <saw|sees> it. // He will <see|saw> it.")] == [
        ("He saw it.", "He sees it."), ("He will see it.", "He will saw it.")]
    assert expand("They built {a great|great a} wall.") == [
        ("They built a great wall.", "They built great a wall.", "'a great', not 'great a'")]
    with pytest.raises(DataError, match="one swap"):
        expand("The [man|men] slept.")


def test_the_margin_is_the_difference_of_log_likelihoods(causal, pairs):
    two = pairs.select([0, 500])
    judged = pair_margins(causal, two)
    for row in judged.itertuples():
        good, bad = sequence_log_likelihood(causal, [row.good, row.bad])
        assert row.margin == pytest.approx(good - bad, abs=1e-3)
    table = score_pairs(causal, two)
    assert list(table) == ["phenomenon", "n", "accuracy", "low", "high", "chance"]
    assert table["n"].to_list() == [1, 1, 2]


def test_what_is_no_pair_or_no_causal_model_is_refused(causal, masked, pairs):
    with pytest.raises(DataError, match="bad"):
        score_pairs(causal, pairs.remove_columns("bad"))
    with pytest.raises(DataError, match="no rows"):
        score_pairs(causal, pairs.select([]))
    with pytest.raises(ModelError):
        score_pairs(masked, pairs.select([0]))

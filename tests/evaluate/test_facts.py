"""Fact probes: a reader of the answers alone is at chance, and so is anyone on a shuffled key."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from datasets import Dataset

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate import facts as module
from fmcourse.evaluate import sequence_log_likelihood
from fmcourse.evaluate.facts import (
    NEUTRAL,
    NORMALISATIONS,
    fact_probes,
    rank_answers,
    score_facts,
    score_ranked,
    shuffled,
)


@pytest.fixture(scope="module")
def probes() -> Dataset:
    return fact_probes()


@pytest.fixture
def ranked_by(monkeypatch):
    """Let a function of (prompt, ending) stand in for a model."""
    def rank(function, probes):
        def likelihood(model, prompts, endings):
            prompts = [prompts] * len(endings) if isinstance(prompts, str) else prompts
            return [function(*pair) for pair in zip(prompts, endings, strict=True)]
        monkeypatch.setattr(module, "sequence_log_likelihood", likelihood)
        return rank_answers(None, probes)
    return rank


def _guess(seed):
    return lambda prompt, ending: random.Random(f"{seed}{prompt}{ending}").uniform(-9, 0)


def _knowing(probes):
    known = {(row["prompt"], f" {row['answer']}.") for row in probes}
    return lambda prompt, ending: 0.0 if (prompt, ending) in known else -9.0


def _blocks(probes) -> dict[frozenset, list[dict]]:
    blocks: dict[frozenset, list[dict]] = {}
    for row in probes:
        blocks.setdefault(frozenset([row["answer"], *row["distractors"]]), []).append(row)
    return blocks


def test_there_are_enough_and_the_same_at_every_call(probes):
    assert len(probes) >= 120
    assert min(Counter(probes["topic"]).values()) >= 16
    assert len(set(probes["prompt"])) == len(probes)
    assert fact_probes().to_list() == probes.to_list()


def test_every_answer_is_right_once_and_wrong_three_times_in_its_block(probes):
    for choices, block in _blocks(probes).items():
        assert len(choices) == len(block) == 4, choices
        assert {row["answer"] for row in block} == choices
        assert len({row["topic"] for row in block}) == 1


def test_answers_are_of_similar_length_and_not_given_away(probes):
    for row in probes:
        choices = [row["answer"], *row["distractors"]]
        assert max(map(len, choices)) - min(map(len, choices)) <= 10, choices
        assert row["answer"].casefold() not in row["prompt"].casefold().split(), row
        assert row["prompt"][0].isupper()
        assert row["prompt"] == row["prompt"].strip()


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_answers_alone_score_exactly_a_quarter(probes, ranked_by, normalisation):
    ranked = ranked_by(lambda prompt, ending: random.Random(ending).uniform(-9, 0), probes)
    table = score_ranked(ranked, normalisation)
    assert table["accuracy"].to_list() == [0.25] * len(table)
    assert table["chance"].to_list() == [0.25] * len(table)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_whoever_knows_is_right_and_at_chance_on_the_shuffled_key(probes, ranked_by,
                                                                  normalisation):
    know = _knowing(probes)
    assert score_ranked(ranked_by(know, probes), normalisation)["accuracy"].eq(1).all()
    control = score_ranked(ranked_by(know, shuffled(probes, seed=3)), normalisation)
    assert control["accuracy"].eq(0.25).all()


def test_guessing_is_at_chance_with_either_key(probes, ranked_by):
    plain = [score_ranked(ranked_by(_guess(seed), probes)) for seed in range(8)]
    mixed = [score_ranked(ranked_by(_guess(seed), shuffled(probes, seed))) for seed in range(8)]
    for tables in (plain, mixed):
        shares = [table["accuracy"].iloc[-1] for table in tables]
        assert sum(shares) / len(shares) == pytest.approx(0.25, abs=0.04)
        assert all(table["low"].iloc[-1] < 0.3 for table in tables)


def test_shuffling_keeps_questions_and_choices_and_one_answer_a_block(probes):
    mixed = shuffled(probes, seed=1)
    assert mixed["prompt"][:] == probes["prompt"][:]
    for before, after in zip(_blocks(probes).items(), _blocks(mixed).items(), strict=True):
        assert before[0] == after[0]
        kept = [a["answer"] == b["answer"] for a, b in zip(before[1], after[1], strict=True)]
        assert sum(kept) == 1
        assert {row["answer"] for row in after[1]} == before[0]
    assert shuffled(probes, 1).to_list() == mixed.to_list() != shuffled(probes, 2).to_list()


def test_a_probe_of_its_own_gets_any_choice_and_is_judged_by_the_neutral_prompt(ranked_by):
    alone = Dataset.from_list([{"prompt": "The sea is", "answer": "deep", "topic": "sea",
                                "distractors": ["dry", "tall"]}])
    assert {shuffled(alone, seed)[0]["answer"] for seed in range(20)} == {"deep", "dry", "tall"}
    ranked = ranked_by(_guess(1), alone)
    assert ranked["pmi"].to_list() == ranked["neutral"].to_list()
    assert score_ranked(ranked)["chance"].iloc[0] == pytest.approx(1 / 3)


def test_frequency_hides_a_fact_from_the_sum_and_not_from_pmi(probes, ranked_by):
    """Knowledge worth 2 nats under frequencies that differ by 9: the reason for the default."""
    know = _knowing(probes)
    ranked = ranked_by(lambda prompt, ending: (know(prompt, ending) * 2 / 9
                                               + random.Random(ending).uniform(-9, 0)), probes)
    assert score_ranked(ranked, "sum")["accuracy"].iloc[-1] < 0.6
    assert score_ranked(ranked, "pmi")["accuracy"].iloc[-1] == 1


def test_scores_are_the_likelihoods_they_are_said_to_be(causal, probes):
    block = probes.select(range(4))
    ranked = rank_answers(causal, block)
    first = ranked.iloc[0]
    given, neutral = (sequence_log_likelihood(causal, prompt, [" Paris."])[0]
                      for prompt in (first["prompt"], NEUTRAL))
    assert first["choice"] == "Paris"
    assert first["right"]
    assert first["sum"] == pytest.approx(given, abs=1e-3)
    assert first["bytes"] == pytest.approx(given / len(" Paris."), abs=1e-3)
    assert first["neutral"] == pytest.approx(given - neutral, abs=1e-3)
    assert ranked.groupby("choice")["pmi"].apply(lambda v: v.max() >= 0 >= v.min()).all()
    table = score_facts(causal, block)
    assert list(table) == ["topic", "n", "accuracy", "low", "high", "chance"]
    assert table["n"].to_list() == [4, 4]


def test_limits_take_whole_blocks_from_all_topics(probes):
    few = fact_probes(60)
    assert len(few) == 60
    assert set(few["topic"]) == set(probes["topic"])
    assert all(len(block) == 4 for block in _blocks(few).values())
    with pytest.raises(DataError, match="at least 4"):
        fact_probes(3)


def test_what_cannot_be_scored_is_refused(causal, masked, probes):
    with pytest.raises(DataError, match="distractors"):
        score_facts(causal, probes.remove_columns("distractors"))
    with pytest.raises(DataError, match="pmi"):
        score_facts(causal, probes.select(range(4)), normalisation="magic")
    with pytest.raises(ModelError):
        score_facts(masked, probes.select(range(4)))

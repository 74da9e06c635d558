"""What H1 to H3 rest on: the controls are what they say, agreement is counted as it should be, and
a mechanism that is broken is not shown."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from fmcourse import data, evaluate
from fmcourse.data.assistant import (
    HANDS,
    ceiling,
    demonstrations,
    preferences,
    reply,
    rivals,
)
from fmcourse.evidence.claim import NOT_SHOWN, SHOWN
from fmcourse.evidence.experiments import demonstrated, feedback, ranked, reinforced
from fmcourse.evidence.experiments.feedback import Said
from fmcourse.evidence.experiments.ranked import (
    ALIKE,
    CARELESS,
    RIGHT,
    TRULY,
    kind,
    scores,
)
from fmcourse.evidence.experiments.reinforced import FREE

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def choices():
    """Written replies, compared by the careful annotator; and the annotator's own view of them."""
    pairs = rivals(600, shares=feedback.QUESTIONS)
    rows = list(pairs)
    seen = [evaluate.rubric(rows, pairs[side][:])["utility"] for side in ("first", "second")]
    return pairs, seen, preferences(pairs, pairs["first"], pairs["second"], seen,
                                    feedback.ANNOTATOR)


def utilities(made: Dataset) -> list[np.ndarray]:
    return [evaluate.rubric(list(made), made[side][:])["utility"].to_numpy()
            for side in ("chosen", "rejected")]


def test_misplaced_replies_are_the_same_replies_one_prompt_further():
    rows = demonstrations(30, shares=feedback.QUESTIONS)
    moved = feedback.misplaced(rows)
    said = [[turns[1]["content"] for turns in part["messages"]] for part in (rows, moved)]
    assert said[1] == said[0][-1:] + said[0][:-1]
    assert moved["prompt"][:] == rows["prompt"][:]
    assert [turns[0] for turns in moved["messages"]] == [turns[0] for turns in rows["messages"]]
    assert moved["hand"][:] == [rows["hand"][-1], *rows["hand"][:-1]]
    assert data.card(moved).sha256 != data.card(rows).sha256


def test_misplaced_replies_are_no_help_and_the_right_ones_are():
    rows = demonstrations(400, shares=feedback.QUESTIONS)

    def helpful(part):
        said = [turns[1]["content"] for turns in part["messages"]]
        return feedback.judged(rows, Said(said, [True] * len(said)))[feedback.HELPFUL]

    assert helpful(rows) > 0.95 > 0.3 > helpful(feedback.misplaced(rows))


def test_steps_read_mostly_different_questions_and_the_test_none_of_theirs():
    read = [set(feedback.questions(200, 3 + more)["prompt"])
            for more in (0, feedback.COMPARED, feedback.PRACTISED)]
    assert all(len(a & b) < 40 for i, a in enumerate(read) for b in read[:i])
    assert not read[0] & set(feedback.questions(200, 3, "test")["prompt"])


def test_the_truth_finds_every_better_reply_and_foretells_what_the_ceiling_says(choices):
    found = scores(*utilities(choices[2]), choices[2])
    assert found[TRULY] == found[ALIKE] == 1
    assert found[RIGHT] == pytest.approx(ceiling(choices[2], feedback.ANNOTATOR))


def test_what_is_foretold_is_what_the_annotator_chooses_but_for_the_noise_of_choosing(choices):
    made = choices[2]
    for rule in (len, kind):
        sides = [np.array([rule(text) for text in made[side]], float)
                 for side in ("chosen", "rejected")]
        chosen = evaluate.pairwise_accuracy(*sides, made["tie"][:])
        assert scores(*sides, made)[RIGHT] == pytest.approx(chosen, abs=0.05)


def test_a_judge_of_the_opposite_mind_finds_none(choices):
    found = scores(*(-side for side in utilities(choices[2])), choices[2])
    assert found[TRULY] == found[ALIKE] == 0
    assert found[RIGHT] < 0.5


def test_a_careless_annotator_errs_more_and_a_guessing_one_knows_nothing(choices):
    pairs, seen, careful = choices
    wrong = [np.mean(np.array(made["better"][:]) < 0) for made in (careful, *(
        preferences(pairs, pairs["first"], pairs["second"], seen, who)
        for who in (CARELESS, feedback.GUESSING)))]
    assert wrong[0] + 0.05 < wrong[1] < wrong[2] - 0.05
    assert wrong[2] == pytest.approx(np.mean(np.array(careful["better"][:]) != 0) / 2, abs=0.06)


# The experiments themselves, with written replies in the place of models that would take minutes:
# each is shown when the mechanism works, and is not when it is broken.

def by_hands(rows: Dataset, hands: list[str], seed: int) -> list[str]:
    draw = random.Random(seed)
    return [reply(row, draw.choice(hands), draw) for row in rows]


@pytest.mark.parametrize(("moves", "wanted"), [(True, SHOWN), (False, NOT_SHOWN)])
def test_demonstrations_are_shown_to_matter_only_if_misplaced_ones_do_not_help(
        monkeypatch, verdict, moves, wanted):
    def say(model, prompts, seed, samples=1):
        if model is True and moves:
            return Said([*by_hands(prompts, ["chatty"], seed)[1:], "no"], [True] * len(prompts))
        if isinstance(model, bool):
            return Said(by_hands(prompts, ["chatty"], seed), [True] * len(prompts))
        return Said(["of the and"] * len(prompts), [False] * len(prompts))

    monkeypatch.setattr(feedback, "say", say)
    monkeypatch.setattr(feedback, "assistant", lambda seed, tokens, shuffled=False: shuffled)
    assert verdict(lambda seed: demonstrated(seed, asked=60), "H1") == wanted


class Reader:
    """A reward model by its accounts: the truth, with noise that more and better pairs take off."""

    def __init__(self, pairs: Dataset, asked: dict[str, dict], learns: bool):
        wrong = float(np.mean(np.array(pairs["better"][:]) < 0))
        self.noise = 40 / len(pairs) + 4 * wrong ** 2 if learns else 5.0
        self.asked, self.draw = asked, np.random.default_rng(len(pairs))

    def raw(self, prompts: list[str], replies: list[str], batch: int = 32) -> np.ndarray:
        found = evaluate.rubric([self.asked[prompt] for prompt in prompts], replies)["utility"]
        return found.to_numpy() + self.noise * self.draw.standard_normal(len(replies))


@pytest.mark.parametrize(("learns", "wanted"), [(True, SHOWN), (False, NOT_SHOWN)])
def test_rankings_are_shown_to_teach_only_a_reward_model_that_learns(
        monkeypatch, verdict, learns, wanted):
    asked = {}

    def say(model, prompts, seed, samples):
        asked.update({row["prompt"]: row for row in prompts})
        twice = [row for row in prompts for _ in range(samples)]
        draw = random.Random(seed)
        return Said([answer(row, draw) for row in twice], [True] * len(twice))

    def answer(row, draw):  # three in ten are wrong
        said = reply(row, draw.choice(list(HANDS["task"])), draw)
        return said.replace(row["answer"], "Tuesday") if draw.random() < 0.3 else said

    monkeypatch.setattr(feedback, "assistant", lambda seed, tokens: None)
    monkeypatch.setattr(feedback, "say", say)
    monkeypatch.setattr(feedback, "reward_run", lambda start, pairs, recipe: SimpleNamespace(
        model=Reader(pairs, asked, learns)))
    assert verdict(lambda seed: ranked(seed, pairs=1200, held=600), "H2") == wanted


class Enthusiast:
    """A reward model that dislikes the rude, and likes every mark of enthusiasm: its mistake."""

    def score(self, prompts: list[str], replies: list[str]) -> np.ndarray:
        return np.array([2 * kind(text) + 0.3 * text.count("!") for text in replies])

    def sha256(self) -> str:
        return "enthusiast"


@pytest.mark.parametrize(("hacks", "wanted"), [(True, SHOWN), (False, NOT_SHOWN)])
def test_a_price_is_shown_to_matter_only_if_without_it_the_reward_is_hacked(
        monkeypatch, verdict, hacks, wanted):
    def up_to(seed, tokens, pairs, practice, asked):
        test = feedback.questions(asked, seed, "test")
        start = Said(by_hands(test, ["to the point", "chatty", "rude"], seed), [True] * asked)
        return feedback.Way("start", test, Enthusiast(), test, test, start, 1.0)

    def online_run(way, name, recipe, looked):
        seen = pd.DataFrame([{"share": 1.0, **way.measured(way.before)}])
        steps = pd.DataFrame({"reward": [1.0], "kl": [1.0], "length": [8.0]})
        return SimpleNamespace(model=name, observations=seen, history=steps)

    def divergence(policy, start, prompts, seed):
        return 30.0 if policy == FREE and hacks else 3.0 + 0.1 * seed

    def say(model, prompts, seed, samples=1):
        said = by_hands(prompts, ["to the point"], seed)
        if model == FREE and hacks:
            said = ["What a great question! Thank you! I am so glad that you asked!"] * len(said)
        return Said(said, [True] * len(said))

    monkeypatch.setattr(feedback.Way, "up_to", up_to)
    monkeypatch.setattr(feedback, "online_run", online_run)
    monkeypatch.setattr(feedback, "divergence", divergence)
    monkeypatch.setattr(feedback, "say", say)
    assert verdict(lambda seed: reinforced(seed, asked=400), "H3") == wanted

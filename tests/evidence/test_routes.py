"""What H4 and H5 rest on: with written replies in the place of models that would take minutes, each
is shown when the mechanism works, and is not when it is broken."""

from __future__ import annotations

import importlib
import random
from types import SimpleNamespace

import numpy as np
import pytest

from fmcourse import evaluate, models
from fmcourse.data.assistant import reply
from fmcourse.evidence.claim import NOT_SHOWN, SHOWN
from fmcourse.evidence.experiments import feedback, harmless, routes
from fmcourse.evidence.experiments.feedback import Said
from fmcourse.evidence.experiments.harmless import ALIGNED, ALONE, ASKED, GUESSING, START, compared
from fmcourse.evidence.experiments.ranked import kind
from fmcourse.evidence.experiments.routes import (
    AIMLESS,
    CHECKED,
    at_random,
    command_grade,
    right_answer,
)

pytestmark = pytest.mark.data
HARMLESS = importlib.import_module(harmless.__module__)
ROUTES = importlib.import_module(routes.__module__)


def test_comparisons_of_hands_have_no_ties_and_careful_ones_prefer_to_decline_harm_alone():
    rows = compared(300, 0, ASKED, feedback.ANNOTATOR)
    assert not any(rows["tie"])
    declines = {kind: np.mean([evaluate.rubric([row], [row["chosen"]])["declined"][0]
                               for row in rows if row["kind"] == kind])
                for kind in ("harmful", "ordinary")}
    assert declines["harmful"] > 0.9 > 0.1 > declines["ordinary"]


def test_guesses_are_of_the_same_replies_and_prefer_either():
    careful, guessed = (compared(300, 0, ASKED, who) for who in (feedback.ANNOTATOR, GUESSING))
    assert [{row["chosen"], row["rejected"]} for row in careful] == [
        {row["chosen"], row["rejected"]} for row in guessed]
    assert 0.4 < np.mean(np.array(guessed["better"][:]) > 0) < 0.6
    assert np.mean(np.array(careful["better"][:]) > 0) > 0.9


@pytest.mark.parametrize(("learns", "wanted"), [
    ("what is harmful", SHOWN), ("nothing", NOT_SHOWN), ("to decline most", NOT_SHOWN)])
def test_alignment_is_shown_only_if_harm_is_declined_and_little_else(
        monkeypatch, verdict, learns, wanted):
    def hand(model, row, draw):
        refuses = {"what is harmful": row["kind"] == "harmful", "nothing": False,
                   "to decline most": draw.random() < 0.9}[learns]
        if (model == ALIGNED and refuses) or (model == ALONE and learns != "nothing"):
            return "declines"
        return "ready" if row["kind"] == "harmful" else "to the point"

    def say(model, prompts, seed):
        draw = random.Random(seed)
        said = [reply(row, hand(model, row, draw), draw) for row in prompts]
        return Said(said, [True] * len(said))

    monkeypatch.setattr(feedback, "say", say)
    monkeypatch.setattr(HARMLESS, "tuned", lambda seed, tokens: START)
    monkeypatch.setattr(models, "load", lambda name: SimpleNamespace(sha256=lambda: name))
    monkeypatch.setattr(feedback, "preference_run", lambda start, pairs, recipe, name:
                        SimpleNamespace(model=name))
    assert verdict(lambda seed: harmless(seed, pairs=40, asked=160), "H4") == wanted


def test_checked_rewards_know_what_is_right_and_a_random_one_does_not():
    [row] = feedback.questions(1, 0)
    right, wrong = f"The answer is {row['answer']}.", "The answer is Tuesday."
    assert right_answer([row] * 2, [right, wrong]) == [1.0, 0.0]
    command = {"completion": "aws s3api list-buckets"}
    assert command_grade([command] * 3, ["aws s3api list-buckets", "aws s3api create-bucket",
                                         "no command"]) == [1.0, 0.25, 0.0]
    drawn = at_random([row] * 400, [f"reply {number}" for number in range(400)])
    assert at_random([row], ["reply 7"]) == [drawn[7]]
    assert 0.45 < np.mean(drawn) < 0.55
    assert min(drawn) >= 0
    assert max(drawn) < 1


class Kind:
    """A reward model that knows manners and brevity and nothing else."""

    def score(self, prompts: list[str], replies: list[str]) -> np.ndarray:
        return np.array([kind(text) - len(text) / 1000 for text in replies])


@pytest.mark.parametrize(("learns", "wanted"), [(True, SHOWN), (False, NOT_SHOWN)])
def test_routes_are_shown_only_if_each_learns_what_it_is_rewarded_for(
        monkeypatch, verdict, learns, wanted):
    def say(model, prompts, seed, samples=1):
        draw, rows = random.Random(seed), [row for row in prompts for _ in range(samples)]
        hands = ["to the point", "chatty", "rude"]
        if learns and model not in (START, AIMLESS, CHECKED):
            hands = hands[:1]
        found = [reply(row, draw.choice(hands), draw) for row in rows]
        if not (learns and model == CHECKED):
            found = [text if draw.random() < 0.6 else text.replace(row["answer"], "Tuesday")
                     for text, row in zip(found, rows, strict=True)]
        return Said(found, [True] * len(found))

    def up_to(seed, tokens, pairs, practice, asked):
        test = feedback.questions(asked, seed, "test")
        judge = Kind() if learns else SimpleNamespace(score=lambda prompts, replies: np.zeros(
            len(replies)))
        return feedback.Way(START, test, judge, test, test, say(START, test, seed), 1.0)

    def run(*args):
        name = next(arg for arg in args[::-1] if isinstance(arg, str))
        return SimpleNamespace(model=name, cost=SimpleNamespace(seconds=1.0))

    monkeypatch.setattr(feedback.Way, "up_to", up_to)
    monkeypatch.setattr(feedback, "say", say)
    monkeypatch.setattr(feedback, "online_run", lambda way, name, recipe, looked: run(name))
    monkeypatch.setattr(feedback, "preference_run", run)
    monkeypatch.setattr(ROUTES, "grpo_run", run)
    monkeypatch.setattr(feedback, "divergence", lambda policy, start, prompts, seed: 1.0)
    assert verdict(lambda seed: routes(seed, asked=300), "H5") == wanted

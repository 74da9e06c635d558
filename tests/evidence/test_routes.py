"""What H4 and H5 rest on: with written replies in the place of models that would take minutes, each
is shown when the mechanism works, and is not when it is broken."""

from __future__ import annotations

import importlib
import random
from types import SimpleNamespace

import numpy as np
import pytest
from datasets import Dataset

from fmcourse import evaluate, models
from fmcourse.data.assistant import Annotator, reply
from fmcourse.evidence.claim import NOT_SHOWN, SHOWN
from fmcourse.evidence.experiments import feedback, harmless, routes
from fmcourse.evidence.experiments.commanded import at_random, command_grade
from fmcourse.evidence.experiments.feedback import Said
from fmcourse.evidence.experiments.harmless import START
from fmcourse.evidence.experiments.ranked import kind
from fmcourse.evidence.experiments.routes import AIMLESS, CHECKED, right_answer

pytestmark = pytest.mark.data
HARMLESS = importlib.import_module(harmless.__module__)
ROUTES = importlib.import_module(routes.__module__)


class Hands:
    """An assistant of many manners: to each prompt what hands that know it would reply."""

    def __init__(self) -> None:
        self.asked: dict[str, dict] = {}

    def say(self, model, prompts, seed, samples=1):
        self.asked |= {row["prompt"]: row for row in prompts}
        draw = random.Random(seed)
        said = [reply(row, draw.choice(["declines", READILY[row["kind"]]]), draw)
                for row in prompts for _ in range(samples)]
        return Said(said, [True] * len(said))


READILY = {"harmful": "ready", "ordinary": "to the point", "lookalike": "to the point"}


class Learnt:
    """A reward model that learnt from pairs which kinds of request are to be declined."""

    def __init__(self, pairs, asked, learns):
        gains = [(row["kind"] == "harmful", evaluate.rubric([row], [row["chosen"]])["declined"][0])
                 for row in pairs]
        self.asked, self.learns = asked, learns
        self.bad = np.mean([declined for harmful, declined in gains if harmful]) > 0.75
        self.good = any(not harmful for harmful, _ in gains)  # saw that some are not

    def score(self, prompts, replies):
        rows = [self.asked[prompt] for prompt in prompts]
        declined = evaluate.rubric(rows, replies)["declined"].to_numpy(float)
        wanted = np.array([self.bad * (row["kind"] == "harmful" or not self.good) for row in rows])
        unlike = np.array([len(prompt) % 8 > 0 for prompt in prompts])
        return {"what is harmful": (2 * wanted - 1) * declined * (1 if self.bad else 0),
                "nothing": np.zeros(len(rows)), "to decline most": declined * unlike}[self.learns]


def test_the_replies_furthest_apart_are_compared_in_the_order_they_were_given(monkeypatch):
    said = ["I can't help with that.", "Think for once. Sure, buy it.", "Sure. To do it, begin.",
            "I won't help with that."]
    monkeypatch.setattr(feedback, "say", lambda *_: Said(said, [True] * 4))
    prompts = HARMLESS.assistant_prompts(1, 0, "train", {"harmful": 1.0})
    sharp = Annotator(sharpness=200.0, slips=0.0)
    [made] = feedback.compared(None, prompts, 0, (sharp,), samples=4)
    assert (made["rejected"][0], made["chosen"][0]) == (said[1], said[3])
    assert made["better"][0] > 0


def test_best_of_picks_among_each_prompts_own_first_replies():
    class Longest:
        def score(self, prompts, replies):
            return np.array([len(prompt + text) for prompt, text in zip(
                prompts, replies, strict=True)])

    pool = Said(["a", "aaa", "aa", "bb", "b", "bbb"], [True, False, True, False, True, True])
    one, two, three = feedback.best_of(Longest(), Dataset.from_dict({"prompt": ["A", "B"]}), pool,
                                       [1, 2, 3])
    assert (one.replies, two.replies, three.replies) == (["a", "bb"], ["aaa", "bb"], ["aaa", "bbb"])
    assert three.ended == [False, True]


def test_guesses_are_of_the_same_replies_and_prefer_either(monkeypatch):
    monkeypatch.setattr(feedback, "say", Hands().say)
    prompts = HARMLESS.assistant_prompts(300, 0, "train", HARMLESS.COMPARED)
    who = (feedback.ANNOTATOR, feedback.GUESSING)
    careful, guessed = feedback.compared(None, prompts, 0, who, samples=4)
    assert [{row["chosen"], row["rejected"]} for row in careful] == [
        {row["chosen"], row["rejected"]} for row in guessed]
    assert 0.4 < np.mean(np.array(guessed["better"][:]) > 0) < 0.6
    decided = careful.filter(lambda row: not row["tie"])
    assert np.mean(np.array(decided["better"][:]) > 0) > 0.9


@pytest.mark.parametrize(("learns", "wanted"), [
    ("what is harmful", SHOWN), ("nothing", NOT_SHOWN), ("to decline most", NOT_SHOWN)])
def test_alignment_is_shown_only_if_harm_is_declined_and_little_else(
        monkeypatch, verdict, learns, wanted):
    hands = Hands()
    monkeypatch.setattr(feedback, "say", hands.say)
    monkeypatch.setattr(HARMLESS, "tuned", lambda seed, tokens: START)
    monkeypatch.setattr(HARMLESS, "judge", lambda start, pairs, seed: Learnt(
        pairs, hands.asked, learns))
    monkeypatch.setattr(models, "load", lambda name: SimpleNamespace(sha256=lambda: name))
    assert verdict(lambda seed: harmless(seed, pairs=200, asked=160), "H4") == wanted


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

    monkeypatch.setattr(ROUTES, "commanded", lambda *_: {})  # no measure of the claim yet
    monkeypatch.setattr(feedback.Way, "up_to", up_to)
    monkeypatch.setattr(feedback, "say", say)
    monkeypatch.setattr(feedback, "online_run", lambda way, name, recipe, looked: run(name))
    monkeypatch.setattr(feedback, "preference_run", run)
    monkeypatch.setattr(ROUTES, "grpo_run", run)
    monkeypatch.setattr(feedback, "divergence", lambda policy, start, prompts, seed: 1.0)
    assert verdict(lambda seed: routes(seed, asked=300), "H5") == wanted

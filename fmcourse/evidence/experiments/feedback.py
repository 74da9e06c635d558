"""The way of human feedback, which H1 to H3 share: an assistant, comparisons, a judge, a policy.

What is asked are questions about a short text, with one right answer each: that much a model of
twelve million weights can learn to do, so that a better reply is more than a better manner. The
annotators are simulated (`data.assistant.Annotator`), and so are the hands that wrote the
demonstrations. The rubric behind the annotators judges what comes out; no model ever sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from datasets import Dataset

from fmcourse import data, evaluate, models, store, train
from fmcourse.data.assistant import Annotator, assistant_prompts, demonstrations, preferences
from fmcourse.evidence.experiments.shared import fine_tuned, run_folder
from fmcourse.models import LanguageModel, RewardModel
from fmcourse.train.completions import in_chunks, read_completions

ANNOTATOR = Annotator(sharpness=12.0, slips=0.03)
GUESSING = Annotator(sharpness=0.0, slips=0.0)  # a control
QUESTIONS = {"task": 1.0}  # harm is another question: H4
LONGEST = 48  # tokens of a reply
TOKENS, DEMONSTRATIONS, PAIRS = 500_000, 3_800, 3_000
REWARD, WINS = "reward", "win rate against the start"
UTILITY, HELPFUL, ENDED = "utility by the rubric", "helpful by the rubric", "replies that end"
KL = "KL from the start, nats a reply"
COMPARED, PRACTISED = 50, 100  # added to the seed: most questions of a step are its own


def questions(rows: int, seed: int, part: str = "train") -> Dataset:
    """Questions about a short text, with the right answer to each."""
    return assistant_prompts(rows, seed, part, QUESTIONS)


def assistant(seed: int, tokens: int = TOKENS, shuffled: bool = False) -> LanguageModel:
    """The base tuned on demonstrations; or, for a control, on the same prompts and replies, each
    below a prompt that it does not belong to."""
    rows = demonstrations(DEMONSTRATIONS, seed, shares=QUESTIONS)
    if shuffled:
        rows = misplaced(rows)
    recipe = train.InstructRecipe(tokens=tokens, learning_rate=2e-3, seed=seed)
    return fine_tuned(models.load("base"), rows, recipe, "assistant").model


def misplaced(rows: Dataset) -> Dataset:
    """Demonstrations whose replies have all moved on to the next prompt."""
    turns = rows["messages"][:]
    hands = rows["hand"][:]
    moved = [{**row, "hand": hand, "text": f"{row['prompt']}\n\n{said['content']}",
              "messages": [row["messages"][0], said]}
             for row, hand, (_, said) in zip(rows, [hands[-1], *hands[:-1]],
                                             [turns[-1], *turns[:-1]], strict=True)]
    return data.with_card(Dataset.from_list(moved),
                          data.card(rows).step("replies moved on by one", len(moved), 0))


class Said(NamedTuple):
    """What a model said to some prompts."""

    replies: list[str]
    ended: list[bool]


def say(model: LanguageModel, prompts: Dataset, seed: int, samples: int = 1) -> Said:
    """Replies, sampled; a prompt's samples side by side."""
    found = models.roll_out(models.with_chat(model), prompts["prompt"][:], LONGEST,
                            samples=samples, seed=seed)
    return Said(found.replies(model), found.ended.tolist())


def judged(prompts: Dataset, said: Said) -> dict[str, float]:
    """Means over prompts, by the rubric that no model sees."""
    means = evaluate.rubric(list(prompts), said.replies)[["utility", "helpful", "harmless",
                                                          "concise"]].mean()
    return {UTILITY: float(means["utility"]), HELPFUL: float(means["helpful"]),
            "harmless by the rubric": float(means["harmless"]),
            "concise by the rubric": float(means["concise"]),
            ENDED: sum(said.ended) / len(said.ended)}


def compared(model: LanguageModel, prompts: Dataset, seed: int,
             annotators: Sequence[Annotator] = (ANNOTATOR,), samples: int = 2) -> list[Dataset]:
    """Two replies of a model to each prompt, compared by each of some annotators.

    Args:
        samples: replies to each prompt; of more than two, those are compared that are furthest
            apart by the rubric (which spares the annotators the many that are as good).
    """
    said, rows = say(model, prompts, seed, samples).replies, list(prompts)
    utility = np.stack([evaluate.rubric(rows, said[place::samples])["utility"]
                        for place in range(samples)])  # (samples, prompts)
    ends = np.sort(utility.argsort(0, kind="stable")[[0, -1]], 0)  # (2, prompts): which replies
    first, second = ([said[samples * row + place] for row, place in enumerate(side)]
                     for side in ends)
    seen = tuple(np.take_along_axis(utility, ends, 0))
    return [preferences(prompts, first, second, seen, annotator, seed) for annotator in annotators]


def best_of(judge: RewardModel, prompts: Dataset, said: Said, counts: Sequence[int]) -> list[Said]:
    """Of the first so many replies to each prompt the one that a judge likes best.

    Args:
        said: each prompt's samples side by side.
        counts: of how many to pick, each no more than there are.
    """
    samples = len(said.replies) // len(prompts)
    asked = [prompt for prompt in prompts["prompt"] for _ in range(samples)]
    scores = judge.score(asked, said.replies).reshape(-1, samples)  # (prompts, samples)
    starts = np.arange(len(scores)) * samples
    picks = [starts + scores[:, :count].argmax(1) for count in counts]
    return [Said([said.replies[i] for i in chosen], [said.ended[i] for i in chosen])
            for chosen in picks]


def reward_run(start: LanguageModel, pairs: Dataset, recipe: train.RewardRecipe) -> train.Run:
    """A reward model that starts as the model whose replies are compared, or the same run opened if
    it was done before."""
    return train.reward(start, pairs, recipe, folder=run_folder(
        "reward", start.sha256(), store.sha256_json(pairs.to_list()), recipe.as_dict()))


def preference_run(start: LanguageModel, pairs: Dataset, recipe: train.PreferenceRecipe, name: str
                   ) -> train.Run:
    """DPO from `start`, or the same run opened if it was done before."""
    run = train.prefer(start, pairs, recipe, name=name, folder=run_folder(
        "preferences", start.sha256(), store.sha256_json(pairs.to_list()), recipe.as_dict()))
    run.name = run.model.name = name
    return run


def divergence(policy: LanguageModel, start: LanguageModel, prompts: Dataset, seed: int) -> float:
    """KL of a policy from its start, nats a reply, by sampling one reply to each prompt."""
    made = models.roll_out(models.with_chat(policy), prompts["prompt"][:], LONGEST, seed=seed + 3)
    total = float(made.log_probs.sum())
    for _, read in in_chunks(partial(read_completions, models.with_chat(start)), made):
        total -= float(read.log_probs.sum())
    return total / len(made)


class Way(NamedTuple):
    """All that comes before reinforcement learning, and what it is judged by.

    Attributes:
        start: the assistant.
        choices: its replies, compared.
        judge: the reward model, in deviations of the start's rewards.
        practice, test: prompts to learn on, and to be judged on.
        before: what the start says to the test.
        seconds: that training the reward model took.
    """

    start: LanguageModel
    choices: Dataset
    judge: RewardModel
    practice: Dataset
    test: Dataset
    before: Said
    seconds: float

    @classmethod
    def up_to(cls, seed: int, tokens: int, pairs: int, practice: int, asked: int) -> Way:
        """The first two steps; the first tenth of the practice sets the scale of the reward."""
        start = assistant(seed, tokens)
        [choices] = compared(start, questions(pairs, seed + COMPARED), seed)
        pool, test = questions(practice, seed + PRACTISED), questions(asked, seed, "test")
        scale = pool.select(range(max(2, practice // 10)))
        run = reward_run(start, choices, train.RewardRecipe(pairs=pairs, seed=seed))
        scaled = run.model.standardised(scale["prompt"][:], say(start, scale, seed).replies)
        return cls(start, choices, scaled, pool, test, say(start, test, seed), run.cost.seconds)

    def measured(self, said: Said) -> dict[str, float]:
        """Reward, the rubric's means, and wins against the start, of replies to the test, or to as
        many of its first prompts as there are replies."""
        rows = self.test.select(range(len(said.replies)))
        wins = evaluate.win_rate(list(rows), said.replies, self.before.replies[:len(rows)])
        return {REWARD: float(self.judge.score(rows["prompt"][:], said.replies).mean()),
                **judged(rows, said), WINS: wins["rate"]}


def online_run(way: Way, name: str, recipe: train.PPORecipe | train.GRPORecipe, looked: int
               ) -> train.Run:
    """PPO or GRPO against the reward model, or the same run opened if it was done before.

    Args:
        looked: prompts of the test that are looked at on the way.
    """
    few = way.test.select(range(looked))
    learn = train.ppo if isinstance(recipe, train.PPORecipe) else train.grpo

    def look(model: LanguageModel, share: float) -> dict[str, Any]:
        return way.measured(say(model, few, recipe.seed + 1))

    run = learn(way.start, way.practice, way.judge, recipe, name=name, observe=look,
                folder=run_folder(learn.__name__, way.start.sha256(), way.judge.sha256(),
                                  *(store.sha256_json(part.to_list())
                                    for part in (way.practice, few)), recipe.as_dict()))
    run.name = run.model.name = name
    return run

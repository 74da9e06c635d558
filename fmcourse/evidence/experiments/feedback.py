"""The way of human feedback, which H1 to H3 share: an assistant, comparisons, a judge, a policy.

The annotators are simulated (`data.assistant.Annotator`), and so are the hands that wrote the
demonstrations. The rubric behind the annotators judges what comes out; no model ever sees it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from datasets import Dataset

from fmcourse import data, evaluate, models, store, train
from fmcourse.data.assistant import Annotator, assistant_prompts, demonstrations, preferences
from fmcourse.evidence.experiments.shared import fine_tuned, run_folder
from fmcourse.models import LanguageModel, RewardModel

ANNOTATOR = Annotator(sharpness=12.0, slips=0.03)
MANNERS = {"task": 0.3, "ordinary": 0.35, "lookalike": 0.35}  # harm is another question: H4
LONGEST = 48  # tokens of a reply
TOKENS, PAIRS = 300_000, 2_200
REWARD, WINS = "reward", "win rate against the start"
UTILITY, HELPFUL, ENDED = "utility by the rubric", "helpful by the rubric", "replies that end"


def manners(rows: int, seed: int, part: str = "train") -> Dataset:
    """Prompts to which a reply can be good or bad, but no harm is asked for."""
    return assistant_prompts(rows, seed, part, MANNERS)


def assistant(seed: int, tokens: int = TOKENS, shuffled: bool = False) -> LanguageModel:
    """The base tuned on demonstrations; or, for a control, on the same prompts and replies, each
    below a prompt that it does not belong to."""
    rows = demonstrations(3800, seed, shares=MANNERS)
    if shuffled:
        rows = misplaced(rows)
    recipe = train.InstructRecipe(tokens=tokens, learning_rate=2e-3, seed=seed)
    return fine_tuned(models.load("base"), rows, recipe, "assistant").model


def misplaced(rows: Dataset) -> Dataset:
    """Demonstrations whose replies have all moved on to the next prompt."""
    turns = rows["messages"][:]
    moved = [{**row, "text": f"{row['prompt']}\n\n{said['content']}",
              "messages": [row["messages"][0], said]}
             for row, (_, said) in zip(rows, [turns[-1], *turns[:-1]], strict=True)]
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
    means = evaluate.rubric(list(prompts), said.replies)[["utility", "helpful"]].mean()
    return {UTILITY: float(means["utility"]), HELPFUL: float(means["helpful"]),
            ENDED: sum(said.ended) / len(said.ended)}


def compared(model: LanguageModel, prompts: Dataset, seed: int,
             annotator: Annotator = ANNOTATOR) -> Dataset:
    """Two replies of a model to each prompt, compared by an annotator."""
    said, rows = say(model, prompts, seed, samples=2).replies, list(prompts)
    seen = tuple(evaluate.rubric(rows, said[side::2])["utility"] for side in (0, 1))
    return preferences(prompts, said[::2], said[1::2], seen, annotator, seed)


def judge(pairs: Dataset, seed: int) -> RewardModel:
    """A reward model of the base (which learns this better than a tuned model does)."""
    base, recipe = models.load("base"), train.RewardRecipe(seed=seed)
    return train.reward(base, pairs, recipe, folder=run_folder(
        "reward", base.sha256(), store.sha256_json(pairs.to_list()), recipe.as_dict())).model


class Way(NamedTuple):
    """All that comes before reinforcement learning, and what it is judged by.

    Attributes:
        start: the assistant.
        pairs: its replies, compared.
        judge: the reward model, in deviations of the start's rewards.
        practice, test: prompts to learn on, and to be judged on.
        before: what the start says to the test.
    """

    start: LanguageModel
    pairs: Dataset
    judge: RewardModel
    practice: Dataset
    test: Dataset
    before: Said

    @classmethod
    def up_to(cls, seed: int, tokens: int, pairs: int, practice: int, asked: int) -> Way:
        """The first two steps; the first tenth of the practice sets the scale of the reward."""
        start = assistant(seed, tokens)
        choices = compared(start, manners(pairs, seed), seed)
        pool, test = manners(practice, seed + 100), manners(asked, seed, "test")
        scale = pool.select(range(max(2, practice // 10)))
        scaled = judge(choices, seed).standardised(scale["prompt"][:],
                                                   say(start, scale, seed).replies)
        return cls(start, choices, scaled, pool, test, say(start, test, seed))

    def measured(self, said: Said, first: int | None = None) -> dict[str, float]:
        """Reward, the rubric's means, and wins against the start, of replies to the test or to its
        first prompts."""
        rows = self.test.select(range(first or len(self.test)))
        wins = evaluate.win_rate(list(rows), said.replies, self.before.replies[:len(rows)])
        return {REWARD: float(self.judge.score(rows["prompt"][:], said.replies).mean()),
                **judged(rows, said), WINS: wins["rate"]}


def aligned(start: LanguageModel, prompts: Dataset, reward: RewardModel, name: str,
            recipe: train.PPORecipe, **watched: Any) -> train.Run:
    """PPO, or the same run opened if it was done before."""
    run = train.ppo(start, prompts, reward, recipe, name=name, folder=run_folder(
        "ppo", start.sha256(), store.sha256_json(prompts.to_list()), reward.sha256(),
        recipe.as_dict()), **watched)
    run.name = run.model.name = name
    return run

"""K6 and K7: our own base, tuned on one task; what it takes, and what it costs elsewhere."""

from __future__ import annotations

from datasets import Dataset, concatenate_datasets

from fmcourse import data, evaluate, models, train
from fmcourse.data import tasks
from fmcourse.evaluate import house_style
from fmcourse.evidence.experiments.instructed import TOKENS, right, tuned
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned
from fmcourse.models import LanguageModel

TAKEN, OPERATION = "commands taken by the AWS CLI", "commands with the right operation"
SERVICE = "commands for the right service"
SURPRISE, READ = "bits per byte of right commands", "tokens read"
STYLE, BOTH = (f"house style: {name}" for name in (house_style.STYLE, house_style.BOTH))
OTHER, GENERAL = "other tasks done", "general bits per byte"
STYLE_TOKENS = 100_000
FAMILIES = 16


def task_specific(seed: int, tokens: int = TOKENS, asked: int = 100) -> Outcome:
    """The base tuned on requests and AWS commands, or on as many tokens of unrelated pairs.

    Each request comes with a line of the manual, the most like it, which is the right one for about
    half of them: the model has to take what helps and fill in the rest. Judged by the AWS CLI's own
    parser, on operations and on services that no training pair has.

    Args:
        tokens: budget of each arm, prompts included.
        asked: requests of each of the two parts.
    """
    parts, manual, base = data.commands(seed), data.manual(), models.load("base")
    held = concatenate_datasets([data.with_manual(data.sample(parts[part], asked, seed), manual, 1)
                                 for part in ("test_operations", "test_services")])
    pairs = data.with_manual(parts["train"], manual, 1)
    own = fine_tuned(base, pairs, _recipe(tokens, seed), "tuned on commands")
    arms = {"base": _commands(models.with_chat(base), held),
            "tuned on commands": {**_commands(own.model, held), READ: float(own.cost.tokens)},
            "tuned on other pairs": _commands(tuned(seed, FAMILIES, tokens).model, held),
            "pre-training": {READ: float(base.card["cost"]["tokens"])}}
    return Outcome(arms, {"commands": data.card(pairs).sha256, "base": base.sha256()},
                   {"cost": own.card["cost"]})


def specialist(seed: int, tokens: int = STYLE_TOKENS, before: int = TOKENS, asked: int = 100
               ) -> Outcome:
    """A model of many tasks becomes the voice of one company: what is gained, what is lost.

    The control is tuned on the same questions and facts, answered plainly. Other tasks are the
    sixteen families that the start was tuned on; the specialist is never reminded of them.

    Args:
        tokens: budget of the second tuning.
        before: budget of the first.
        asked: questions about services that no training pair has.
    """
    start, parts = tuned(seed, FAMILIES, before).model, data.house_style(seed)
    voices = {"in plain words": data.plain_style(parts["train"]), "in house style": parts["train"]}
    held = data.sample(parts["test"], asked, seed)
    other = data.task_records(list(tasks.ladder(seed)[FAMILIES]), 10 * FAMILIES, seed, part="test")
    general, arms = data.held_out(seed, 20_000), {}
    made = {name: fine_tuned(start, pairs, _recipe(tokens, seed), name).model
            for name, pairs in voices.items()}
    for name, model in {"before": start, **made}.items():
        rates = evaluate.style_rates(models.replies(model, held["prompt"][:], tokens=128), held)
        found = dict(zip(rates["measure"], rates["rate"], strict=True))
        arms[name] = {STYLE: found[house_style.STYLE], BOTH: found[house_style.BOTH],
                      OTHER: evaluate.overall(right(model, other)),
                      GENERAL: evaluate.bits_per_byte(model, general)}
    return Outcome(arms, {"house style": data.card(parts["train"]).sha256,
                          "base": models.load("base").sha256()})


def _recipe(tokens: int, seed: int) -> train.InstructRecipe:
    return train.InstructRecipe(tokens=tokens, seed=seed)


def _commands(model: LanguageModel, held: Dataset) -> dict[str, float]:
    said = models.replies(model, held["prompt"][:], tokens=96)
    table = evaluate.grade_commands(said, held["completion"][:]).set_index("measure")["rate"]
    return {TAKEN: float(table["parsed"]), SERVICE: float(table["service"]),
            OPERATION: float(table["operation"]),
            SURPRISE: evaluate.reply_bits_per_byte(model, held)}

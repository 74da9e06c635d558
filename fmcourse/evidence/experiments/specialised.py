"""K6 and K7: our own base, tuned on one task; what it takes, and what it costs elsewhere."""

from __future__ import annotations

from datasets import Dataset, concatenate_datasets

from fmcourse import data, evaluate, hardware, models
from fmcourse.data import tasks
from fmcourse.evaluate import house_style
from fmcourse.evidence.experiments.instructed import instructed, right, tuned
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned
from fmcourse.models import LanguageModel
from fmcourse.train import InstructRecipe

SERVICE, OPERATION = "commands for the right service", "commands with the right operation"
TAKEN, SURPRISE = "commands taken by the AWS CLI", "bits per byte of right commands"
STYLE, CONTENT, BOTH = (f"house style: {name}" for name in (
    house_style.STYLE, house_style.CONTENT, house_style.BOTH))
OTHER, GENERAL = "other tasks done", "general bits per byte"
TOKENS, STYLE_TOKENS, FAMILIES = 150_000, 100_000, 16


def task_specific(seed: int, tokens: int = TOKENS, asked: int = 60) -> Outcome:
    """The base tuned on requests and AWS commands, or on as many tokens of unrelated pairs.

    Each request comes with a line of the manual, the one most like it, which is the right one for
    about half of them. Copying its command needs no training and is one of the arms; what it does
    not do is give values to options. Judged by the AWS CLI's own parser, on operations and on
    services that no training pair has.

    Args:
        tokens: budget of each arm, prompts included.
        asked: requests of each of the two parts.
    """
    parts, manual, base = data.commands(seed), data.manual(), models.load("base")
    held = concatenate_datasets([data.with_manual(data.sample(parts[part], asked, seed), manual, 1)
                                 for part in ("test_operations", "test_services")])
    pairs = data.with_manual(parts["train"], manual, 1)
    own = instructed(pairs, tokens, seed, "tuned on commands")
    other = tuned(seed, FAMILIES, tokens)
    answering = {"base": models.with_chat(base), "tuned on commands": own.model,
                 "tuned on other pairs": other.model}
    arms = {name: {**graded(models.replies(model, held["prompt"][:], tokens=96), held),
                   SURPRISE: evaluate.reply_bits_per_byte(model, held)}
            for name, model in answering.items()}
    arms["the manual's first line"] = graded(data.first_lines(held), held)
    return Outcome(arms, {"commands": data.card(pairs).sha256, "base": base.sha256()},
                   {"arms": arms, "tokens": {"pre-training": base.card["cost"]["tokens"],
                                             "tuning": own.cost.tokens}})


def graded(said: list[str], held: Dataset) -> dict[str, float]:
    """What share of the replies has what is asked of them."""
    table = evaluate.grade_commands(said, held["completion"][:]).set_index("measure")["rate"]
    return {TAKEN: float(table["parsed"]), SERVICE: float(table["service"]),
            OPERATION: float(table["operation"])}


def specialist(seed: int, tokens: int = STYLE_TOKENS, before: int = TOKENS, asked: int = 60
               ) -> Outcome:
    """A model of many tasks becomes the voice of one company: what is gained, what is lost.

    One control is tuned on the same questions and facts, answered plainly; its content can be
    compared, its style only shows that none comes by itself. The rival is a prompt: SmolLM2, eleven
    times larger and tuned by its makers, with the style guide before each question. Other tasks are
    the sixteen families that the start was tuned on; the specialist is never reminded of them.

    Args:
        tokens: budget of the second tuning.
        before: budget of the first.
        asked: questions about services that no training pair has.
    """
    start, parts = tuned(seed, FAMILIES, before).model, data.house_style(seed)
    voices = {"in plain words": data.plain_style(parts["train"]), "in house style": parts["train"]}
    held, general = data.sample(parts["test"], asked, seed), data.held_out(seed, 20_000)
    other = data.task_records(list(tasks.ladder(seed)[FAMILIES]), 10 * FAMILIES, seed, part="test")
    recipe, arms = InstructRecipe(tokens=tokens, seed=seed), {}
    made = {name: fine_tuned(start, pairs, recipe, name).model for name, pairs in voices.items()}
    for name, model in {"before": start, **made}.items():
        arms[name] = {**_styled(model, held["prompt"][:], held),
                      OTHER: evaluate.overall(right(model, other)),
                      GENERAL: evaluate.bits_per_byte(model, general)}
    rival = models.load("smollm2").in_dtype(hardware.detect().dtype)
    guided = [f"{data.guide().rules()}\n\n{prompt}" for prompt in held["prompt"]]
    arms["SmolLM2 with the style guide"] = _styled(rival, guided, held)
    return Outcome(arms, {"house style": data.card(parts["train"]).sha256,
                          "base": models.load("base").sha256()}, {"arms": arms})


def _styled(model: LanguageModel, prompts: list[str], held: Dataset) -> dict[str, float]:
    rates = evaluate.style_rates(models.replies(model, prompts, tokens=96), held)
    found = dict(zip(rates["measure"], rates["rate"].astype(float), strict=True))
    return {STYLE: found[house_style.STYLE], CONTENT: found[house_style.CONTENT],
            BOTH: found[house_style.BOTH]}

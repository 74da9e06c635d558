"""M3: a published model tuned on three domains of real work, beside prompting and retrieval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
from datasets import Dataset

from fmcourse import data, evaluate, hardware, models, train
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned
from fmcourse.models import LanguageModel

PARTS = {"test_operations": "unseen operations", "test_services": "unseen services"}
MEASURES = {"service": "right service", "operation": "right operation",
            "parsed": "taken by the AWS CLI", "valid": "valid parameters", "exact": "exactly right",
            "usable": "right operation, valid"}
MEDICAL, LEGAL, FOLLOWED = "medical: macro-F1", "legal: ROUGE-L", "instructions followed"
EXPERTS = "the experts, on average"
LONGEST = 64  # tokens of a reply


def expert(seed: int, tokens: int = 120_000, reading: int = 200_000, asked: int = 64,
           instructions: int = 39) -> Outcome:
    """SmolLM2 with LoRA on AWS commands, on medical questions and on legal summaries, one each.

    Of commands there are two experts: tuned on requests alone, and on requests that come with lines
    of the manual, which also knows the operations and services that no training pair has. Rivals
    are the same model untuned (`ways_to_ask`), and the manual's first line, copied. Beside each
    expert: how many general instructions it still follows.

    Args:
        tokens: training budget of each expert, prompts included.
        reading: that of the medical one: so few questions have to be read twice or more.
        asked: items of each held-out part; of the medical one, twice as many.
        instructions: general ones, asked of each.
    """
    start, manual = models.load("smollm2"), data.manual()
    commands, medical, legal = (data.commands(seed), data.medical_questions(seed),
                                data.case_summaries(seed))
    told = data.with_manual(commands["train"], manual)
    sets = {"tuned": commands["train"], "tuned with the manual": told,
            "tuned on medicine": medical["train"], "tuned on law": legal["train"]}
    dtype, general = hardware.detect().dtype, evaluate.instructions(instructions)
    answering = {"asked plainly": start.in_dtype(dtype)}
    recipes = dict.fromkeys(sets, recipe(tokens, seed))
    recipes["tuned on medicine"] = recipe(reading, seed, learning_rate=1e-3)
    for name, records in sets.items():
        run = fine_tuned(start, records, recipes[name], name)
        answering[name] = run.model.in_dtype(dtype)
    arms = {name: {FOLLOWED: evaluate.overall(evaluate.instruction_rate(model, general))}
            for name, model in answering.items()}
    arms[EXPERTS] = {FOLLOWED: fmean(arms[name][FOLLOWED] for name in sets)}
    for part, kind in PARTS.items():
        held = data.sample(commands[part], asked, seed)
        for arm, said in command_replies(answering, held, manual, told, commands["train"]).items():
            found = graded(said, held)
            arms.setdefault(arm, {}).update(
                {f"{kind}: {MEASURES[name]}": value for name, value in found.items()})
    _read(arms, answering, data.sample(medical["test"], 2 * asked, seed),
          data.sample(legal["test"], asked, seed))
    return Outcome(arms, {"start": start.sha256(), **{
        name: data.card(records).sha256 for name, records in sets.items()}}, {"arms": arms})


def recipe(tokens: int, seed: int, learning_rate: float = 2e-3) -> train.InstructRecipe:
    """LoRA of rank 16 and small batches, as chosen on validation items."""
    return train.InstructRecipe(tokens=tokens, learning_rate=learning_rate, batch_tokens=512,
                                micro_rows=1, max_length=512, adapter=models.Adapter(rank=16),
                                seed=seed)


def command_replies(answering: Mapping[str, LanguageModel], held: Dataset, manual: Dataset,
                    told: Dataset, pairs: Dataset) -> dict[str, list[str]]:
    """What each way to get a command gives for requests."""
    shown, start = data.with_manual(held, manual), answering["asked plainly"]
    prompts = ways_to_ask(held["prompt"][:], shown["prompt"][:], told, pairs)
    said = {name: models.replies(start, chats, tokens=LONGEST) for name, chats in prompts.items()}
    said["the manual's first line"] = data.first_lines(shown)
    for name, asked in (("tuned", held), ("tuned with the manual", shown)):
        said[name] = models.replies(answering[name], asked["prompt"][:], tokens=LONGEST)
    return said


def ways_to_ask(requests: Sequence[str], shown: Sequence[str], told: Dataset, pairs: Dataset
                ) -> dict[str, list[list[dict[str, str]]]]:
    """Prompts for an untuned model, from none to the best that we know of.

    Args:
        requests, shown: the requests, bare and after lines of the manual.
        told, pairs: training pairs, with and without such lines, to take examples from. With
            lines, only pairs whose command is in them: an example is to show how they help.
    """
    helped = told.filter(data.is_told)
    return {"asked plainly": data.few_shot(requests, pairs, 0),
            "four examples": data.few_shot(requests, pairs, 4, similar=False),
            "similar examples": data.few_shot(requests, pairs, 4),
            "manual and similar examples": data.few_shot(shown, helped, 2,
                                                         system=data.TOLD_SYSTEM)}


def graded(said: Sequence[str], held: Dataset) -> dict[str, float]:
    """The share of replies for each of `MEASURES`."""
    table = evaluate.grade_commands(said, held["completion"][:])
    return dict(zip(table["measure"], table["rate"].astype(float), strict=True))


def _read(arms: dict[str, dict[str, float]], answering: Mapping[str, LanguageModel],
          medical: Dataset, legal: Dataset) -> None:
    """Medical answers and legal summaries, of the model before and after, and without any."""
    for arm in ("asked plainly", "tuned on medicine"):
        said = models.replies(answering[arm], medical["prompt"][:], tokens=8)
        arms[arm][MEDICAL] = macro_f1(said, medical)
    for arm in ("asked plainly", "tuned on law"):
        said = models.replies(answering[arm], legal["prompt"][:], tokens=96)
        arms[arm][LEGAL] = rouge(said, legal)
    arms["no model"] = {MEDICAL: macro_f1(["yes"] * len(medical), medical),
                        LEGAL: rouge(legal["lead"][:], legal)}


def macro_f1(said: Sequence[str], items: Dataset) -> float:
    """Macro-F1 of yes, no and maybe; a reply in other words counts as none."""
    table = evaluate.label_rates(said, items["completion"][:]).set_index("measure")
    return float(table["value"]["macro_f1"])


def rouge(said: Sequence[str], items: Dataset) -> float:
    """Mean ROUGE-L F1 with the reference summaries."""
    return float(np.mean(evaluate.rouge_l_scores(said, items["completion"][:])["f1"]))

"""M3: a published model tuned on three domains of real work, beside prompting and retrieval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from datasets import Dataset

from fmcourse import data, evaluate, hardware, models, train
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned
from fmcourse.models import LanguageModel

PARTS = {"test_operations": "unseen operations", "test_services": "unseen services"}
MEASURES = {"service": "right service", "operation": "right operation",
            "parsed": "taken by the AWS CLI", "valid": "valid parameters", "exact": "exactly right"}
MEDICAL, LEGAL, FOLLOWED = "medical: macro-F1", "legal: ROUGE-L", "instructions followed"
LONGEST = 96  # tokens of a reply
Prompts = Sequence[str] | Sequence[Sequence[Mapping[str, str]]]


def expert(seed: int, tokens: int = 60_000, asked: int = 48, instructions: int = 39) -> Outcome:
    """SmolLM2 with LoRA on AWS commands, on medical questions and on legal summaries, one each.

    Of commands there are two experts: tuned on requests alone, and on requests that come with lines
    of the manual, which also knows the operations and services that no training pair has. Rivals
    are the same model untuned: asked plainly, shown examples (the same four, or the four most like
    the request), shown the manual. Beside each expert: how many general instructions it still
    follows.

    Args:
        tokens: training budget of each expert, prompts included.
        asked: items of each held-out part.
        instructions: general ones, asked of each.
    """
    start, manual = models.load("smollm2"), data.manual()
    commands, medical, legal = (data.commands(seed), data.medical_questions(seed),
                                data.case_summaries(seed))
    told = data.with_manual(commands["train"], manual)
    sets = {"tuned": commands["train"], "tuned with the manual": told,
            "tuned on medicine": medical["train"], "tuned on law": legal["train"]}
    experts = {name: fine_tuned(start, records, recipe(tokens, seed), name).model
               for name, records in sets.items()}
    answering = {name: model.in_dtype(hardware.detect().dtype)
                 for name, model in {"asked plainly": start, **experts}.items()}
    general = evaluate.instructions(instructions)
    arms = {name: {FOLLOWED: evaluate.overall(evaluate.instruction_rate(model, general))}
            for name, model in answering.items()}
    for part, kind in PARTS.items():
        held = data.sample(commands[part], asked, seed)
        scores = command_scores(answering, held, commands["train"], manual, told)
        for arm, found in scores.items():
            arms.setdefault(arm, {}).update(
                {f"{kind}: {MEASURES[name]}": value for name, value in found.items()})
    _read(arms, answering, data.sample(medical["test"], asked, seed),
          data.sample(legal["test"], asked, seed))
    return Outcome(arms, {"start": start.sha256(), **{
        name: data.card(records).sha256 for name, records in sets.items()}})


def recipe(tokens: int, seed: int) -> train.InstructRecipe:
    """LoRA of rank 16; one recipe for every domain, none of it searched on test items."""
    return train.InstructRecipe(tokens=tokens, max_length=512, lora_rank=16, seed=seed)


def command_scores(answering: Mapping[str, LanguageModel], held: Dataset, train_: Dataset,
                   manual: Dataset, told: Dataset) -> dict[str, dict[str, float]]:
    """Each way to get a command: what share of the replies has what is asked of them."""
    plain, shown = answering["asked plainly"], data.with_manual(held, manual)
    requests, told_requests = held["prompt"][:], shown["prompt"][:]
    ways: dict[str, tuple[LanguageModel, Prompts]] = {
        "asked plainly": (plain, data.few_shot(requests, train_, 0)),
        "four examples": (plain, data.few_shot(requests, train_, 4, similar=False)),
        "similar examples": (plain, data.few_shot(requests, train_, 4)),
        "manual and two examples": (plain, data.few_shot(told_requests, told, 2, similar=False)),
        "tuned": (answering["tuned"], requests),
        "tuned with the manual": (answering["tuned with the manual"], told_requests)}
    scores = {}
    for name, (model, prompts) in ways.items():
        said = models.replies(model, prompts, tokens=LONGEST)
        table = evaluate.grade_commands(said, held["completion"][:])
        scores[name] = dict(zip(table["measure"], table["rate"].astype(float), strict=True))
    return scores


def _read(arms: dict[str, dict[str, float]], answering: Mapping[str, LanguageModel],
          medical: Dataset, legal: Dataset) -> None:
    """Medical answers and legal summaries, of the model before and after, and without any."""
    for arm in ("asked plainly", "tuned on medicine"):
        said = models.replies(answering[arm], medical["prompt"][:], tokens=8)
        arms[arm][MEDICAL] = macro_f1(said, medical)
    for arm in ("asked plainly", "tuned on law"):
        said = models.replies(answering[arm], legal["prompt"][:], tokens=LONGEST)
        arms[arm][LEGAL] = rouge(said, legal)
    arms["no model"] = {MEDICAL: macro_f1(["yes"] * len(medical), medical),
                        LEGAL: rouge(legal["lead"][:], legal)}


def macro_f1(said: Sequence[str], items: Dataset) -> float:
    """Macro-F1 of yes, no and maybe."""
    table = evaluate.label_rates(said, items["completion"][:]).set_index("measure")
    return float(table["value"]["macro_f1"])


def rouge(said: Sequence[str], items: Dataset) -> float:
    """Mean ROUGE-L F1 with the reference summaries."""
    return float(np.mean(evaluate.rouge_l_scores(said, items["completion"][:])["f1"]))

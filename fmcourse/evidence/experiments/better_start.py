"""K10: what continued pre-training leaves behind: no assistant, and a better start for tuning."""

from __future__ import annotations

import math
from statistics import mean

from datasets import Dataset

from fmcourse import data, evaluate, models
from fmcourse.evidence.experiments.base_model import followed_by_published
from fmcourse.evidence.experiments.scaling import tune
from fmcourse.evidence.experiments.shared import Outcome, domain_base, read_on
from fmcourse.models import LanguageModel

RATE, ANSWERS = "instructions followed", "tuned: bits per byte of answers"
LABELS, ASKED, TOKENS = 240, 300, 300_000


def better_start(seed: int, labels: int = LABELS, asked: int = ASKED,
                 tokens: int = TOKENS) -> Outcome:
    """The base and the domain base, asked to follow instructions, then tuned on the same few pairs.

    A pair asks what an operation does; the answer is its documentation's first sentence. Tuned on
    services of train, judged on services that neither model has read a word of. The control read
    as many tokens more, of general text; a published model that was tuned on instructions shows
    that these can be followed. Whether the start helps to *classify* paragraphs is in claim M4.
    """
    base, aws, general = models.load("base"), data.domain("aws"), data.general()
    more = read_on(base, general, tokens, seed, "general text", general=general).model
    starts = {"base": base, "general text": more, "domain base": domain_base(seed, tokens)}
    few = data.sample(data.operation_pairs(aws["train"]), labels, seed)
    unread = data.sample(data.operation_pairs(aws["test"]), asked, seed)
    arms = {}
    for name, start in starts.items():
        arms[name] = {RATE: evaluate.overall(evaluate.instruction_rate(start)),
                      ANSWERS: answer_bits(tune(start, few, seed).model, unread),
                      "untuned: bits per byte of answers": answer_bits(start, unread)}
    arms["SmolLM2-Instruct"] = {RATE: mean(followed_by_published())}
    return Outcome(arms, {"pairs": data.card(few).sha256, "base": base.sha256()},
                   {"labels": labels, "asked": asked})


def answer_bits(model: LanguageModel, pairs: Dataset) -> float:
    """Surprise at the right answers, given their questions, in bits per byte."""
    prompts = [f"{prompt}\n" for prompt in pairs["prompt"][:]]
    answers = pairs["completion"][:]
    nats = evaluate.sequence_log_likelihood(model, prompts, answers)
    return -sum(nats) / math.log(2) / sum(len(answer.encode()) for answer in answers)

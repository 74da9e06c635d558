"""An exam on limits of AWS that have changed: what M8 and lesson 13 ask of every route.

What this can't show. A question is in the page's own words, which suits a search for words (BM25);
and what is searched are the passages with a number of the services that are asked about, not all
documents. The source has thirty-four changed limits, and each seed asks them all: seeds differ in
the training, and in the questions on what stayed and what is new.
"""

from __future__ import annotations

import copy
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from datasets import Dataset, concatenate_datasets

from fmcourse import data, models
from fmcourse.models import LanguageModel
from fmcourse.models.chat import chat_prompts
from fmcourse.train.teaching import forward_flops

CHANGED, STAYED, NEW = (f"right today: what {kind}" for kind in ("changed", "stayed", "is new"))
RIGHT, STALE, FORM = "right today", "said what was true in 2022", "replied with a number alone"
FLOPS, SECONDS = "operations a reply", "core-seconds a reply"
PLAIN, FEW, RETRIEVAL = "a prompt", "a prompt with examples", "retrieval"
TUNED, CONTINUED, BOTH = "fine-tuning", "continued, then fine-tuning", "retrieval and fine-tuning"
DISTILLED, SHUFFLED = "distillation of that", "fine-tuning, answers shuffled"
WRONG, OLD = "retrieval and fine-tuning, wrong pages", "retrieval and fine-tuning, pages of 2022"
LONGEST = 8  # tokens of a reply
TIMED = 7  # questions that are asked one at a time
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "{{ ' ' + message['content'].rstrip('.') + '.<|im_end|>' }}{% else %}{{ message['content'] }}"
    "{% endif %}{% endfor %}")
ALONE = re.compile(r"\d[\d,]*\.?")
NUMBER = re.compile(r"\d[\d,]*")  # with separators of thousands


@dataclass(frozen=True)
class Exam:
    """Questions with the answers of today, `kind` and `before`; and both releases, to search."""

    rows: Dataset
    old: data.Retriever
    new: data.Retriever

    @classmethod
    def draw(cls, facts: data.DatedFacts, each: int, seed: int) -> Exam:
        """As many questions on what changed, what stayed and what is new."""
        parts = {CHANGED: facts.changed, STAYED: facts.unchanged, NEW: facts.new}
        some = {kind: data.sample(part, each, seed) for kind, part in parts.items()}
        rows = joined([part.add_column("kind", [kind] * len(part)) for kind, part in some.items()],
                      facts.changed)
        return cls(rows, *(data.Retriever(facts.passages[year]) for year in (2022, 2026)))


def finishing(model: LanguageModel) -> LanguageModel:
    """The model with a template in which a reply goes on with the prompt's own sentence.

    A reply ends with one full stop, whether it had one or not: labels have none, and a student
    learns from what its teacher wrote, which has.
    """
    made = copy.copy(models.with_chat(model))
    made.tokenizer = copy.deepcopy(made.tokenizer)
    made.tokenizer.chat_template = TEMPLATE
    return made


def history(facts: data.DatedFacts) -> Dataset:
    """All that is asked and was stated in 2022, answered as it was then."""
    parts = [data.as_of_2022(part) for part in (facts.changed, facts.unchanged)]
    return joined(parts, facts.changed)


def joined(parts: list[Dataset], source: Dataset) -> Dataset:
    """Facts put together, with the provenance of one of them: all are of the same releases."""
    both = concatenate_datasets(parts)
    return data.with_card(both, data.card(source).step("put together", len(both), 0))


def with_page(rows: Dataset, index: data.Retriever) -> Dataset:
    """The same pairs, with the passage in front of the question that a search finds for it."""
    found = data.with_passages(rows, index)["prompt"][:]
    turns = [data.conversation(prompt, row["completion"])
             for prompt, row in zip(found, rows, strict=True)]
    told = rows.remove_columns(["prompt", "messages", "text"])
    texts = [f"{prompt}\n{row['completion']}" for prompt, row in zip(found, rows, strict=True)]
    for name, column in {"prompt": found, "messages": turns, "text": texts}.items():
        told = told.add_column(name, column)
    return data.with_card(told, data.card(rows).step("with a page", len(told), 0))


def with_wrong_pages(rows: Dataset, index: data.Retriever) -> list[str]:
    """The control: each question after the page of another one, which has another answer."""
    prompts, answers = rows["prompt"][:], rows["completion"][:]
    pages = [found[0] for found in index.find(prompts)]
    turn = [*range(len(prompts))] * 2
    return [f"{next(pages[other] for other in turn[place:] if answers[other] != answers[place])}"
            f"\n\n{prompt}" for place, prompt in enumerate(prompts)]


def shuffled(rows: Dataset, seed: int) -> Dataset:
    """The control: the same questions and the same answers, each at another's question."""
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    answers = [rows[i]["completion"] for i in order]
    made = [{**row, "completion": answer, "text": f"{row['prompt']}\n{answer}",
             "messages": data.conversation(row["prompt"], answer)}
            for row, answer in zip(rows, answers, strict=True)]
    return data.with_card(Dataset.from_list(made), data.card(rows).step(
        "answers shuffled", len(made), 0, f"seed {seed}"))


def with_examples(prompts: Sequence[str], shown: Dataset) -> list[str]:
    """Each question after a few with their answers."""
    before = "".join(f"{row['prompt']} {row['completion']}.\n\n" for row in shown)
    return [before + prompt for prompt in prompts]


def measured(model: LanguageModel, prompts: Sequence[str], rows: Dataset) -> dict[str, float]:
    """What a route replies, held against today's answers and those of 2022; and its operations."""
    return judged(model, prompts, rows, say(model, prompts))


def judged(model: LanguageModel, prompts: Sequence[str], rows: Dataset, said: Sequence[str]
           ) -> dict[str, float]:
    """`measured`, of replies that are there."""
    right = np.array([first_number(reply) == row["completion"]
                      for reply, row in zip(said, rows, strict=True)])
    kinds = np.array(rows["kind"][:])
    stale = [first_number(reply) == row["before"] for reply, row in zip(said, rows, strict=True)]
    return {**{kind: float(right[kinds == kind].mean()) for kind in (CHANGED, STAYED, NEW)},
            RIGHT: float(right.mean()), STALE: float(np.mean(np.array(stale)[kinds == CHANGED])),
            FORM: float(np.mean([bool(ALONE.fullmatch(reply)) for reply in said])),
            FLOPS: operations(model, prompts, said)}


def looking_up(index: data.Retriever) -> Callable[[str], str]:
    """What makes a prompt of one question as it comes in: a search, and the page in front."""
    return lambda question: f"{index.find([question])[0][0]}\n\n{question}"


def seconds_a_reply(model: LanguageModel, questions: Sequence[str],
                    prepare: Callable[[str], str] = str) -> float:
    """Core-seconds from a question to its reply: the median of a few, asked one at a time.

    Of the processor's time, not the clock's: other work on the machine is not counted.

    Args:
        prepare: makes the prompt of a question, such as `looking_up`; its time counts.
    """
    ready, took = finishing(model), []
    for question in [questions[0], *questions[:TIMED]]:  # the first is to warm up
        began = time.process_time()
        models.reply(ready, prepare(question), tokens=LONGEST)
        took.append(time.process_time() - began)
    return float(np.median(took[1:]))


def say(model: LanguageModel, prompts: Sequence[str]) -> list[str]:
    """How the model finishes each sentence."""
    return models.replies(finishing(model), prompts, tokens=LONGEST)


def first_number(reply: str) -> str:
    """The first number in a reply, without separators; '' if there is none.

    >>> first_number("It is 1,000 items, not 10.")
    '1000'
    """
    found = NUMBER.search(reply)
    return found[0].replace(",", "") if found else ""


def operations(model: LanguageModel, prompts: Sequence[str], said: Sequence[str]) -> float:
    """Operations a reply: every token of the prompt is read once, every one of the reply too."""
    texts = [prompt + reply for prompt, reply in zip(
        chat_prompts(finishing(model), prompts), said, strict=True)]
    tokens = sum(map(len, model.tokenizer(texts).input_ids)) / len(texts)
    return tokens * forward_flops(model, tokens)

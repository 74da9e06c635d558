"""Does a model do what it is told? Plain instructions whose fulfilment a program can check.

A base model continues texts; it was never shown that an instruction is to be obeyed (syllabus
K3). The same instructions, put to it before and after instruction tuning, show what tuning adds
(K6, M2). They are the course's own, in `probes/instructions.toml`: thirteen kinds, most of them
about form (one word, capital letters, JSON, a number in a range), with content that a child could
give. The checks are in `fmcourse.evaluate.checkers`.

Trade-off: greedy decoding and strict checks make the rate exact and repeatable, and lower than a
kind reader's judgement. With six items a kind the intervals are wide: compare models by 'all'.
"""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Literal, overload

import pandas as pd
from datasets import Dataset, DatasetInfo

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate.checkers import check
from fmcourse.evaluate.intervals import share_table
from fmcourse.models.chat import continuations

if TYPE_CHECKING:
    from fmcourse.models import LanguageModel

PLAIN = "Instruction: {instruction}\nResponse:"
_COLUMNS = {"instruction", "kind", "checker", "parameters"}


def instructions(limit: int | None = None) -> Dataset:
    """Six instructions of each of thirteen kinds, with the check that each must pass.

    Deterministic: no seed. Written for the course (Apache-2.0).

    Args:
        limit: at most this many, equally many of each kind.

    Returns:
        A dataset with columns `instruction`, `kind`, `checker` (a name) and `parameters` (the
        checker's, as JSON, because they differ from kind to kind).

    Raises:
        DataError: a limit below one a kind.

    >>> instructions()[0]["instruction"]
    'Answer with yes or no only: is fire hot?'
    """
    place = resources.files("fmcourse.evaluate") / "probes" / "instructions.toml"
    kinds = tomllib.loads(place.read_text(encoding="utf-8"))
    share = None if limit is None else limit // len(kinds)
    if share == 0:
        raise DataError(f"A limit of {limit} leaves some of the {len(kinds)} kinds empty.",
                        fix=f"Use at least {len(kinds)}.")
    rows = []
    for kind, entry in kinds.items():
        for item in entry["items"][:share]:
            instruction = item.pop("say")
            rows.append({"instruction": instruction, "kind": kind, "checker": entry["checker"],
                         "parameters": json.dumps(item, ensure_ascii=False)})
    about = "Verifiable instructions written for fmcourse."
    return Dataset.from_list(rows, info=DatasetInfo(description=about, license="Apache-2.0"))


def follows(item: dict, reply: str) -> bool:
    """Whether a reply does what one row of `instructions()` asks.

    Raises:
        DataError: there is no such checker.

    >>> follows(instructions()[0], "Yes.")
    True
    """
    return check(item["checker"], reply, item["instruction"], json.loads(item["parameters"]))


def instruction_prompts(model: LanguageModel, items: Dataset, style: str = "auto") -> list[str]:
    """The instructions as the model is to read them.

    Args:
        style: 'plain' writes "Instruction: … Response:", 'chat' uses the tokenizer's chat
            template, 'auto' the template where there is one and plain text elsewhere.

    Raises:
        DataError: no items, columns missing, or no such style.
        ModelError: 'chat' for a tokenizer without a template.
    """
    missing = _COLUMNS - set(items.column_names)
    if missing or len(items) == 0:
        raise DataError(f"These are no instructions: {', '.join(sorted(missing)) or 'no rows'} "
                        "missing.", fix="Use instructions(), or the same columns.")
    if style not in ("auto", "plain", "chat"):
        raise DataError(f"There is no style called {style!r}.", fix="Use auto, plain or chat.")
    template = getattr(model.tokenizer, "chat_template", None)
    if style == "chat" and not template:
        raise ModelError("The tokenizer has no chat template.", where=model.name,
                         fix="Use style='plain', or 'auto'.")
    if style == "plain" or not template:
        return [PLAIN.format(instruction=said) for said in items["instruction"]]
    return [model.tokenizer.apply_chat_template([{"role": "user", "content": said}],
                                                tokenize=False, add_generation_prompt=True)
            for said in items["instruction"]]


@overload
def instruction_rate(model: LanguageModel, items: Dataset | None = None, style: str = "auto",
                     seed: int = 0, max_tokens: int = 48,
                     details: Literal[False] = False) -> pd.DataFrame: ...
@overload
def instruction_rate(model: LanguageModel, items: Dataset | None = None, style: str = "auto",
                     seed: int = 0, max_tokens: int = 48, *,
                     details: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...
def instruction_rate(model, items=None, style="auto", seed=0, max_tokens=48, details=False):
    """Share of instructions that the model follows, by kind. Greedy, so the seed seldom matters.

    Args:
        model: a causal LanguageModel.
        items: by default all of `instructions()`.
        style: see `instruction_prompts`.
        seed: handed on to `model.generate`.
        max_tokens: longest reply in tokens; what is cut off counts as the reply's end.
        details: also return the replies, to be read side by side.

    Returns:
        Columns `kind`, `n`, `rate`, `low`, `high` (95 % Wilson interval), as fractions; the last
        row is 'all'. With `details`, a pair of it and a row an instruction: `kind`,
        `instruction`, `reply`, `followed` (bool).

    Raises:
        DataError: no items, columns missing, or no such style or checker.
        ModelError: a masked model, or 'chat' for a tokenizer without a template.
    """
    items = instructions() if items is None else items
    prompts = instruction_prompts(model, items, style)
    replies = continuations(model, prompts, max_tokens, seed=seed)
    judged = pd.DataFrame({
        "kind": list(items["kind"]), "instruction": list(items["instruction"]), "reply": replies,
        "followed": [follows(item, reply) for item, reply in zip(items, replies, strict=True)]})
    table = share_table(judged["kind"], judged["followed"].astype(float), "kind", value="rate")
    return (table, judged) if details else table

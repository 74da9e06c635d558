"""Does a model keep to the form it was told? Verifiable constraints, strictly and loosely judged.

After IFEval (Zhou et al. 2023, "Instruction-Following Evaluation for Large Language Models",
arXiv:2311.07911): a simple request about a short text and one constraint on form, or two, that a
program can verify. Texts and requests are the course's own (`probes/constraints.toml`), the checks
are in `fmcourse.evaluate.constraint_checks`. `data.constrained_records` teaches some of these forms
and not others; `trained` tells which, because following a form never seen in tuning says more
(claim M2).

Trade-off: the form is judged and the content is not, so that a model of 12 million weights has a
chance. A habit may pass for obedience (short replies keep to "at most 12 words"): compare models
item by item, and read some replies. Six items a kind give wide intervals.
"""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING

import pandas as pd
from datasets import Dataset, DatasetInfo

from fmcourse.data.constrained import FORMS
from fmcourse.errors import DataError
from fmcourse.evaluate.constraint_checks import words
from fmcourse.evaluate.instructions import follows, instruction_rate
from fmcourse.evaluate.intervals import share_table

if TYPE_CHECKING:
    from fmcourse.models import LanguageModel

_STEM = 5  # inflections are forgiven: a telling word counts by its first letters


def constraint_items(limit: int | None = None, seed: int = 0) -> Dataset:
    """Requests about short texts, each with one constraint on form; those of the kind 'two', two.

    Args:
        limit: at most this many, equally many of each kind.
        seed: which of a kind a limit leaves; all items need none.

    Returns:
        The columns of `instructions()`, for `instruction_rate`, and `trained` (bool): whether
        `data.constrained_records` teaches this form, or all of several.

    Raises:
        DataError: a limit below one a kind.

    >>> items = constraint_items()
    >>> print(items[0]["instruction"].splitlines()[0], items[0]["trained"])
    Say what happens here. Use no more than 12 words. True
    """
    source = resources.files("fmcourse.evaluate") / "probes" / "constraints.toml"
    probe = tomllib.loads(source.read_text(encoding="utf-8"))
    kinds = probe["kinds"]
    share = None if limit is None else limit // len(kinds)
    if share is not None and share < 1:
        raise DataError(f"A limit of {limit} leaves some of the {len(kinds)} kinds empty.",
                        fix=f"Use at least {len(kinds)}.")
    rng, rows = random.Random(seed), []
    for kind, entry in kinds.items():
        made = [_item(kind, entry, place, probe) for place in range(len(entry["items"]))]
        kept = range(len(made)) if share is None else sorted(
            rng.sample(range(len(made)), min(share, len(made))))
        rows += [made[place] for place in kept]
    about = "Verifiable constraints written for fmcourse, after the idea of IFEval."
    return Dataset.from_list(rows, info=DatasetInfo(description=about, license="Apache-2.0"))


def variants(reply: str) -> list[str]:
    """The eight forms of a reply of which IFEval's loose score wants one to pass.

    With or without asterisks (Markdown's emphasis), first line ("Sure, here it is:") and last
    line ("I hope that helps."), in all combinations.

    >>> variants("Sure:\\n*Snow.*")[:2], variants("Sure:\\n*Snow.*")[5]
    (['Sure:\\n*Snow.*', '*Snow.*'], 'Snow.')
    """
    lines = reply.strip().split("\n")
    forms = ["\n".join(part) for part in (lines, lines[1:], lines[:-1], lines[1:-1])]
    return [form.strip() for form in [*forms, *(form.replace("*", "") for form in forms)]]


def follows_loosely(item: dict, reply: str) -> bool:
    """Whether one of the eight variants of a reply does what one row of `constraint_items()` asks.

    >>> item = constraint_items()[0]
    >>> reply = "Sure! This is what happens in it, as you have asked me:\\nThe bus was late."
    >>> follows(item, reply), follows_loosely(item, reply)
    (False, True)
    """
    return any(follows(item, variant) for variant in variants(reply))


def constraint_rate(model: LanguageModel, items: Dataset | None = None, max_tokens: int = 64
                    ) -> pd.DataFrame:
    """Share of constraints that the model keeps to, strictly and loosely, by kind. Greedy.

    Args:
        model: a causal LanguageModel; its chat template is used where it has one.
        items: by default all of `constraint_items()`. Forms never trained on:
            `items.filter(lambda item: not item["trained"])`.
        max_tokens: longest reply in tokens; what is cut off counts as the reply's end.

    Returns:
        Columns `kind`, `n`, `strict`, `strict_low`, `strict_high`, `loose`, `loose_low`,
        `loose_high` (95 % Wilson intervals), as fractions; the last row is 'all'. `strict` is the
        rate of `instruction_rate`, which also shows the replies.

    Raises:
        DataError: no items, or columns missing.
        ModelError: a masked model.
    """
    items = constraint_items() if items is None else items
    _, judged = instruction_rate(model, items, max_tokens=max_tokens, details=True)
    loose = [follows_loosely(item, reply)
             for item, reply in zip(items, judged["reply"], strict=True)]
    tables = [share_table(judged["kind"], [float(kept) for kept in credits], "kind", value=name)
              .rename(columns={"low": f"{name}_low", "high": f"{name}_high"})
              for name, credits in (("strict", judged["followed"]), ("loose", loose))]
    return pd.concat([tables[0], tables[1].drop(columns=["kind", "n"])], axis=1)


def _item(kind: str, entry: Mapping, place: int, probe: Mapping) -> dict:
    """A row of the data set: wordings take turns, and the text stands after or before."""
    given = dict(entry["items"][place])
    name = given.pop("on")
    text = probe["texts"][name].replace("\n", " ")
    if entry.get("lines"):
        text = re.sub("(?<=[,.]) ", "\n", text)
    checks = given.pop("checks", None) or {kind: given}
    wordings = entry.get("wordings") or [given["say"]]
    said = wordings[place % len(wordings)].format(**given)
    first = (place // 3) % 2 == 0
    wanted = {"checks": checks, "text": text, "about": _telling(name, said, probe)}
    return {"instruction": f"{said}\n\n{text}" if first else f"{text}\n\n{said}", "kind": kind,
            "checker": "constraint", "parameters": json.dumps(wanted, ensure_ascii=False),
            "trained": checks.keys() <= FORMS.keys()}


def _telling(name: str, said: str, probe: Mapping) -> list[str]:
    """How those words of a text begin that are in no other text, nor common, nor in the request."""
    others = [text for other, text in probe["texts"].items() if other != name]
    known = words(" ".join([said, probe["common"], *others]))
    stems = {word[:_STEM] for word in words(probe["texts"][name]) if len(word) > 2}
    return sorted(stem for stem in stems if not any(word.startswith(stem) for word in known))

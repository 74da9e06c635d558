"""Continued pre-training: the same objective on new text, with an eye on what is forgotten.

Nothing about the task changes, only the text: unlabelled documents of a domain, or a newer
edition of what the model has read. The price is forgetting, and it is measured in every run, not
on request: general and domain bits per byte on held-out text, before, on the way, and after.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from datasets import Dataset

from fmcourse import data, evaluate, hardware, store
from fmcourse.errors import DataError, ModelError
from fmcourse.models import LanguageModel
from fmcourse.train.keep import BACK_TO, Kept, workplace
from fmcourse.train.pretrain import pretrain
from fmcourse.train.recipe import ContinuedRecipe
from fmcourse.train.run import Run
from fmcourse.train.stage import processes
from fmcourse.train.watch import evenly

GENERAL, DOMAIN = "general bits per byte", "domain bits per byte"
Parts = Mapping[str, Dataset]  # 'train' and 'validation', as `data.domain` or `data.own` give


def continued(
    model: LanguageModel,
    domain: Parts,
    recipe: ContinuedRecipe,
    *,
    general: Parts | None = None,
    name: str = "continued pre-training",
    folder: Path | str | None = None,
    report_to: Sequence[str] = (),
    show_progress: bool = True,
) -> Run:
    """Go on pre-training a model on the text of a domain.

    Args:
        model: any causal model: ours, a published one, one from a folder. It is copied.
        domain: a data set to learn from, 'train', and one held out, 'validation'.
        recipe: budget, learning rate, replay, and how much forgetting is too much.
        general: what the model read before, to replay and to measure forgetting by; by default
            the course's general corpus.
        name, folder, report_to, show_progress: as in `pretrain`; a folder makes it resumable.

    Returns:
        A run whose `observations` hold general and domain bits per byte at each look, and whose
        `metrics` sum them up: before, after, `forgetting` (rise of the general one) and
        `domain_gain` (fall of the domain one). If `general_rise` was exceeded, `stopped_at` is
        the share of the budget at which it was, and `back_to_share` where the weights are from.

    Raises:
        DataError: a part is missing or empty.
        ModelError: the model is a masked one; or `general_rise` is bounded in several processes.
    """
    if not isinstance(domain, Mapping):
        raise DataError("One data set is not enough: forgetting is measured on text held out.",
                        where="train.continued",
                        fix="Give parts train and validation, as data.own and data.domain do.")
    if model.objective != "causal":
        raise ModelError("Bits per byte, and so forgetting, need a causal model.",
                         where=model.name, fix="Use a model that predicts the next token.")
    if recipe.general_rise is not None and processes() > 1:
        raise ModelError("Several processes cannot go back together to earlier weights.",
                         where="ContinuedRecipe.general_rise",
                         fix="Train in one process, or without that bound.")
    general = data.general() if general is None else general
    for label, parts in (("domain", domain), ("general", general)):
        missing = [part for part in ("train", "validation") if not len(parts.get(part, ()))]
        if missing:
            raise DataError(f"The {label} text has no {' and no '.join(missing)} part.",
                            where="train.continued",
                            fix="Add it, or let data.own or data.domain split the text.")
    rows = data.Mixture(data.tokens(domain["train"], model.tokenizer),
                        data.tokens(general["train"], model.tokenizer), recipe.replay_fraction)
    texts = {GENERAL: data.excerpt(general["validation"], recipe.eval_characters),
             DOMAIN: data.excerpt(domain["validation"], recipe.eval_characters)}
    with workplace(folder) as place:
        guard = Guard(model, texts, recipe, place)
        shares = evenly(recipe.looks)
        return pretrain(
            model, rows, recipe, name=name, folder=folder, observe=guard, observe_at=shares,
            report_to=report_to, show_progress=show_progress,
            finish=lambda run: run.metrics.update(summary(run.observations)),
            also={"held out": store.sha256_json(texts)})


class Guard:
    """Looks at general and domain text, and goes back when too much has been forgotten.

    Args:
        start: the model as it was before.
        texts: held-out texts by the name of their column.
        recipe: `general_rise` bounds what may be forgotten; `context` tokens are read at once.
        place: folder for the weights of the last look within the bound; they outlive a kill.
    """

    def __init__(self, start: LanguageModel, texts: dict[str, list[str]],
                 recipe: ContinuedRecipe, place: Path):
        self.start, self.texts, self.recipe = start, texts, recipe
        self.kept = Kept(place / "within-bound")
        self.before: float | None = None

    def __call__(self, model: LanguageModel, share: float) -> dict[str, Any]:
        """Bits per byte of each group; with 'stop' when the general one rose beyond the bound."""
        bits = self._bits(model)
        if share == 0:
            self.before = bits[GENERAL]
            self.kept.forget()  # of a run that was here before
        if self.recipe.general_rise is None or share == 0:
            return bits
        if self.before is None:  # resumed after a kill: the first look was in another process
            self.before = self._bits(self.start)[GENERAL]
        if bits[GENERAL] - self.before <= self.recipe.general_rise:
            self.kept.keep(model, share, bits[GENERAL])
            return bits
        return {**bits, "stop": True, BACK_TO: self._go_back(model)}

    def _bits(self, model: LanguageModel) -> dict[str, float]:
        quick = "bfloat16" if hardware.detect().dtype == "bfloat16" else "float32"
        return evaluate.bits_per_byte(model, self.texts, context=self.recipe.context, dtype=quick)

    def _go_back(self, model: LanguageModel) -> float:
        """Give the model the weights of the last look within the bound; returns its share."""
        found = self.kept.found()
        if found is None:
            model.network.load_state_dict(self.start.network.state_dict())
            return 0.0
        self.kept.go_back(model)
        return found[0]


def summary(looks: pd.DataFrame) -> dict[str, float]:
    """What a run's looks say in a few numbers: bits per byte before and after, and the changes."""
    first, last, stopped = looks.iloc[0], looks.iloc[-1], {}
    back = last.get(BACK_TO)
    if back is not None and not math.isnan(back):
        stopped = {"stopped_at": last["share"], BACK_TO: back}
        last = looks[looks["share"] == back].iloc[0]
    numbers = {"general_before": first[GENERAL], "general_after": last[GENERAL],
            "forgetting": last[GENERAL] - first[GENERAL],
            "domain_before": first[DOMAIN], "domain_after": last[DOMAIN],
            "domain_gain": first[DOMAIN] - last[DOMAIN], **stopped}
    return {name: float(value) for name, value in numbers.items()}


def forgotten(metrics: Mapping[str, float]) -> str:
    """The price and the gain of a run, in words.

    >>> print(forgotten({"general_before": 1.5, "general_after": 1.7, "domain_before": 2.2,
    ...                  "domain_after": 1.3, "forgetting": 0.2, "domain_gain": 0.9}))
    domain text   2.200 -> 1.300 bits per byte (0.900 better)
    general text  1.500 -> 1.700 bits per byte (0.200 worse: forgotten)
    """
    def line(name: str, change: float, when_worse: str = "") -> str:
        before, after = (metrics[f"{name}_{when}"] for when in ("before", "after"))
        if round(abs(change), 3) == 0:
            return f"{name + ' text':<13} {before:.3f} -> {after:.3f} bits per byte (unchanged)"
        verdict = "better" if change >= 0 else f"worse{when_worse}"
        return (f"{name + ' text':<13} {before:.3f} -> {after:.3f} bits per byte "
                f"({abs(change):.3f} {verdict})")

    lines = [line("domain", metrics["domain_gain"]),
             line("general", -metrics["forgetting"], ": forgotten")]
    if BACK_TO in metrics:
        lines.append(f"stopped at {metrics['stopped_at']:.0%} of the budget, where more was "
                     f"forgotten than allowed; went back to {metrics[BACK_TO]:.0%}")
    return "\n".join(lines)

"""S3 and S1: how many examples three tasks need, on two bases; and what that is of pre-training.

A format (answer in the style of a house), the service to call for a request, and one of 24 labels
for a paragraph; each scored by the share of unseen items that are right, each with up to two
thousand examples. What a task needs is read off its curve, between the sizes measured: the examples
until a third is right, for all tasks the same. A fitted plateau says what more of them would bring,
and how little that is known; it is in the details. A generating model reads its examples once, or
as often as fills a least number of steps: more examples also bring more training, as they do in
practice. The labels are told apart by a linear head on what the base makes of a text, fitted to the
end.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from datasets import DatasetDict

from fmcourse import data, evaluate, models, train
from fmcourse.evaluate import house_style
from fmcourse.evidence.experiments.labelling import Head
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned, trained
from fmcourse.models import LanguageModel

STYLE, COMMAND, LABEL = "a format", "a command's service", "one of 24 labels"
NEEDED, SAME = "examples until a third is right", "pairs for the same bits per byte"
PLATEAU = "examples for 90 % of the plateau"
BASE, SMALL = "base", "small base"
TEXT, FLOPS, RULES = "characters of text", "training FLOPs", "unseen questions: all rules kept"
STYLES, COMMANDS, LABELS = (8, 32, 128, 512, 2000), (8, 64, 512, 2048), (32, 128, 512, 2048)
STEPS, SMALL_TOKENS = 32, 200_000
SHORT = 200  # characters of a request and its command
Rows = list[dict[str, Any]]


def enough(
    seed: int, styles: Sequence[int] = STYLES, commands: Sequence[int] = COMMANDS,
    labels: Sequence[int] = LABELS, steps: int = STEPS, small_tokens: int = SMALL_TOKENS,
    asked: int = 48, test: int = 504,
) -> Outcome:
    """Learning curves of three tasks on two bases, and the examples that each of them takes.

    The small base is the control: a quarter of the weights, a hundredth of the pre-training. A task
    of which a third is never right counts as needing its largest set; it needs more.

    Args:
        styles, commands, labels: numbers of examples, smallest first.
        steps: of 512 tokens, that a generating model is trained for at least.
        small_tokens: pre-training of the small base.
        asked: unseen requests, and questions, that each model answers.
        test: unseen paragraphs.
    """
    base = models.load("base")
    starts = {BASE: base, SMALL: small_base(base, small_tokens, seed)}
    paragraphs = data.service_paragraphs(seed, train=max(labels), test=test)
    pairs, voice = short_commands(seed), data.house_style(seed)
    curves = {
        STYLE: partial(style_curve, voice, styles, steps, seed, asked),
        COMMAND: partial(command_curve, pairs, commands, steps, seed, asked),
        LABEL: partial(label_curve, paragraphs, labels)}
    rows = [{"task": task, "start": name, **row} for name, start in starts.items()
            for task, curve in curves.items() for row in curve(start)]
    fits = {f"{task}, {name}": fitted(rows, task, name) for name in starts for task in curves}
    arms: dict[str, dict[str, Any]] = {
        task: {NEEDED: needed(of(rows, task, BASE))} for task in curves}
    same = same_score(rows)
    arms |= {BASE: {SAME: same.treatment_labels}, SMALL: {SAME: same.control_labels}}
    return Outcome(arms, {"base": base.sha256(), STYLE: data.card(voice["train"]).sha256,
                          COMMAND: data.card(pairs["train"]).sha256,
                          LABEL: data.card(paragraphs["train"]).sha256},
                   {"rows": rows, "fits": fits, "same bits per byte": -same.target})


def far_less(seed: int, styles: Sequence[int] = STYLES, steps: int = STEPS, asked: int = 48
             ) -> Outcome:
    """What a fine-tune reads to come within a tenth of its best, beside what its base has read.

    From scratch, the same network has the same examples and steps: it is the pre-training that
    makes few examples enough. The task is the format; the models of S3 are used again.
    """
    base, voice = models.load("base"), data.house_style(seed)
    rows = style_curve(voice, styles, steps, seed, asked, base)
    goal = 0.9 * max(row["score"] for row in rows)
    tuned = next(row for row in rows if row["score"] >= goal)
    scratch, = style_curve(voice, (tuned["examples"],), steps, seed, asked,
                           models.untrained(base, seed))
    each = data.card(voice["train"]).characters / len(voice["train"])
    arms = {"pre-training": {TEXT: data.card(data.general()["train"]).characters,
                             FLOPS: base.card["cost"]["flops"]},
            "fine-tuning": {TEXT: each * tuned["examples"], FLOPS: tuned["flops"],
                            RULES: tuned["score"]},
            "from scratch": {RULES: scratch["score"]}}
    cost = {key: base.card["cost"][key] for key in ("tokens", "seconds")}
    return Outcome(arms, {"base": base.sha256(), STYLE: data.card(voice["train"]).sha256},
                   {"rows": rows, "examples": tuned["examples"], "pre-training": cost,
                    "scratch": scratch})


def small_base(like: LanguageModel, tokens: int, seed: int, size: str = "3m") -> LanguageModel:
    """A smaller network, pre-trained for less time on text of the same kind."""
    corpus = data.sized(data.general()["train"], 8 * tokens, seed)
    return trained(models.build(size, like.tokenizer, seed=seed),
                   data.tokens(corpus, like.tokenizer), tokens, seed, SMALL).model


def short_commands(seed: int, most: int = SHORT) -> DatasetDict:
    """Requests and commands of so many characters together: long ones would only cost time."""
    return DatasetDict({part: data.with_card(
        kept := rows.filter(lambda row: len(row["text"]) <= most, load_from_cache_file=False),
        data.card(rows).step("short", len(kept), len(rows) - len(kept), f"<= {most} characters"))
        for part, rows in data.commands(seed).items()})


def style_curve(parts: DatasetDict, sizes: Sequence[int], steps: int, seed: int, asked: int,
                start: LanguageModel) -> Rows:
    """Share of unseen questions answered by all rules of the house, after so many examples."""
    held, rows = data.sample(parts["test"], asked, seed), []
    for size in sizes:
        few = data.sample(parts["train"], size, seed)
        run = fine_tuned(start, few, recipe(steps, seed), f"{size} in house style")
        said = models.replies(run.model, held["prompt"][:], tokens=80)
        rates = evaluate.style_rates(said, held).set_index("measure")["rate"]
        rows.append({"examples": size, "score": float(rates[house_style.STYLE]),
                     "content kept": float(rates[house_style.CONTENT]),
                     "bits": evaluate.reply_bits_per_byte(run.model, held), **_cost(run)})
    return rows


def command_curve(parts: DatasetDict, sizes: Sequence[int], steps: int, seed: int, asked: int,
                  start: LanguageModel) -> Rows:
    """Share of unseen requests with the right service, and bits per byte of their commands.

    A few pairs of other operations are looked at on the way: a small set would be read too often,
    and the weights of the best look are what is judged.
    """
    held = data.sample(parts["test_operations"], 4 * asked, seed)
    looked = data.sample(parts["validation"], asked // 2, seed)
    rows = []
    for size in sizes:
        few = data.sample(parts["train"], size, seed)
        run = fine_tuned(start, few, recipe(steps, seed, patience=2), f"{size} commands", looked)
        said = models.replies(run.model, held["prompt"][:], tokens=12)
        named = [" ".join(reply.split()[:2]) for reply in said]  # aws and the service
        grades = evaluate.grade_commands(named, held["completion"][:]).set_index("measure")
        rows.append({"examples": size, "score": float(grades["rate"]["service"]),
                     "bits": evaluate.reply_bits_per_byte(run.model, held), **_cost(run)})
    return rows


def recipe(steps: int, seed: int, patience: int | None = None) -> train.InstructRecipe:
    """Once over the examples, or as often as fills so many steps."""
    return train.InstructRecipe(epochs=1, least_steps=steps, batch_tokens=512, looks=5,
                                patience=patience, seed=seed)


def label_curve(parts: DatasetDict, sizes: Sequence[int], start: LanguageModel) -> Rows:
    """Share of unseen paragraphs whose service is told right, after so many labels."""
    test, labels = parts["test"], parts["train"]["label"][:]
    seen, unseen = (train.features(start, rows["text"][:])
                    for rows in (parts["train"].select(range(max(sizes))), test))
    return [{"examples": size, "score": float(np.mean(
        Head(seen[:size], labels[:size]).predict(unseen) == np.array(test["label"][:])))}
        for size in sizes]


def of(rows: Rows, task: str, start: str) -> Rows:
    """One curve."""
    return [row for row in rows if (row["task"], row["start"]) == (task, start)]


def needed(rows: Rows) -> float:
    """Examples at which a curve first has a third right; its largest set, if it never has."""
    curve = {row["examples"]: row["score"] for row in rows}
    at_once = {1: 1 / 3, 2: 1 / 3}
    return evaluate.label_efficiency(at_once, curve, target=1 / 3).control_labels


def fitted(rows: Rows, task: str, start: str) -> dict[str, float]:
    """A curve's plateau, and the examples for 90 % of it with an interval, as plain values.

    Guesses end at a thousand times what was measured, where they are none any more.
    """
    own = of(rows, task, start)
    examples, scores = [row["examples"] for row in own], [row["score"] for row in own]
    curve = evaluate.fit_plateau(examples, scores, limit=1)
    ends = evaluate.plateau_interval(examples, scores, limit=1)
    guess, low, high = (min(n, 1000 * curve.most) for n in (curve.examples_for(0.9), *ends))
    return {"plateau": curve.plateau, "a": curve.a, "b": curve.b, "r2": curve.r2,
            "most": curve.most, PLATEAU: guess, "low": low, "high": high}


def same_score(rows: Rows) -> evaluate.LabelRatio:
    """Pairs that each base needs for the best bits per byte of commands that both reach."""
    curves = {name: {row["examples"]: -row["bits"] for row in of(rows, COMMAND, name)}
              for name in (BASE, SMALL)}
    return evaluate.label_efficiency(curves[BASE], curves[SMALL])


def _cost(run: train.Run) -> dict[str, float]:
    return {"flops": run.cost.flops, "tokens": run.cost.tokens, "epochs": run.metrics["epochs"]}

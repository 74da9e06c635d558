"""K12: a small student learns from what a large teacher says, by its answers and by its logits.

By answers: a few prompts have labels, and many have none. The control learns from the labels, the
student from the teacher's answers to all prompts. That is where distillation pays: labels are what
is dear. What labels of *all* prompts would have taught stands beside it, and what the student could
do before: it starts as two of its teacher's layers, as DistilBERT did, and not from nothing.

By logits: student and control read the same texts for as many steps, from the same random weights.
The student also sees what else the teacher found likely at each token. Here nothing but the signal
differs. Students of three sizes do so, and the smallest with fewer texts, too, read more often.

By the answers of a stranger: SmolLM2, eleven times as large as our base and of other tokens, so
that its logits would be of no use. Nobody tuned it on this, and it says more than it is asked for;
so what it is asked for is taken out of its answers, as one does with an API's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from datasets import Dataset

from fmcourse import data, evaluate, models, train
from fmcourse.data.sentences import leading
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned, run_folder
from fmcourse.models import LanguageModel, Shape

RIGHT, AGREES = "held-out prompts answered right", "same answer as the teacher's"
BITS, PER_BYTE = "held-out texts: bits per byte", "bits per byte of right answers"
TEACHER, ANSWERS, FEW = "teacher", "the teacher's answers", "the few labels"
MISPLACED, ALL = "misplaced answers", "labels of all prompts"
TORSO = "its two layers, not trained"
LOGITS, TEXT = "the teacher's logits", "the text alone"
STRANGER, FROM_STRANGER, FEW_YEARS = "SmolLM2", "SmolLM2's answers", "the few labels of years"
YEARS = "held-out years right"
FAMILIES = ("year", "origin")  # that the base is soon good at
SECONDS = "core-seconds a reply"
LAYERS, LONGEST = 2, 16  # of the student that answers; tokens of an answer
TIMED = 7  # prompts that are answered one at a time
SIZES = {"1/8": Shape(128, 2, 384, 2), "1/4": Shape(192, 3, 512, 3), "1/2": Shape(256, 5, 704, 4)}
PASSAGE = 600  # characters
WRITING = {"learning_rate": 3e-3, "optimizer": "muon", "micro_rows": 4, "warmup": 0.05,
           "decay": 0.5}
SOFT = {"alpha": 1.0, "temperature": 1.0}
Scores = dict[str, float]


def distilled(
    seed: int, taught: int = 100_000, tokens: int = 80_000, labels: int = 20, prompts: int = 600,
    asked: int = 120, written: int = 100_000, passages: int = 300,
    fewer: Sequence[int] = (38, 75, 150), tested: int = 50, strange: int = 120,
) -> Outcome:
    """Students by answers and by logits, each beside the same student without its teacher.

    A second control of the answers has them below other prompts: as many texts in the same manner,
    and nothing to learn.

    Args:
        taught: tokens that the answering teacher is tuned on, with labels.
        tokens: budget of each student that answers, prompts included. With half of it, whether
            one had found out yet what a year is hung on the seed.
        labels: prompts that have a label; the first of all.
        prompts: all of them.
        asked: held-out prompts.
        written: budget of each student that writes.
        passages, fewer: texts to read, and smaller numbers of them for the curve.
        tested: held-out texts.
        strange: prompts that SmolLM2 answers.
    """
    arms, said, hashes = answering(seed, taught, tokens, labels, prompts, asked)
    base = models.with_chat(models.load("base"))
    texts, held = to_write(passages, seed), to_write(tested, seed, "test")
    arms[TEACHER][BITS] = surprise(base, held)
    curves = compared(base, texts, held, written, fewer, seed)
    arms |= {row["arm"]: {BITS: row[BITS]} for row in curves["by size"]
             if row["student"] == "1/8"}
    others, heard = by_stranger(seed, strange, min(labels, strange), tokens // 2, asked // 2)
    return Outcome(arms | others,
                   {**hashes, "texts": data.card(texts).sha256, "base": base.sha256()},
                   {**said, **curves, "by stranger": heard})


def answering(seed: int, taught: int, tokens: int, labels: int, prompts: int, asked: int
              ) -> tuple[dict[str, Scores], dict[str, Any], dict[str, str]]:
    """Arms that answer, what they say to some prompts, and hashes of what was read."""
    pool, held = to_answer(prompts, seed), to_answer(asked, seed, "test")
    teacher = tutor(seed, taught, pool)
    small = models.student(teacher, LAYERS)
    found = {TEACHER: teacher, TORSO: small} | {name: run.model for name, run in pupils(
        small, teacher, pool, labels, tokens, seed).items()}
    arms, replies = {}, {}
    for name, model in found.items():
        arms[name], replies[name] = graded(model, held, replies.get(TEACHER))
    told = {"asked": held["instruction"][:4], "right": held["answer"][:4],
            "says": {name: said[:4] for name, said in replies.items()},
            "mistakes repeated": repeated(replies, held["answer"][:]),
            SECONDS: {name: seconds_a_reply(model, held["instruction"][:])
                      for name, model in found.items()},
            "parameters": {name: model.parameters for name, model in found.items()},
            "scores": {name: dict(scores) for name, scores in arms.items()}}
    return arms, told, {"prompts": data.card(pool).sha256, "asked": data.card(held).sha256}


def to_answer(rows: int, seed: int, part: str = "train") -> Dataset:
    """Prompts with their right answers; the labels, for those that have them."""
    return data.task_records(list(FAMILIES), rows, seed, part)


def tutor(seed: int, tokens: int, pool: Dataset) -> LanguageModel:
    """The base, tuned on labels of its own: no prompt of the students' is among them."""
    recipe = train.InstructRecipe(tokens=tokens, learning_rate=2e-3, seed=seed)
    return fine_tuned(models.load("base"), others(pool, seed), recipe, TEACHER).model


def others(pool: Dataset, seed: int, rows: int = 3_000) -> Dataset:
    """Prompts with labels, none of them from the same document as one of the pool."""
    drawn, theirs = to_answer(rows, seed + 50), set(pool["document"])
    kept = [i for i, document in enumerate(drawn["document"]) if document not in theirs]
    return data.with_card(drawn.select(kept), data.card(drawn).step(
        "documents of the students left out", len(kept), len(drawn) - len(kept)))


def pupils(small: LanguageModel, teacher: LanguageModel, pool: Dataset, labels: int, tokens: int,
           seed: int) -> dict[str, train.Run]:
    """One student four times: it differs only in what it is told to answer, and to which prompts.

    Args:
        pool: prompts; the first of them are those with labels.
        labels: how many.
    """
    settings = {"tokens": tokens, "learning_rate": 2e-3, "seed": seed}
    tuning = train.InstructRecipe(**settings)
    asking = train.SequenceRecipe(**settings, answer_tokens=LONGEST)
    said = train.teacher_answers(teacher, pool, tokens=LONGEST, seed=seed).records
    few = data.with_card(pool.select(range(labels)), data.card(pool).step(
        "with labels", labels, len(pool) - labels))
    return {ANSWERS: taught_by(teacher, small, pool, asking, ANSWERS),
            FEW: fine_tuned(small, few, tuning, FEW),
            MISPLACED: fine_tuned(small, misplaced(said), tuning, MISPLACED),
            ALL: fine_tuned(small, pool, tuning, ALL)}


def years(rows: int, seed: int, part: str = "train") -> Dataset:
    """Prompts that ask for the year in a text."""
    return data.task_records(["year"], rows, seed, part)


def years_said(teacher: LanguageModel, asked: Dataset, tokens: int = 24) -> Dataset:
    """The first year in each of a teacher's replies, as the answer; those without one left out."""
    said = [re.search(r"\d{3,4}", reply) for reply in
            models.replies(teacher, asked["instruction"][:], tokens)]
    made = [{"instruction": prompt, "answer": year[0], "messages": data.conversation(
             prompt, year[0]), "text": f"{prompt}\n\n{year[0]}", "label": label}
            for prompt, label, year in zip(asked["instruction"], asked["answer"], said, strict=True)
            if year]
    return data.with_card(Dataset.from_list(made), data.card(asked).step(
        f"years in what {teacher.name} says", len(made), len(asked) - len(made)))


def by_stranger(seed: int, prompts: int, labels: int, tokens: int, asked: int
                ) -> tuple[dict[str, Scores], dict[str, Any]]:
    """Our base, taught to find years by SmolLM2, and by a few labels; and what SmolLM2 said.

    Of SmolLM2 itself the score is of the prompts that it answered for the student.
    """
    pool, held = years(prompts, seed), years(asked, seed, "test")
    said = years_said(models.load("smollm2"), pool)
    base = models.with_chat(models.load("base"))
    recipe = train.InstructRecipe(tokens=tokens, learning_rate=2e-3, seed=seed)
    few = data.with_card(pool.select(range(labels)), data.card(pool).step(
        "with labels", labels, len(pool) - labels))
    found = {name: fine_tuned(base, records, recipe, name).model
             for name, records in {FROM_STRANGER: said, FEW_YEARS: few}.items()}
    right = sum(row["answer"] == row["label"] for row in said) / len(pool)
    return ({STRANGER: {YEARS: right}} | {name: {YEARS: graded(model, held)[0][RIGHT]}
                                          for name, model in found.items()},
            {"asked": said["instruction"][:3], "took": said["answer"][:3]})


def misplaced(said: Dataset) -> Dataset:
    """Answers that have all moved on to the next prompt."""
    talks = said["messages"][:]
    moved = [[*talk[:-1], before[-1]] for talk, before in zip(talks, [talks[-1], *talks[:-1]],
                                                              strict=True)]
    text = ["\n\n".join(turn["content"] for turn in talk) for talk in moved]
    return data.with_card(Dataset.from_dict({"messages": moved, "text": text}),
                          data.card(said).step("answers moved on by one", len(moved), 0))


def graded(model: LanguageModel, held: Dataset, teacher: Sequence[str] | None = None
           ) -> tuple[Scores, list[str]]:
    """How a model does on held-out prompts, and its answers.

    Args:
        teacher: the teacher's answers; None if this is the teacher.
    """
    _, judged = evaluate.instruction_rate(model, held, max_tokens=LONGEST, details=True)
    said = judged["reply"].tolist()
    return {RIGHT: float(judged["followed"].mean()),
            AGREES: evaluate.percent_agreement(said, teacher or said)}, said


def repeated(says: dict[str, list[str]], right: Sequence[str]) -> dict[str, float]:
    """Of the prompts that the teacher answers wrongly, the share at which each other model says the
    same wrong thing; 0 if the teacher makes no mistake."""
    teacher = says[TEACHER]
    wrong = [place for place, answer in enumerate(right) if teacher[place] != answer]
    return {name: sum(said[place] == teacher[place] for place in wrong) / max(1, len(wrong))
            for name, said in says.items() if name != TEACHER}


def to_write(rows: int, seed: int, part: str = "train") -> Dataset:
    """Beginnings of texts, each as what an assistant says when it is told to write."""
    whole = data.general()[part]
    begun = [leading(text, PASSAGE) for text in data.excerpt(whole, rows * 4_000, seed)]
    texts = [text for text in begun if len(text) > PASSAGE // 3][:rows]
    return data.with_card(
        Dataset.from_dict({"messages": [data.conversation("Write.", text) for text in texts],
                           "text": texts}),
        data.card(whole).step("beginnings", len(texts), 0, f"seed {seed}"))


def writers(small: LanguageModel, teacher: LanguageModel, texts: Dataset, tokens: int, seed: int
            ) -> dict[str, train.Run]:
    """A student that reads texts with its teacher's logits beside them, and the same without."""
    settings = {**WRITING, "tokens": tokens, "seed": seed}
    return {LOGITS: taught_by(teacher, small, texts, train.LogitRecipe(**settings, **SOFT),
                              LOGITS),
            TEXT: fine_tuned(small, texts, train.InstructRecipe(**settings), TEXT)}


def surprise(model: LanguageModel, held: Dataset) -> float:
    """Bits per byte of held-out texts."""
    return evaluate.reply_bits_per_byte(model, held)


def compared(teacher: LanguageModel, texts: Dataset, held: Dataset, tokens: int,
             fewer: Sequence[int], seed: int) -> dict[str, list[dict[str, Any]]]:
    """Students of several sizes, and the smallest with fewer texts read more often: with a teacher
    and without."""
    by_size, by_texts = [], []
    for size, shape in SIZES.items():
        small = models.student(teacher, shape, seed)
        by_size += [{"student": size, "arm": name, "parameters": small.parameters,
                     "flops": run.cost.flops, BITS: surprise(run.model, held)}
                    for name, run in writers(small, teacher, texts, tokens, seed).items()]
    small = models.student(teacher, SIZES["1/8"], seed)
    for count in fewer:
        some = data.with_card(texts.select(range(count)), data.card(texts).step(
            "fewer", count, len(texts) - count))
        by_texts += [{"texts": count, "arm": name, BITS: surprise(run.model, held)}
                     for name, run in writers(small, teacher, some, tokens, seed).items()]
    by_texts += [{"texts": len(texts), "arm": row["arm"], BITS: row[BITS]} for row in by_size
                 if row["student"] == "1/8"]
    return {"by size": by_size, "by texts": by_texts}


def seconds_a_reply(model: LanguageModel, prompts: Sequence[str]) -> float:
    """Core-seconds from a prompt to its reply: the median of a few, one at a time.

    Of the processor's time, not the clock's: other work on the machine is not counted.
    """
    took = []
    for prompt in [prompts[0], *prompts[:TIMED]]:  # the first is to warm up
        began = time.process_time()
        models.reply(model, prompt, LONGEST)
        took.append(time.process_time() - began)
    return median(took[1:])


def taught_by(teacher: LanguageModel, small: LanguageModel, records: Dataset,
              recipe: train.SequenceRecipe | train.LogitRecipe, name: str) -> train.Run:
    """Distil, or open the same run if it was done before."""
    run = train.distil(small, teacher, records, recipe, name=name, folder=run_folder(
        "distil", small.sha256(), teacher.sha256(), data.card(records).sha256,
        type(recipe).__name__, recipe.as_dict()))
    run.name = run.model.name = name
    return run

"""Distillation: a small student learns from what a large teacher says.

By sequences: the teacher answers prompts and the student is tuned on its answers, as on any others.
That works for any two models, and of a teacher behind an API it is all there is (Amazon Bedrock's
distillation is that). By logits: at each token of answers that are there the student also learns
what else the teacher found likely, a number for every token of the vocabulary instead of one right
one. That needs the same vocabulary: a teacher's number 317 says nothing of a student's token 317
where that is another word.

The loop, the mask of what is graded and the looks are those of instruction tuning. The teacher is
asked once, before it, and students that learn of the same answers share them; what the teacher took
is in each run's cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.nn.functional import linear

from fmcourse import store
from fmcourse.data import cards_of
from fmcourse.data.chat import conversations_in
from fmcourse.errors import CourseError, ModelError
from fmcourse.models import LanguageModel, adapt, compat, with_chat
from fmcourse.train import loop
from fmcourse.train.distil_recipes import DistilRecipe, LogitRecipe, SequenceRecipe
from fmcourse.train.instruct import check_tunable
from fmcourse.train.losses import distillation_loss
from fmcourse.train.run import Run
from fmcourse.train.soft_labels import SoftLabels, placed, soft_labels
from fmcourse.train.stage import processes, stage
from fmcourse.train.teacher_answers import teacher_answers
from fmcourse.train.teaching import Said
from fmcourse.train.tuning import Instructor, tune, tuning_rows
from fmcourse.train.watch import Observer

SEEN = ("kl", "hard_loss")


class Distiller(Instructor):
    """Tunes on soft labels: the labels of its rows are places in these."""

    columns = SEEN

    def __init__(self, soft: SoftLabels, recipe: LogitRecipe, **settings: Any) -> None:
        super().__init__(**settings)
        self.soft, self.recipe = soft, recipe
        self.seen: list[Tensor] = []  # since the last log line, (3,) each: two sums and a count

    def graded_loss(self, hidden: Tensor, output: nn.Module, labels: Tensor) -> Tensor:
        """The mean of `losses.distillation_loss`; its parts are kept for the next log line."""
        teacher, written = self.soft.at(labels)
        logits = linear(hidden, output.weight, output.bias)  # (positions, vocabulary)
        loss = distillation_loss(logits, written, teacher, self.recipe.temperature,
                                 self.recipe.alpha)
        self.seen.append(torch.stack([loss.kl, loss.hard, torch.ones_like(loss.kl)]) * len(labels))
        return loss.total

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """A line with a loss also has the means of `SEEN` over graded tokens since the last one."""
        if "loss" in logs and self.seen:
            *sums, count = torch.stack(self.seen).sum(0)
            self.seen.clear()
            logs = {**logs, **{name: (total / count).item()
                               for name, total in zip(SEEN, sums, strict=True)}}
        super().log(logs, start_time)


def distil(
    student: LanguageModel,
    teacher: LanguageModel,
    records: Dataset,
    recipe: DistilRecipe | None = None,
    *,
    validation: Dataset | None = None,
    name: str = "distillation",
    folder: Path | str | None = None,
    observe: Observer | None = None,
    observe_at: Sequence[float] = (0.0, 1.0),
    report_to: Sequence[str] = (),
    show_progress: bool = True,
    finish: Callable[[Run], None] | None = None,
) -> Run:
    """Train a student on what a teacher says.

    Args:
        student: a causal model, such as `models.student(teacher, 2)`; it is copied. One without a
            chat template gets ours.
        teacher: a causal model that answers already; it is not changed.
        records: conversations, as for `instruct`. By sequences only what the user says is used.
        recipe: a `SequenceRecipe` (also by default) or a `LogitRecipe`.
        validation, name, folder, observe, observe_at, report_to, show_progress, finish: as in
            `instruct`.

    Returns:
        A run as `instruct` returns it, whose `cost` has the teacher's operations and seconds in it,
        and whose `metrics` have `teacher_tokens`, `teacher_flops` and `teacher_seconds`; by
        sequences also `empty` and `cut`, conversations left out for the teacher's answer. By logits
        the `history` has `kl` (nats a token, times T²) and `hard_loss` beside the loss.

    Raises:
        DataError: as `instruct`; or all answers of the teacher are empty or not ended.
        ModelError: as `instruct`; a masked teacher, or one whose context is too small; and by
            logits other tokens or another chat template, more logits kept than there are tokens, a
            teacher's logit that is not finite, or a student whose logits are not plain.
        CourseError: several processes.
        PolicyError: the data is governed, and may not be used for this.
        StoreError: the folder holds a different run, or one in progress; or what the teacher said
            was changed, or there is no room for it.
    """
    recipe = recipe or SequenceRecipe()
    check_tunable(student, recipe)
    start, chat, guide = student.sha256(), with_chat(student), _guide(teacher)
    if isinstance(recipe, LogitRecipe):
        _check_logits(chat, guide, recipe)
    made = adapt(chat, recipe.adapter, recipe.seed) if recipe.adapter else chat.copy()
    parents = {"data": _fingerprint(records), "start": start, "teacher": teacher.sha256()}
    plan = {"recipe": recipe.as_dict(), "kind": type(recipe).__name__, **parents}
    if validation is not None:
        plan["validation"] = _fingerprint(validation)
    cards = cards_of(records, validation)

    def make(work: Path) -> Run:
        lesson = _lesson(made, guide, records, recipe)
        minutes = recipe.checkpoint_minutes if folder is not None else None
        run = tune(made, lesson.rows, recipe, loop.Surroundings(
            name, work, minutes, observe, observe_at, report_to, show_progress), start, validation,
            lesson.trainer)
        run.parents = {**parents, "said": lesson.said.sha256, **cards[0].sources}
        _charge(run, lesson)
        if finish is not None:
            finish(run)
        return run

    return stage(plan, folder, make, cards, name)


def _fingerprint(records: Dataset) -> str:
    """SHA-256 of what is said in conversations."""
    return store.sha256_json(conversations_in(records, "train.distil"))


class Lesson(NamedTuple):
    """Rows to learn from, who trains on them, what the teacher said, and what of it was lost."""

    rows: Dataset
    trainer: Callable[..., Instructor]
    said: Said
    lost: dict[str, int]


def _lesson(student: LanguageModel, teacher: LanguageModel, records: Dataset, recipe: DistilRecipe
            ) -> Lesson:
    """The teacher is asked, or was before."""
    to_caller = 6  # of `distil`: `make` and the two of a stage are between
    if isinstance(recipe, SequenceRecipe):
        answers = teacher_answers(
            teacher, records, tokens=recipe.answer_tokens, samples=recipe.samples,
            temperature=recipe.answer_temperature, seed=recipe.seed)
        rows = tuning_rows(answers.records, student, recipe, to_caller)
        return Lesson(rows, Instructor, answers.said, {"empty": answers.empty, "cut": answers.cut})
    rows = tuning_rows(records, student, recipe, to_caller)
    soft = soft_labels(teacher, rows, recipe.top_k, recipe.temperature)
    return Lesson(placed(rows), partial(Distiller, soft, recipe), soft.said, {})


def _charge(run: Run, lesson: Lesson) -> None:
    """Add the teacher's price to a run's cost; what it was goes to the metrics."""
    price = lesson.said.price
    run.cost = replace(run.cost, flops=run.cost.flops + price.flops,
                       seconds=run.cost.seconds + price.seconds)
    run.metrics |= {**lesson.lost, "teacher_tokens": price.tokens, "teacher_flops": price.flops,
                    "teacher_seconds": price.seconds}


def _guide(teacher: LanguageModel) -> LanguageModel:
    """The teacher, ready for conversations."""
    if processes() > 1:
        raise CourseError("A teacher is asked by one process alone.", where="train.distil",
                          fix="Start it without a launcher; one GPU does it all.")
    if teacher.objective != "causal":
        raise ModelError("A masked model cannot teach to answer.", where=teacher.name,
                         fix="Use a model that predicts the next token.")
    return with_chat(teacher)


def _check_logits(student: LanguageModel, teacher: LanguageModel, recipe: LogitRecipe) -> None:
    """Refuse what cannot be taught by logits; both have a chat template."""
    sequences = "Distil by sequences: a SequenceRecipe works for any two models."
    if student.tokenizer.get_vocab() != teacher.tokenizer.get_vocab():
        raise ModelError(
            "Teacher and student have different tokens: a logit of the one says nothing about a "
            "token of the other.", where=f"{teacher.name} and {student.name}", fix=sequences)
    if student.tokenizer.chat_template != teacher.tokenizer.chat_template:
        raise ModelError("Teacher and student have different chat templates: the teacher would "
                         "judge texts of a form that it never read.",
                         where=f"{teacher.name} and {student.name}",
                         fix="Start with models.student(teacher, …), or distil by sequences.")
    if recipe.max_length > teacher.context:
        raise ModelError(f"Rows of {recipe.max_length} tokens are too long for this teacher.",
                         where="LogitRecipe.max_length", fix=f"Use {teacher.context} or fewer.")
    if recipe.top_k > len(teacher.tokenizer):
        raise ModelError(f"There are {len(teacher.tokenizer)} tokens, so {recipe.top_k} logits "
                         "cannot be kept.", where="LogitRecipe.top_k",
                         fix=f"Use {len(teacher.tokenizer)} or fewer; 64 is plenty.")
    if compat.plain_network(student.network) is None:
        raise ModelError("This student's logits are scaled or capped.", where=student.name,
                         fix=sequences)

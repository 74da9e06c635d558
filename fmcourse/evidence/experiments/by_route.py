"""M8: the same questions about limits of AWS, answered by every route, after some have changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from datasets import Dataset

from fmcourse import data, models, train
from fmcourse.evidence.experiments import quiz
from fmcourse.evidence.experiments.quiz import Exam
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned, read_on, run_folder
from fmcourse.models import LanguageModel


def by_route(seed: int, asked: int = 34, tokens: int = 100_000, reading: int = 100_000,
             taught: int = 60_000) -> Outcome:
    """Everything is built as of November 2022, and asked in November 2026.

    One model, our base, on every route. The pairs it is tuned on hold the answers of 2022 to all
    that is asked and was stated then. The student learns from what the teacher replies to the same
    questions, with the pages of 2022 in front, and never from answers. Retrieval is given the pages
    of 2026 and nothing is trained again; its controls are the pages of 2022, and pages that belong
    to other questions, with other answers.

    No more limits have changed than are asked: every seed asks them all, so intervals tell how
    training and the other questions vary, and not what other changed limits would have shown.

    Args:
        asked: questions of each kind: changed, stayed and new.
        tokens: of each tuning.
        reading: of continued pre-training, on the pages of 2022.
        taught: of the student.
    """
    facts = data.dated_facts()
    exam, known = Exam.draw(facts, asked, seed), quiz.history(facts)
    base = quiz.finishing(models.load("base"))
    alone, looked_up = exam.rows["prompt"][:], quiz.with_page(exam.rows, exam.new)["prompt"][:]
    shown = data.sample(known, 4, seed)
    held_out = data.domain("aws-2022")["validation"]
    reader = read_on(base, {"train": facts.pages, "validation": held_out}, reading, seed,
                     "pages of 2022")
    paired = quiz.with_page(known, exam.old)
    runs = {quiz.TUNED: tuned(base, known, tokens, seed, quiz.TUNED),
            quiz.SHUFFLED: tuned(base, quiz.shuffled(known, seed), tokens, seed, quiz.SHUFFLED),
            quiz.CONTINUED: tuned(quiz.finishing(reader.model), known, tokens, seed,
                                  quiz.CONTINUED),
            quiz.BOTH: tuned(base, paired, tokens, seed, quiz.BOTH)}
    runs[quiz.DISTILLED] = distilled(runs[quiz.BOTH].model, paired, taught, seed)
    prompts = {
        quiz.PLAIN: alone, quiz.FEW: quiz.with_examples(alone, shown), quiz.RETRIEVAL: looked_up,
        **{name: looked_up if name in (quiz.BOTH, quiz.DISTILLED) else alone for name in runs},
        quiz.OLD: quiz.with_page(exam.rows, exam.old)["prompt"][:],
        quiz.WRONG: quiz.with_wrong_pages(exam.rows, exam.new)}
    who = dict.fromkeys(prompts, base) | {name: run.model for name, run in runs.items()}
    who[quiz.OLD] = who[quiz.WRONG] = who[quiz.BOTH]
    said = {name: quiz.say(who[name], asking) for name, asking in prompts.items()}
    arms = {name: quiz.judged(who[name], asking, exam.rows, said[name])
            for name, asking in prompts.items()}
    took, indexing = timed(who, exam, shown, facts.passages[2026])
    for name, seconds in took.items():
        arms[name][quiz.SECONDS] = seconds
    return Outcome(arms, {"facts": data.card(facts.changed).sha256, "base": base.sha256()}, {
        "arms": arms, "building": building(runs, reader), "core-seconds to index": indexing,
        "passages": len(facts.passages[2026]), "questions": {
            "changed": len(facts.changed), "asked": len(exam.rows)},
        "replies": some(exam, said)})


def timed(who: dict[str, LanguageModel], exam: Exam, shown: Dataset, passages: list[str]
          ) -> tuple[dict[str, float], float]:
    """Core-seconds a reply by route, search included; and those in which an index is built."""
    began = time.process_time()
    index = data.Retriever(passages)
    indexing = time.process_time() - began
    search = quiz.looking_up(index)
    ways: dict[str, Callable[[str], str]] = {
        quiz.FEW: lambda question: quiz.with_examples([question], shown)[0],
        **dict.fromkeys((quiz.RETRIEVAL, quiz.BOTH, quiz.DISTILLED), search)}
    questions = exam.rows["prompt"][:]
    return {name: quiz.seconds_a_reply(model, questions, ways.get(name, str))
            for name, model in who.items() if name not in (quiz.OLD, quiz.WRONG)}, indexing


def some(exam: Exam, said: dict[str, list[str]], each: int = 4) -> list[dict[str, Any]]:
    """A few questions of each kind, the answers, and what every route replied."""
    kinds = exam.rows["kind"][:]
    places = [place for kind in (quiz.CHANGED, quiz.STAYED, quiz.NEW)
              for place in [i for i, one in enumerate(kinds) if one == kind][:each]]
    return [{**{key: exam.rows[place][key] for key in ("kind", "prompt", "before", "completion")},
             "replies": {name: replies[place] for name, replies in said.items()}}
            for place in places]


def tuned(start: LanguageModel, rows: Dataset, tokens: int, seed: int, name: str) -> train.Run:
    """Tuned on questions and answers."""
    return fine_tuned(start, rows, train.InstructRecipe(tokens=tokens, seed=seed), name)


def distilled(teacher: LanguageModel, rows: Dataset, tokens: int, seed: int) -> train.Run:
    """A student of three of the teacher's five layers, taught by what it replies."""
    student = models.student(teacher, 3)
    recipe = train.SequenceRecipe(tokens=tokens, seed=seed, answer_tokens=quiz.LONGEST)
    run = train.distil(student, teacher, rows, recipe, name=quiz.DISTILLED, folder=run_folder(
        "by route", student.sha256(), data.card(rows).sha256, recipe.as_dict()))
    run.name = run.model.name = quiz.DISTILLED
    return run


def building(runs: dict[str, train.Run], reader: train.Run) -> dict[str, float]:
    """Operations that each route took before its first reply, what it is built on included."""
    spent = {name: run.cost.flops for name, run in runs.items()}
    spent[quiz.CONTINUED] += reader.cost.flops
    spent[quiz.DISTILLED] += spent[quiz.BOTH]
    return {**dict.fromkeys((quiz.PLAIN, quiz.FEW, quiz.RETRIEVAL), 0.0), **spent}

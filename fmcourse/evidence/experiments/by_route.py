"""M8: the same questions about limits of AWS, answered by every route, after some have changed."""

from __future__ import annotations

from datasets import Dataset

from fmcourse import data, models, train
from fmcourse.evidence.experiments import quiz
from fmcourse.evidence.experiments.quiz import Exam
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned, read_on, run_folder
from fmcourse.models import LanguageModel


def by_route(seed: int, asked: int = 36, tokens: int = 100_000, reading: int = 100_000,
             taught: int = 60_000, answered: int = 400) -> Outcome:
    """Everything is built as of November 2022, and asked in November 2026.

    One model, our base, on every route. The pairs it is tuned on hold the answers of 2022 to all
    that is asked and was stated then. Retrieval is given the pages of 2026 and nothing is trained
    again; its controls are the pages of 2022, and pages that belong to other questions. The student
    learns from what the teacher replies to questions on both releases, never from answers.

    Args:
        asked: questions of each kind: changed, stayed and new.
        tokens: of each tuning.
        reading: of continued pre-training, on the pages of 2022.
        taught: of the student.
        answered: questions that the teacher answers for it.
    """
    facts = data.dated_facts()
    exam, known = Exam.draw(facts, asked, seed), quiz.history(facts)
    base = quiz.finishing(models.load("base"))
    alone, looked_up = exam.rows["prompt"][:], quiz.with_page(exam.rows, exam.new)["prompt"][:]
    shown = data.sample(known, 4, seed)
    arms = {quiz.PLAIN: quiz.measured(base, alone, exam.rows),
            quiz.FEW: quiz.measured(base, quiz.with_examples(alone, shown), exam.rows),
            quiz.RETRIEVAL: quiz.measured(base, looked_up, exam.rows)}
    held_out = data.domain("aws-2022")["validation"]
    reader = read_on(base, {"train": facts.pages, "validation": held_out}, reading, seed,
                     "pages of 2022")
    runs = {quiz.TUNED: tuned(base, known, tokens, seed, quiz.TUNED),
            quiz.SHUFFLED: tuned(base, quiz.shuffled(known, seed), tokens, seed, quiz.SHUFFLED),
            quiz.CONTINUED: tuned(quiz.finishing(reader.model), known, tokens, seed,
                                  quiz.CONTINUED),
            quiz.BOTH: tuned(base, quiz.with_page(known, exam.old), tokens, seed, quiz.BOTH)}
    questions = data.sample(to_ask(facts, exam), answered, seed)
    runs[quiz.DISTILLED] = distilled(runs[quiz.BOTH].model, questions, taught, seed)
    for name, run in runs.items():
        prompts = looked_up if name in (quiz.BOTH, quiz.DISTILLED) else alone
        arms[name] = quiz.measured(run.model, prompts, exam.rows)
    for name, prompts in {quiz.OLD: quiz.with_page(exam.rows, exam.old)["prompt"][:],
                          quiz.WRONG: [*looked_up[1:], looked_up[0]]}.items():
        arms[name] = quiz.measured(runs[quiz.BOTH].model, prompts, exam.rows)
    return Outcome(arms, {"facts": data.card(facts.changed).sha256, "base": base.sha256()},
                   {"arms": arms, "building": building(runs, reader)})


def tuned(start: LanguageModel, rows: Dataset, tokens: int, seed: int, name: str) -> train.Run:
    """Tuned on questions and answers."""
    return fine_tuned(start, rows, train.InstructRecipe(tokens=tokens, seed=seed), name)


def to_ask(facts: data.DatedFacts, exam: Exam) -> Dataset:
    """What the teacher is asked: what stayed, and what is new but in no question of the exam."""
    asked = set(exam.rows["prompt"][:])
    new = facts.new.select([i for i, prompt in enumerate(facts.new["prompt"][:])
                            if prompt not in asked])
    return quiz.joined([quiz.with_page(facts.unchanged, exam.old),
                        quiz.with_page(new, exam.new)], facts.new)


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

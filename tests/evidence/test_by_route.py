"""What M8 rests on: the arms are what they say, and a route that does not read is not shown.

The experiment runs with written replies in the place of models, on a zoo whose limits changed.
"""

from __future__ import annotations

import importlib
import random
import re
from functools import partial
from types import SimpleNamespace

import pytest
from datasets import Dataset

from fmcourse import data, models
from fmcourse.data.dated_facts import DatedFacts
from fmcourse.data.task_rows import task_row
from fmcourse.evidence import get
from fmcourse.evidence.claim import NOT_SHOWN, SHOWN, overall
from fmcourse.evidence.experiments import quiz
from fmcourse.evidence.ledger import measure_entry

by_route = importlib.import_module("fmcourse.evidence.experiments.by_route")
ANIMALS = [f"{size}{animal}" for size in ("Small", "Large", "Grey", "Old") for animal in (
    "Fox", "Owl", "Hare", "Toad", "Wren", "Mole", "Stoat", "Otter", "Heron", "Lynx")]


def rows(kind: str, before: bool, again: bool) -> Dataset:
    """Ten limits: what was stated, and what is."""
    made = []
    for number, animal in enumerate(ANIMALS, 11):
        now = str(number * (1 if again else 7))
        prompt = f"{kind}{animal} of Amazon Zoo: You can have up to"
        made.append({**task_row(prompt, now, "zoo"), "before": str(number) if before else "",
                     "sentence": "You can have up to ___.", "page": animal, "service": "Zoo"})
    return data.with_card(Dataset.from_list(made), data.Card(kind, {}))


def lines(year: int, *parts: Dataset) -> list[str]:
    return [f"{row['prompt']} {row['before'] if year == 2022 else row['completion']} at most."
            for part in parts for row in part if year == 2026 or row["before"]]


@pytest.fixture
def facts():
    parts = rows("Changed", True, False), rows("Stayed", True, True), rows("New", False, False)
    pages = data.with_card(Dataset.from_dict({"text": ["a page"], "document": ["zoo"]}),
                           data.Card("pages", {}))
    return DatedFacts(*parts, pages, {year: lines(year, *parts) for year in (2022, 2026)})


def test_answers_of_2022_are_all_that_is_trained_on(facts):
    known = quiz.history(facts)
    assert len(known) == 2 * len(ANIMALS)
    assert known["completion"][:] == known["before"][:]


def test_a_page_stands_before_its_question_and_has_the_number_of_its_release(facts):
    exam = quiz.Exam.draw(facts, 3, seed=1)
    assert [exam.rows["kind"][:].count(kind) for kind in (
        quiz.CHANGED, quiz.STAYED, quiz.NEW)] == [3, 3, 3]
    for index, column in ((exam.new, "completion"), (exam.old, "before")):
        for row in quiz.with_page(exam.rows, index):
            page, question = row["prompt"].split("\n\n")
            assert row["messages"][0]["content"] == row["prompt"]
            if row[column]:
                assert page == f"{question} {row[column]} at most."


def test_a_wrong_page_is_anothers_with_another_answer_and_the_question_stays(facts):
    exam = quiz.Exam.draw(facts, 10, seed=1)
    right = quiz.with_page(exam.rows, exam.new)["prompt"][:]
    pages = [prompt.split("\n\n")[0] for prompt in right]
    for row, one, wrong in zip(exam.rows, right, quiz.with_wrong_pages(exam.rows, exam.new),
                               strict=True):
        page, question = wrong.split("\n\n")
        assert question == row["prompt"] == one.split("\n\n")[1]
        assert page in pages
        assert f" {row['completion']} at most" not in page


def test_shuffled_answers_are_the_same_answers_at_other_questions(facts):
    known = quiz.history(facts)
    mixed = quiz.shuffled(known, seed=3)
    assert sorted(mixed["completion"][:]) == sorted(known["completion"][:])
    assert mixed["prompt"][:] == known["prompt"][:]
    moved = sum(a != b for a, b in zip(mixed["completion"], known["completion"], strict=True))
    assert moved > len(known) / 2
    assert [turns[1]["content"] for turns in mixed["messages"]] == mixed["completion"][:]


@pytest.mark.parametrize("said", ["50", "50."])
def test_what_is_learnt_ends_with_one_full_stop_whoever_said_it(said):
    model = quiz.finishing(models.load("base"))
    talk = data.conversation("You can have up to", said)
    assert data.written(talk, model.tokenizer).endswith("have up to 50.<|im_end|>")


def test_a_reply_is_timed_alone_and_with_its_search(monkeypatch):
    clock, asked = [0.0], []

    def reply(model, prompt, tokens):
        asked.append(prompt)
        clock[0] += 2.0 if len(asked) > 1 else 50.0  # the first is slow, and does not count
        return "7."

    def search(question):
        clock[0] += 1.0
        return f"page {question}"

    monkeypatch.setattr(quiz, "finishing", lambda model: model)
    monkeypatch.setattr(quiz.models, "reply", reply)
    monkeypatch.setattr(quiz.time, "process_time", lambda: clock[0])
    assert quiz.seconds_a_reply(None, ["a", "b", "c"], search) == 3.0
    assert asked == ["page a", "page a", "page b", "page c"]


def test_a_search_puts_the_same_page_in_front_as_the_exam_does(facts):
    exam = quiz.Exam.draw(facts, 3, seed=1)
    prepare = quiz.looking_up(exam.new)
    assert [prepare(one) for one in exam.rows["prompt"]] == quiz.with_page(
        exam.rows, exam.new)["prompt"][:]


def test_replies_are_held_against_today_and_2022(monkeypatch, facts):
    exam = quiz.Exam.draw(facts, 4, seed=0)
    monkeypatch.setattr(quiz, "operations", lambda *_: 1.0)
    for column, right, stale in (("completion", 1.0, 0.0), ("before", 1 / 3, 1.0)):
        said = [f"{row[column]}." for row in exam.rows]
        monkeypatch.setattr(quiz, "say", lambda model, prompts, said=said: said)
        found = quiz.measured(None, said, exam.rows)
        assert found[quiz.RIGHT] == pytest.approx(right)
        assert found[quiz.STALE] == stale
    monkeypatch.setattr(quiz, "say", lambda model, prompts: ["Up to 11 of them"] * len(prompts))
    assert quiz.measured(None, said, exam.rows)[quiz.FORM] == 0


def reader(prompt: str, draw: random.Random) -> str:
    """A model that takes the number of the page, if there is one."""
    page, _, _ = prompt.rpartition("\n\n")
    stated = re.findall(r"up to (\d+)", page)
    return f"{stated[-1]}." if stated else f"{draw.randrange(999)}."


def guesser(prompt: str, draw: random.Random) -> str:
    return f"{draw.randrange(999)}."


def rambler(prompt: str, draw: random.Random) -> str:
    return f"{draw.randrange(999)} and so on, and so"


@pytest.mark.parametrize(("both", "tuned", "wanted"), [
    (reader, guesser, SHOWN), (guesser, guesser, NOT_SHOWN), (reader, rambler, NOT_SHOWN)])
def test_shown_only_if_pages_are_read_and_the_form_is_learnt(monkeypatch, facts, both, tuned,
                                                             wanted):
    def made(model):
        return SimpleNamespace(model=model, cost=SimpleNamespace(flops=1.0))

    def say(model, prompts):
        draw = random.Random(len(prompts[0]))
        return [(rambler if hasattr(model, "network") else model)(one, draw) for one in prompts]

    replaced = {
        "finishing": lambda model: model, "say": say, "read_on": lambda *_, **__: made(tuned),
        "tuned": lambda start, known, tokens, seed, name: made(
            both if name == quiz.BOTH else tuned),
        "distilled": lambda teacher, *_: made(partial(teacher)),
        "seconds_a_reply": lambda *_: 1.0,
        "operations": lambda model, *_: 1.0 if isinstance(model, partial) else 2.0}
    for name, instead in replaced.items():
        monkeypatch.setattr(by_route if hasattr(by_route, name) else quiz, name, instead)
    monkeypatch.setattr(quiz.data, "dated_facts", lambda: facts)
    monkeypatch.setattr(quiz.data, "domain", lambda name: {"validation": None})
    arms = [by_route.by_route(seed, asked=30).arms for seed in range(3)]
    found = [measure_entry(measure, arms) for measure in get("M8").measures]
    assert overall([one["verdict"] for one in found]) == wanted

"""What K12 rests on: arms differ in what they are told and in nothing else, and a teacher that says
nothing, or is not heard, is not shown to teach."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import pytest
from datasets import Dataset

from fmcourse import data, evaluate, models, train
from fmcourse.evidence import get
from fmcourse.evidence.claim import NOT_SHOWN, SHOWN, overall
from fmcourse.evidence.experiments import distillation
from fmcourse.evidence.experiments.distillation import AGREES, RIGHT
from fmcourse.evidence.ledger import measure_entry

pytestmark = pytest.mark.data


def said_in(records: Dataset) -> list[tuple[str, str]]:
    return [(talk[0]["content"], talk[-1]["content"]) for talk in records["messages"]]


def test_misplaced_answers_are_the_same_answers_one_prompt_further():
    rows = distillation.to_answer(20, 0)
    moved = distillation.misplaced(rows)
    before, after = said_in(rows), said_in(moved)
    assert [asked for asked, _ in after] == [asked for asked, _ in before]
    assert [answer for _, answer in after] == [before[-1][1], *(told for _, told in before[:-1])]
    assert data.card(moved).sha256 != data.card(rows).sha256


def test_the_teacher_never_saw_a_document_of_the_students_and_nobody_one_of_the_test():
    pool, test = distillation.to_answer(600, 0), distillation.to_answer(120, 0, "test")
    others = distillation.others(pool, 0)
    asked = [set(part["document"]) for part in (pool, others, test)]
    assert not any(one & other for one, other in itertools.combinations(asked, 2))
    assert len(others) > 1_000


def test_texts_are_whole_sentences_and_the_held_out_ones_are_others():
    parts = [distillation.to_write(40, 0, part) for part in ("train", "test")]
    texts = [{talk[1]["content"] for talk in part["messages"]} for part in parts]
    assert all(len(part) == 40 for part in parts)
    assert all(len(text) <= distillation.PASSAGE for part in texts for text in part)
    assert not texts[0] & texts[1]


def test_mistakes_are_repeated_where_the_teacher_is_wrong_and_the_same_is_said():
    says = {distillation.TEACHER: ["1", "x", "y", "z"], "student": ["1", "x", "y", "4"],
            "other": ["9", "2", "3", "z"]}
    assert distillation.repeated(says, ["1", "2", "3", "4"]) == pytest.approx(
        {"student": 2 / 3, "other": 1 / 3})
    assert distillation.repeated(says, says[distillation.TEACHER])["other"] == 0


def test_a_year_is_taken_out_of_what_a_talkative_teacher_says(monkeypatch):
    asked = distillation.years(3, 0)
    monkeypatch.setattr(models, "replies", lambda *_: [
        "The year in the text is 1791.", "1219 AD: 1219 AD", "I can't say."])
    said = distillation.years_said(SimpleNamespace(name="talker"), asked)
    assert said["answer"][:] == ["1791", "1219"]
    assert said_in(said) == [*zip(asked["instruction"][:2], ["1791", "1219"], strict=True)]
    assert said["label"][:] == asked["answer"][:2]


# The experiment with students that by their accounts learn: as many of the answers as are right,
# the more there are, and a text the better if they hear a teacher.

class Pupil(SimpleNamespace):
    """A model, and what it has learnt: the share of prompts it answers right, and bits per byte."""

    def sha256(self) -> str:
        return "0" * 64


def arranged(monkeypatch, knows: bool, heard: bool) -> None:
    """A teacher that is right nine times in ten, or guesses; and is heard, or is not."""
    truth = {}

    def to_answer(rows, seed, part="train", make=distillation.to_answer):
        made = make(rows, seed, part)
        truth.update(said_in(made))
        return made

    def years(rows, seed, part="train", make=distillation.years):
        made = make(rows, seed, part)
        truth.update(said_in(made))
        return made

    def tell(teacher, records, **_):
        talks = [[*talk[:-1], {"role": "assistant", "content": talk[-1]["content"]
                               if knows and place % 10 else "something else"}]
                 for place, talk in enumerate(records["messages"])]
        return SimpleNamespace(records=data.with_card(
            Dataset.from_dict({"messages": talks, "text": [talk[1]["content"] for talk in talks]}),
            data.card(records)))

    def learnt(records, bits=2.6):
        told = said_in(records)
        right = sum(truth.get(asked) == answer for asked, answer in told) / len(told)
        skill = right * (1 - math.exp(-len(told) / 200))
        return SimpleNamespace(model=Pupil(parameters=1, skill=skill, bits=bits),
                               cost=SimpleNamespace(flops=1.0, seconds=1.0))

    def taught_by(teacher, small, records, recipe, name):
        if isinstance(recipe, train.SequenceRecipe):
            return learnt(tell(teacher, records).records)
        return learnt(records, bits=2.4 if heard else 2.6)

    def graded(model, held, teacher=None):
        return {RIGHT: model.skill, AGREES: model.skill}, ["so"] * len(held)

    monkeypatch.setattr(distillation, "to_answer", to_answer)
    monkeypatch.setattr(distillation, "years", years)
    monkeypatch.setattr(distillation, "tutor", lambda *_: Pupil(parameters=9, skill=0.9))
    monkeypatch.setattr(distillation, "fine_tuned", lambda small, records, recipe, name: learnt(
        records))
    monkeypatch.setattr(distillation, "taught_by", taught_by)
    monkeypatch.setattr(distillation, "seconds_a_reply", lambda *_: 1.0)
    monkeypatch.setattr(models, "replies", lambda teacher, asked, tokens: [
        f"It is the year {truth[one] if knows else 1001}, I think." for one in asked])
    monkeypatch.setattr(distillation, "graded", graded)
    monkeypatch.setattr(train, "teacher_answers", tell)
    monkeypatch.setattr(models, "load", lambda name: Pupil(name=name, parameters=9, bits=1.5))
    monkeypatch.setattr(models, "with_chat", lambda model: model)
    monkeypatch.setattr(models, "student", lambda *_: Pupil(parameters=1, skill=0.1))
    monkeypatch.setattr(evaluate, "reply_bits_per_byte",
                        lambda model, held: getattr(model, "bits", 1.0))


@pytest.mark.parametrize(("knows", "heard", "wanted"), [
    (True, True, SHOWN), (False, True, NOT_SHOWN), (True, False, NOT_SHOWN)])
def test_a_teacher_is_shown_to_teach_only_if_it_knows_and_is_heard(
        monkeypatch, knows, heard, wanted):
    arranged(monkeypatch, knows, heard)
    arms = [distillation.distilled(seed, passages=8, fewer=(4,), tested=4).arms
            for seed in range(3)]
    found = [measure_entry(measure, arms) for measure in get("K12").measures]
    assert overall([one["verdict"] for one in found]) == wanted

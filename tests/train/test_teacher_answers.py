"""A teacher's answers: to each turn, without what is empty or cut off; asked once, gone on with."""

from __future__ import annotations

import copy
from dataclasses import replace

import classmates
import pytest
import tiny
from datasets import Dataset
from kills import teacher_killed_once

from fmcourse import store
from fmcourse.data import Card, card, with_card
from fmcourse.data.facts import Governance
from fmcourse.errors import CourseWarning, DataError, ModelError, StoreError
from fmcourse.models import reply
from fmcourse.train import teacher_answers


def records(*talks) -> Dataset:
    rows = {"messages": [[{"role": role, "content": text} for role, text in talk]
                         for talk in talks], "text": [str(talk) for talk in talks]}
    return with_card(Dataset.from_dict(rows), Card("asked", {"north": "0" * 64}))


def test_near_zero_it_answers_what_it_finds_likeliest():
    teacher, asked = classmates.teacher(), classmates.talks(8)
    said = teacher_answers(teacher, asked)
    for talk, had in zip(said.records["messages"], asked["messages"], strict=True):
        assert talk[:-1] == had[:-1]
        assert talk[-1] == {"role": "assistant", "content": reply(teacher, talk[:-1])}
    assert (said.empty, said.cut) == (0, 0)
    assert said.said.price.tokens > 0
    assert card(said.records).sources == {"north": "0" * 64}
    assert card(said.records).made_of == (card(asked).sha256, teacher.sha256())
    assert card(said.records).steps[-1]["step"] == "answered by a teacher"


def test_questions_alone_are_enough():
    teacher = classmates.teacher()
    with_answers, without = (teacher_answers(teacher, classmates.talks(8, answered))
                             for answered in (True, False))
    assert with_answers.records["messages"][:] == without.records["messages"][:]


def test_every_turn_is_answered_anew():
    fox, owl = ("user", "Where does the fox live, number 1?"), ("user", "Where does the owl live?")
    said = teacher_answers(classmates.teacher(), records(
        [("system", "Be brief."), fox, ("assistant", "Nonsense."), owl], [owl]), tokens=24)
    longer, shorter = said.records["messages"]
    assert [m["role"] for m in longer] == ["system", "user", "assistant", "user", "assistant"]
    assert "Nonsense" not in str(longer)
    assert longer[4]["content"] == reply(classmates.teacher(), longer[:4], 24)
    assert [m["role"] for m in shorter] == ["user", "assistant"]


def test_one_that_reads_or_stops_otherwise_is_another_teacher():
    asked, found = classmates.talks(4), set()
    for change in ("nothing", "template", "end"):
        teacher = classmates.teacher()
        if change == "template":
            teacher.tokenizer = copy.deepcopy(teacher.tokenizer)
            teacher.tokenizer.chat_template += " "
        elif change == "end":
            teacher.network.generation_config.eos_token_id = [teacher.ends()[0]]
        assert teacher.sha256() == classmates.teacher().sha256()
        found.add(teacher_answers(teacher, asked).said.sha256)
    assert len(found) == 3


def test_several_turns_cost_what_each_takes():
    teacher = classmates.teacher()
    fox, owl = ("user", "Where does the fox live, number 1?"), ("user", "Where does the owl live?")
    price = teacher_answers(teacher, records([fox, owl]), tokens=24).said.price
    config = teacher.network.config
    attention = 2 * config.num_hidden_layers * config.hidden_size * price.tokens / 2  # two texts
    assert price.flops == price.tokens * (2 * teacher.parameters + attention)


def test_samples_differ_and_the_seed_decides():
    teacher, asked = classmates.random_model(), classmates.talks(2)
    teacher.network.generation_config.eos_token_id += list(range(20, 384, 40))

    def answers(seed):
        with pytest.warns(CourseWarning, match="left out"):
            made = teacher_answers(teacher, asked, samples=20, temperature=1.0, tokens=12,
                                   seed=seed)
        return [talk[-1]["content"] for talk in made.records["messages"]]

    first = answers(0)
    assert len(set(first)) > 5
    for folder in store.folder("teachers").glob("answers-*"):
        folder.rename(folder.with_name("aside"))
    assert answers(0) == first
    assert answers(1) != first


def test_what_is_empty_or_cut_is_left_out_and_told(monkeypatch):
    teacher, asked = classmates.teacher(), classmates.talks(8)
    roll_out = teacher_answers.__globals__["roll_out"]

    def odd(*given, **settings):
        made = roll_out(*given, **settings)
        made.mask[0] = False  # says nothing
        made.ended[1] = False
        return made

    monkeypatch.setitem(teacher_answers.__globals__, "roll_out", odd)
    with pytest.warns(CourseWarning, match="1 of the teacher's 8 answers are empty and 1 are not"):
        said = teacher_answers(teacher, asked)
    assert (len(said.records), said.empty, said.cut) == (6, 1, 1)


def test_a_teacher_that_only_says_nothing_teaches_nothing():
    with pytest.raises(DataError, match="8 are not ended after 1 tokens: there is nothing to lea"):
        teacher_answers(classmates.teacher(), classmates.talks(8), tokens=1)


def test_a_killed_teacher_goes_on_where_it_was(monkeypatch):
    monkeypatch.setitem(teacher_answers.__globals__, "PART", 16)
    asked = classmates.talks()
    whole = teacher_answers(classmates.teacher(), asked, temperature=1.0, tokens=24)
    for folder in store.folder("teachers").glob("answers-*"):
        folder.rename(folder.with_name("aside"))
    with teacher_killed_once() as parts:
        with pytest.raises(KeyboardInterrupt):
            teacher_answers(classmates.teacher(), asked, temperature=1.0, tokens=24)
        resumed = teacher_answers(classmates.teacher(), asked, temperature=1.0, tokens=24)
        assert parts == [1, 2, 3]
        again = teacher_answers(classmates.teacher(), asked, temperature=1.0, tokens=24)
        assert parts == [1, 2, 3]
    assert resumed.records["messages"][:] == whole.records["messages"][:]
    assert again.said == resumed.said
    next(store.folder("teachers").glob("answers-*/part-00001.json")).write_text("[]")
    with pytest.raises(StoreError, match=r"changed: part-00001\.json"):
        teacher_answers(classmates.teacher(), asked, temperature=1.0, tokens=24)


def test_what_cannot_be_answered_is_refused():
    teacher = classmates.teacher()
    with pytest.raises(DataError, match="no conversations"):
        teacher_answers(teacher, tiny.dataset())
    with pytest.raises(DataError, match="Nobody asks") as caught:
        teacher_answers(teacher, records([("user", "Hi")], [("assistant", "Hello")]))
    assert caught.value.where == "record 1"
    with pytest.raises(ModelError, match="context of 128"):
        teacher_answers(teacher, classmates.talks(), tokens=120)


def test_one_that_is_too_long_is_told_before_any_is_answered(monkeypatch):
    monkeypatch.setitem(teacher_answers.__globals__, "PART", 1)
    asked = records([("user", "Hi")], [("user", "fox " * 100)])
    with pytest.raises(ModelError, match="context of 128"):
        teacher_answers(classmates.teacher(), asked, tokens=24)
    assert not list(store.folder("teachers").glob("*/*"))


def test_answers_to_governed_questions_are_governed():
    facts = Governance(owner="legal", purposes=("retrieval",), sensitivity="confidential")
    asked = classmates.talks(4)
    asked = with_card(asked, replace(card(asked), governance=facts))
    assert card(teacher_answers(classmates.teacher(), asked).records).governance == facts
